"""The checks of the plugin network in networks that are broken in one way each: the code of that way, and no other
from them; and a healthy network without any finding."""
import contextlib
import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import unittest

import lab
from lab import CLIENT, SERVER, equal, on, output, true

OURS = ("network.dns", "network.internet", "network.path")
# One check after the other: all at the same time they miss their deadlines on a busy machine.
ALL = ("all", "--isolation", "none", "--deadline", "120s")


def report(*arguments):
    """On the host where this runs: the checks by id, and all findings."""
    done = subprocess.run([lab.P2PDIAG, "--profile", "lab", "run", *arguments, "--format", "json"],
                          stdout=subprocess.PIPE, check=False)
    whole = json.loads(done.stdout)
    return {check["id"]: check for check in whole["checks"]}, whole


def run(*options, checks=OURS, servers=True):
    """From outside: the report of these checks in a lab."""
    more = [] if servers else ["--no-servers"]
    done = lab.lab("run", "--nat", "port-restricted-cone", *options, *more, "--", "run", *checks, "--format", "json")
    whole = json.loads(done.stdout)
    return {check["id"]: check for check in whole["checks"]}, whole


def findings(whole, *checks):
    """Codes of warnings and errors of these checks."""
    return sorted({finding["code"] for finding in whole["findings"]
                   if finding["check"] in checks and finding["severity"] != "info"})


# ---- inside

def tcp_server(port, answer=b""):
    """Says `answer` to each line; None tears the connection down instead."""
    with on("server"):
        listener = socket.create_server((SERVER, port))

    def serve():
        with contextlib.suppress(OSError):
            while True:
                made, _ = listener.accept()
                if made.recv(100) and answer:
                    made.sendall(answer)
                made.close()

    threading.Thread(target=serve, daemon=True).start()
    return listener


def connect(peer):
    checks, whole = report("network.connect", "--peer", peer, "--skip", "stun.nat")
    check = checks["network.connect"]
    return check, {finding["code"]: finding for finding in whole["findings"]}


def reject(host, rule):
    output(host, "nft", "add table inet t; add chain inet t forward { type filter hook forward priority -20; };"
           f"add rule inet t forward {rule}")


def peer_answers():
    listener = tcp_server(8000, b"hello yourself\n")
    check, found = connect(f"{SERVER}:8000")
    equal((check["status"], found), ("pass", {}), check)
    tried = check["data"]["addresses"][0]
    equal((tried["tcp"]["talk"], tried["tcp"]["answer"]), ("answered", "hello yourself"), "TCP")
    # Nothing listens there by UDP, and the host says so.
    equal((tried["udp"]["outcome"], tried["udp"]["icmp"]["by"]), ("refused", SERVER), "UDP")
    equal(tried["ping"]["answered"], 4, "pings")
    listener.close()


def peer_tears_down():
    with on("server"):
        listener = socket.create_server((SERVER, 8005))

    def serve():
        with contextlib.suppress(OSError):
            while True:
                made, _ = listener.accept()
                made.recv(1)
                # Closed with what was not read: a reset.
                made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                made.close()

    threading.Thread(target=serve, daemon=True).start()
    check, found = connect(f"{SERVER}:8005")
    equal((check["status"], found), ("unknown", {}), check)
    equal(check["data"]["addresses"][0]["tcp"]["talk"], "reset", check)
    listener.close()


def peer_is_oneself():
    listener = socket.create_server((CLIENT, 8006))
    check, found = connect(f"{CLIENT}:8006")
    equal((check["status"], list(found)), ("pass", ["net.peer-address"]), check)
    equal(found["net.peer-address"]["evidence"]["reason"], "own-address", check)
    listener.close()


def peer_refuses():
    check, found = connect(f"{SERVER}:8001")
    equal((check["status"], list(found)), ("fail", ["net.peer-refused"]), check)


def peer_prohibited():
    reject("router", f"ip daddr {SERVER} tcp dport 8002 reject with icmp type admin-prohibited")
    reject("router", f"ip daddr {SERVER} udp dport 8003 reject with icmp type admin-prohibited")
    for port, transport in ((8002, "tcp"), (8003, "udp")):
        check, found = connect(f"{SERVER}:{port}")
        equal((check["status"], list(found)), ("fail", ["net.peer-filtered"]), check)
        equal(found["net.peer-filtered"]["evidence"]["hop"], "192.168.7.1", transport)
        said = check["data"]["addresses"][0][transport]["icmp"]
        equal(said, {"by": "192.168.7.1", "meaning": "prohibited"}, transport)


def peer_silent():
    reject("router", f"ip daddr {SERVER} meta l4proto {{ tcp, udp }} th dport 8004 drop")
    check, found = connect(f"{SERVER}:8004")
    equal((check["status"], list(found)), ("unknown", ["net.peer-silent"]), check)
    true("answers pings" in check["summary"], check["summary"])


def peer_unreachable():
    # On this very link: nobody answers to that address.
    check, found = connect("192.168.7.99:8000")
    equal((check["status"], list(found)), ("fail", ["net.peer-unreachable"]), check)
    true("No machine in this network" in check["summary"], check["summary"])
    reject("router", "ip daddr 11.22.34.5 reject with icmp type host-unreachable")
    check, found = connect("11.22.34.5:8000")
    equal(found["net.peer-unreachable"]["evidence"]["hop"], "192.168.7.1", check)
    check, found = connect("nobody.lab:8000")
    equal((check["status"], list(found)), ("fail", ["net.dns-failed"]), check)


def peer_address():
    reject("router", "ip daddr 10.1.2.3 drop")
    check, found = connect("10.1.2.3:8000")
    equal(found["net.peer-address"]["evidence"]["reason"], "private-elsewhere", check)
    check, found = connect("127.0.0.1:8000")
    equal(found["net.peer-address"]["evidence"]["reason"], "loopback", check)
    checks, whole = report("network.connect", "--peer", f"{lab.HOME}:8000")
    reasons = [finding["evidence"].get("reason") for finding in whole["findings"]
               if finding["code"] == "net.peer-address"]
    equal(reasons, ["own-public"], checks["network.connect"])


def without_privilege():
    """As a user who may neither open a raw socket nor, here, ping: hops still show, and the router that forbids UDP."""
    reject("router", f"ip daddr {SERVER} udp dport 8003 reject with icmp type admin-prohibited")
    drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all"]
    done = subprocess.run([*drop, lab.P2PDIAG, "--profile", "lab", "run", "network.path", "network.connect", "--peer",
                           f"{SERVER}:8003", "--format", "json"], stdout=subprocess.PIPE, check=False,
                          env={**os.environ, "HOME": "/nonexistent", "XDG_CACHE_HOME": "/nonexistent"})
    whole = json.loads(done.stdout)
    checks = {check["id"]: check for check in whole["checks"]}
    path = checks["network.path"]["data"]["ipv4"]
    equal(path["gateway"]["reason"], "not-permitted", path["gateway"])
    equal(path["hops"][0]["address"], "192.168.7.1", path["hops"])
    equal(checks["network.path"]["status"], "pass", checks["network.path"])
    connected = checks["network.connect"]
    equal(connected["data"]["sees_icmp_of_tcp"], False, connected)
    equal(connected["data"]["addresses"][0]["udp"]["icmp"]["by"], "192.168.7.1", connected)
    true("sudo p2pdiag run network.path" in checks["network.path"]["summary"], checks["network.path"])
    true(f"sudo p2pdiag run network.connect --peer {SERVER}:8003" in connected["summary"], connected)


def nothing_else():
    """Whom the checks send to: servers of the profile, name servers, the router, this machine; nobody else."""
    with tempfile.TemporaryDirectory() as directory:
        with lab.Recorder("client", directory + "/file"):
            checks, _ = report("network.*", "--skip", "network.connect", "--skip", "stun.*", "--deadline", "120s",
                               "--isolation", "none")
        for check in OURS:
            equal(checks[check]["status"], "pass", checks[check])
        fields = ["tshark", "-r", directory + "/file", "-Y", f"ip.src == {CLIENT} && !icmp.type == 3", "-T", "fields",
                  "-E", "separator=/t", "-e", "ip.dst"]
        shown = subprocess.run(fields, stdout=subprocess.PIPE, text=True, check=True).stdout
    asked = {line.split(",")[0] for line in shown.splitlines()}
    # The lab's profile: two STUN servers, three landmarks, one page; the lab's name server is 11.22.33.53.
    expected = {CLIENT, "192.168.7.1", SERVER, lab.OTHER_SERVER, "11.22.33.53"}
    true(asked >= {"192.168.7.1", SERVER}, asked)
    true(asked <= expected, asked - expected)


CASES = [peer_answers, peer_tears_down, peer_is_oneself, peer_refuses, peer_prohibited, peer_silent, peer_unreachable,
         peer_address, without_privilege, nothing_else]


def setUpModule():
    # For the same file inside the lab.
    os.environ["P2PDIAG"] = lab.P2PDIAG


class Healthy(unittest.TestCase):
    def test_nothing_is_found(self):
        checks, whole = run("--ipv6", checks=ALL)
        self.assertEqual(findings(whole, *OURS, "network.connect"), [])
        self.assertEqual({check: checks[check]["status"] for check in OURS}, dict.fromkeys(OURS, "pass"))
        self.assertEqual(checks["network.connect"]["status"], "skip")
        for family in ("ipv4", "ipv6"):
            path = checks["network.path"]["data"][family]
            self.assertEqual(path["targets"][0]["mtu"]["path"], 1500, path)
            self.assertEqual(path["gateway"]["loss_percent"], 0, path)
            self.assertTrue(checks["network.internet"]["data"][family]["works"])
        self.assertEqual(checks["network.internet"]["data"]["portal"]["present"], False)

    def test_a_recording_names_the_checks(self):
        with tempfile.TemporaryDirectory() as directory:
            path = directory + "/run.pcapng"
            lab.lab("run", "--nat", "port-restricted-cone", "--", "run", *OURS, "--capture", path)
            shown = subprocess.run(["tshark", "-r", path, "-T", "fields", "-e", "_ws.col.Protocol", "-e", "frame.comment"],
                                   stdout=subprocess.PIPE, text=True, check=True).stdout
        named = {tuple(line.split("\t")) for line in shown.splitlines()}
        for row in (("DNS", "network.dns"), ("TCP", "network.internet"), ("STUN", "network.path"), ("ICMP", "network.path")):
            self.assertIn(row, named)

    @unittest.skipUnless(shutil.which("tshark"), "tshark is not installed")
    def test_nobody_else_is_contacted(self):
        lab.inside(nothing_else, "--nat", "port-restricted-cone", servers=True)

    def test_hops(self):
        checks, _ = run("--cgnat", "port-restricted-cone", checks=["network.path"])
        hops = [(hop["address"], hop["scope"]) for hop in checks["network.path"]["data"]["ipv4"]["hops"]]
        self.assertEqual(hops, [("192.168.7.1", "private"), ("100.64.7.1", "carrier-grade"), (SERVER, "public")])

    def test_a_narrow_link_is_no_black_hole(self):
        checks, whole = run("--mtu", "1400", checks=["network.path"])
        mtu = checks["network.path"]["data"]["ipv4"]["targets"][0]["mtu"]
        self.assertEqual((mtu["path"], mtu["black_hole"], mtu["told_by"]), (1400, False, "192.168.7.1"), mtu)
        self.assertEqual(findings(whole, *OURS), [])


def errors(whole):
    """Codes of all errors, whichever check has them."""
    return sorted({finding["code"] for finding in whole["findings"] if finding["severity"] == "error"})


class Broken(unittest.TestCase):
    """`codes` are the warnings and errors of our checks, `errors_of_all` all errors of the report."""

    def expect(self, *options, codes, checks=OURS, verdict=None, errors_of_all=()):
        ran, whole = run(*options, checks=checks)
        self.assertEqual(findings(whole, *OURS), codes, json.dumps(ran, indent=1))
        self.assertEqual(errors(whole), list(errors_of_all), json.dumps(whole["findings"], indent=1))
        if verdict:
            self.assertEqual(whole["verdict"]["status"], verdict)
        return ran

    def test_names(self):
        ran = self.expect("--dns", "broken", codes=["net.dns-failed"], checks=ALL, errors_of_all=["net.dns-failed"])
        self.assertEqual(ran["network.dns"]["data"]["servers"][0]["usable"], False)
        self.assertEqual(ran["network.internet"]["status"], "pass")
        self.expect("--dns", "lying", codes=["net.dns-rewritten"])

    def test_no_route(self):
        ran = self.expect("--no-default-route", codes=["net.no-internet"], checks=ALL, verdict="offline",
                          errors_of_all=["net.no-default-route"])
        self.assertEqual((ran["network.dns"]["status"], ran["network.path"]["status"]), ("skip", "skip"))

    def test_login_page(self):
        self.expect("--captive-portal", codes=["net.captive-portal"], checks=ALL, verdict="offline",
                    errors_of_all=["net.captive-portal"])

    def test_ipv6_that_does_not_come_back(self):
        self.expect("--ipv6", "--block", "ipv6-in", codes=["net.ipv6-broken"])

    def test_clock(self):
        ran = self.expect("--web-clock", "-7200", codes=["net.clock-skew"], checks=["network.internet"])
        ahead = ran["network.internet"]["data"]["clock"]["ahead_ms"]
        self.assertTrue(7_100_000 < ahead < 7_300_000, ahead)

    def test_black_hole(self):
        ran = self.expect("--mtu-black-hole", "1400", codes=["net.mtu-blackhole"], checks=ALL)
        mtu = ran["network.path"]["data"]["ipv4"]["targets"][0]["mtu"]
        self.assertEqual((mtu["path"], mtu["black_hole"]), (1400, True), mtu)

    def test_loss(self):
        # Of sixteen requests and their answers 64 % are lost. That all are is once in 1000 runs: then it is not known.
        # By address, since a question for a name would be lost as well.
        ran, whole = run("--loss", "40", checks=["network.path", "--stun", f"{SERVER}:3478"])
        targets = ran["network.path"]["data"]["ipv4"]["targets"]
        self.assertEqual({target["sent"] for target in targets}, {16}, targets)
        if any(target["answered"] > 0 for target in targets):
            self.assertEqual(findings(whole, "network.path"), ["net.loss-high"], json.dumps(ran, indent=1))
        else:
            self.assertEqual((findings(whole, "network.path"), ran["network.path"]["status"]), ([], "unknown"),
                             json.dumps(ran, indent=1))

    def test_blocked_udp(self):
        ran = self.expect("--block", "udp", codes=[], checks=ALL, verdict="relay-only",
                          errors_of_all=["nat.udp-blocked"])
        # The router answers pings; the path behind it was not measured.
        self.assertEqual(ran["network.path"]["data"]["ipv4"]["gateway"]["answered"], 16)
        self.assertEqual(ran["network.path"]["status"], "unknown", ran["network.path"])

    def test_port_taken(self):
        # As information: it is taken by a program that listens, as it should be.
        _, whole = run("--listen", "udp:0.0.0.0:8000", "--listen", "tcp:[::]:8000", checks=ALL)
        self.assertEqual((errors(whole), findings(whole, "network.ports")), ([], []), whole["findings"])
        self.assertIn("net.port-in-use", [finding["code"] for finding in whole["findings"]])

    def test_loopback_listener(self):
        _, whole = run("--listen", "udp:127.0.0.1:8000", checks=ALL)
        self.assertEqual(errors(whole), ["net.listener-loopback-only"], whole["findings"])


class Peer(unittest.TestCase):
    def test_peer(self):
        for case in (peer_answers, peer_tears_down, peer_is_oneself, peer_refuses, peer_prohibited, peer_silent):
            lab.inside(case, "--nat", "port-restricted-cone")
        for case in (peer_unreachable, peer_address):
            lab.inside(case, "--nat", "port-restricted-cone", servers=True)

    @unittest.skipIf(os.geteuid() != 0, "needs another user")
    def test_without_privilege(self):
        lab.inside(without_privilege, "--nat", "port-restricted-cone", servers=True)


if __name__ == "__main__":
    lab.main(CASES)
