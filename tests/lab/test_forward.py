"""p2pdiag forward with a real router daemon: what it says is in the router's rules, and comes back out of them."""
import concurrent.futures
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import lab
from lab import CLIENT, HOME, SERVER, arrives, endpoint, equal, mapped, on, output, true, udp

PORT = 8000
FIREWALL = "ct state established,related accept\n udp dport 8000 drop"


# ---- inside

def p2pdiag(*arguments, expect=0, host="client"):
    with on(host):
        done = subprocess.run([lab.P2PDIAG, "--profile", "lab", *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=120)
    true(expect is None or done.returncode == expect, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def add(*options, expect=0):
    done = p2pdiag("forward", "add", "--port", str(PORT), "--yes", "--format", "json", *options, expect=expect)
    return json.loads(done.stdout)


def records():
    listed = json.loads(p2pdiag("undo", "--list", "--format", "json").stdout)["changes"]
    return sorted(change["id"] for change in listed if change["state"] == "applied")


def undo_all():
    p2pdiag("undo", "--all", "--yes")


def rules():
    """The ports that the router leads inside, as (layer 4 protocol, port)."""
    text = output("router", "nft", "list", "chain", "inet", "igd", "prerouting_miniupnpd")
    found = re.findall(r"@nh,72,8 0x([0-9a-f]+) th dport (\d+) dnat ip to", text)
    return sorted((int(number, 16), int(port)) for number, port in found)


BOTH = [(socket.IPPROTO_TCP, PORT), (socket.IPPROTO_UDP, PORT)]


def udp_arrives():
    stranger, program = udp("server", SERVER), udp("client", CLIENT, PORT)
    stranger.sendto(b"hello", (HOME, PORT))
    data, source = program.recvfrom(100)
    equal((data, source), (b"hello", stranger.getsockname()), "over UDP")


def tcp_arrives():
    with on("client"):
        listener = socket.create_server((CLIENT, PORT))
    listener.settimeout(lab.PATIENCE)
    with on("server"):
        stranger = socket.create_connection((HOME, PORT), timeout=lab.PATIENCE)
    accepted, source = listener.accept()
    equal(source, stranger.getsockname(), "over TCP")
    for made in (accepted, stranger, listener):
        made.close()


def words(result):
    return json.dumps(result)


def both_protocols():
    """A packet from the internet arrives by UDP and TCP; undo leaves nothing."""
    equal(rules(), [], "before")
    result = add("--protocol", "both")
    equal(rules(), BOTH, "the router's rules")
    udp_arrives()
    tcp_arrives()
    true('"method": "packet"' in words(result) or "a packet from" in words(result), words(result))
    true("from outside, TCP cannot be tried" in words(result), words(result))
    listed = json.loads(p2pdiag("forward", "list", "--format", "json").stdout)
    ours = [row for row in listed["forwards"] if row["whose"] == "ours"]
    equal(sorted((row["protocol"], row["external_port"]) for row in ours), [("tcp", PORT), ("udp", PORT)], "list")
    # Once more is another two hours of the same.
    before = records()
    again = add("--protocol", "both")
    true(all("for another 2 h" in step["title"] for step in again["steps"]), words(again))
    equal(records(), before, "the journal after the second time")
    equal(rules(), BOTH, "after the second time")
    undo_all()
    equal(rules(), [], "after undo")
    nothing = p2pdiag("forward", "remove", "--port", str(PORT), "--yes", expect=None)
    true(nothing.returncode not in (4, 2), f"nothing to remove: {nothing.returncode}{nothing.stderr}")


def remove_one():
    add("--protocol", "both")
    p2pdiag("forward", "remove", "--port", str(PORT), "--protocol", "tcp", "--yes")
    equal(rules(), [(socket.IPPROTO_UDP, PORT)], "after removing TCP")
    undo_all()
    equal(rules(), [], "after undo")


def external_port():
    result = add("--external", "9000")
    equal(rules(), [(socket.IPPROTO_UDP, 9000)], "the router's rules")
    true("a packet from" in words(result), words(result))
    undo_all()


def killed():
    """kill -9 of everything of p2pdiag once the router has the forward; undo --all takes it back."""
    with on("client"):
        process = subprocess.Popen([lab.P2PDIAG, "--profile", "lab", "forward", "add", "--port", str(PORT),
                                    "--protocol", "both", "--keep", "--yes"], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    wait_for(lambda: rules() == BOTH, "the forward is not there")
    process.kill()
    process.communicate(timeout=60)
    equal(rules(), BOTH, "after the kill")
    undo_all()
    equal(rules(), [], "after undo")


def wait_for(condition, what):
    deadline = time.monotonic() + 3 * lab.PATIENCE
    while not condition():
        true(time.monotonic() < deadline, what)
        time.sleep(0.05)


def keep():
    """A restart of the router's daemon loses the forward; --keep makes it again, and removes it at the end."""
    with on("client"):
        process = subprocess.Popen([lab.P2PDIAG, "--profile", "lab", "forward", "add", "--port", str(PORT), "--keep",
                                    "--yes"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True)
    try:
        wait_for(lambda: len(rules()) == 1, "the forward is not there")
        # The kept part begins after the verification.
        for line in process.stdout:
            if "kept up" in line:
                break
        restart_daemon()
        wait_for(lambda: len(rules()) == 1, "the forward was not made again")
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
        true("is made again" in rest, rest)
    finally:
        process.kill()
    equal(rules(), [], "at the end")


def keep_what_is_there():
    """--keep after a plain add takes up the forward that is in force, and removes it at the end."""
    add()
    before = records()
    with on("client"):
        process = subprocess.Popen([lab.P2PDIAG, "--profile", "lab", "forward", "add", "--port", str(PORT), "--keep",
                                    "--yes"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True)
    try:
        for line in process.stdout:
            if "kept up" in line:
                break
        equal(records(), before, "the journal")
        # A third one leaves it to the process that keeps it.
        nothing = json.loads(p2pdiag("forward", "add", "--port", str(PORT), "--yes", "--format", "json").stdout)
        equal(nothing["status"], "nothing", words(nothing))
        true(f"process {process.pid}" in words(nothing), words(nothing))
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        equal(process.returncode, 0, "the exit code")
    finally:
        process.kill()
    equal((rules(), records()), ([], []), "at the end")


def age(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        started = int(file.read().rsplit(")", 1)[1].split()[19]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started


def restart_daemon():
    """As after a reboot: all state is gone, and the epoch begins anew."""
    with open("/run/p2pdiag-lab/miniupnpd.pid", encoding="ascii") as file:
        pid = int(file.read())
    # RFC 6887 section 8.5 forgives a clock that is a second or two off.
    wait_for(lambda: age(pid) > 6, "the daemon does not age")
    os.kill(pid, signal.SIGKILL)
    for chain in ("miniupnpd", "prerouting_miniupnpd", "postrouting_miniupnpd"):
        output("router", "nft", "flush", "chain", "inet", "igd", chain)
    with contextlib.suppress(FileNotFoundError):
        os.unlink("/run/p2pdiag-lab/upnp.leases")
    equal(rules(), [], "after the daemon's end")
    with on("router"):
        subprocess.Popen(["miniupnpd", "-d", "-f", "/run/p2pdiag-lab/miniupnpd.conf", "-P",
                          "/run/p2pdiag-lab/miniupnpd.pid"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL, start_new_session=True)


def host_firewall():
    """F2: the router forwards, and this machine's own firewall drops it."""
    result = words(add(expect=None))
    true("portmap.mapped-but-unreachable" in result, result)
    true("host-firewall" in result, result)
    true("this machine's own firewall drops it" in result, result)
    undo_all()
    equal(rules(), [], "after undo")


def not_forwarding():
    """C3: the router lists it, and drops what comes: said so, after a second try."""
    output("router", "nft", "insert", "rule", "inet", "igd", "forward", "iifname", "wan0", "udp", "dport", str(PORT),
           "drop")
    result = words(add(expect=None))
    true("portmap.mapped-but-unreachable" in result, result)
    true("does not come in" in result, result)
    undo_all()
    equal(rules(), [], "after undo")


def taken():
    """718: the port is somebody else's, who keeps it; another one is offered."""
    output("client", "upnpc", "-a", "192.168.7.2", "1234", str(PORT), "udp", "600")
    result = words(add(expect=None))
    true("portmap.conflict" in result and "192.168.7.2:1234" in result, result)
    true("--external 8001" in result, result)
    equal(rules(), [(socket.IPPROTO_UDP, PORT)], "the other's forward")
    undo_all()
    equal(rules(), [(socket.IPPROTO_UDP, PORT)], "the other's forward, after undo")


def with_program():
    """A program listens already: the packet is seen at the interface."""
    program = udp("client", CLIENT, PORT)
    result = words(add())
    true("at the network interface" in result, result)
    program.close()
    undo_all()


def no_igd():
    """Nobody answers: the manual steps have this machine's own values."""
    result = words(add(expect=None))
    for value in ("http://192.168.7.1/", "internal address 192.168.7.2", "external port 8000", "portmap.none"):
        true(value in result, f"{value}: {result}")


def carrier():
    """Two NATs: named, and no forward is promised."""
    result = words(add(expect=None))
    true("nat.double-nat" in result or "nat.cgnat" in result, result)
    true("could not be reached from the internet" in result or "cannot be reached" in result, result)
    true("works" not in result, result)
    equal(rules(), [], "the router's rules")
    report = json.loads(p2pdiag("run", "upnp.gateways", "--format", "json", expect=None).stdout)
    true("nat.double-nat" in {finding["code"] for finding in report["findings"]}, words(report))


def check(identifier, *more):
    report = json.loads(p2pdiag("run", identifier, *more, "--format", "json", expect=None).stdout)
    found = next(one for one in report["checks"] if one["id"] == identifier)
    return found, {finding["code"] for finding in report["findings"] if finding["check"] == identifier}


def gateways():
    found, codes = check("upnp.gateways")
    equal(found["status"], "pass", words(found))
    equal(codes, {"portmap.upnp", "portmap.natpmp", "portmap.pcp"}, "codes")
    equal((found["data"]["outside"], found["data"]["nat_layers"]), ("same-as-stun", 1), "outside")
    equal(found["data"]["devices"][0]["control_url"], "http://192.168.7.1:5000/ctl/IPConn", "control URL")


def mapping():
    output("client", "upnpc", "-a", "192.168.7.2", str(PORT), str(PORT), "udp", "600")
    found, codes = check("upnp.mapping")
    equal(found["status"], "pass", words(found))
    trials = found["data"]["trials"]
    equal([trial["protocol"] for trial in trials], ["upnp", "pcp", "natpmp"], "protocols")
    for trial in trials:
        # The one that was there is not touched.
        equal(trial["asked"]["external_port"], PORT + 1, "the port")
        equal(trial["removed"], True, "removed")
    equal(trials[0]["read_back"], "yes", "read back")
    equal(rules(), [(socket.IPPROTO_UDP, PORT)], "what is left")


def mapping_interrupted():
    """F1: Ctrl-C at whatever point leaves no test mapping."""
    log = "/run/p2pdiag-lab/miniupnpd.log"
    for mark in ("NAT-PMP", "AddPortMapping", "DeletePortMapping"):
        with open(log, encoding="ascii", errors="replace") as file:
            file.seek(0, os.SEEK_END)
            with on("client"):
                process = subprocess.Popen([lab.P2PDIAG, "--profile", "lab", "run", "upnp.mapping", "--skip", "stun.*"],
                                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            # The router's log is written line by line.
            wait_for(lambda: mark in file.read() or process.poll() is not None, f"no {mark}")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        equal(rules(), [], f"after Ctrl-C at {mark}")


CLIENT6 = "2001:db8:7::2"


def pinhole(*options):
    """IPv6: the router's firewall lets the port through, and closes again."""
    stranger, friend = (udp("server", "2001:db8:33::10", 0, socket.AF_INET6) for _ in range(2))

    def open_to_strangers():
        program = udp("client", CLIENT6, PORT, socket.AF_INET6)
        equal(mapped(program, friend), endpoint(program), "no translation")
        arrived = arrives(stranger, endpoint(program), program, friend, endpoint(program))
        program.close()
        return arrived

    equal(open_to_strangers(), False, "before")
    done = []
    # As above: a plan waits for no router longer than three seconds.
    wait_for(lambda: done.append(add(*options, expect=None)) or done[-1]["status"] == "applied", "applied")
    result = words(done[-1])
    true(CLIENT6 in result, result)
    equal(open_to_strangers(), True, "through the pinhole")
    undo_all()
    # The flow that came in through it is known to the router still; another one is not.
    stranger = udp("server", "2001:db8:33::10", 0, socket.AF_INET6)
    equal(open_to_strangers(), False, "after undo")
    left = output("router", "nft", "list", "chain", "inet", "igd", "miniupnpd")
    true(str(PORT) not in left, left)


def pinhole_by_igd():
    """WANIPv6FirewallControl, of a router whose routes lead to its link-local address, as advertised ones do."""
    shown = output("router", "ip", "-6", "-brief", "address", "show", "lan0", "scope", "link")
    router = re.search(r"fe80:[0-9a-f:]+", shown).group()
    output("client", "ip", "-6", "route", "replace", "default", "via", router, "dev", "eth0")
    # It answers from its link-local address as well, with a LOCATION that is not believed from there. A busy machine may
    # need several searches to hear and read all of it.
    wanted = [("192.168.7.1:1900", True, None), ("[2001:db8:7::1]:1900", True, None)]

    def listed():
        found, codes = check("upnp.gateways")
        true("portmap.multiple-gateways" not in codes, words(found))
        devices = (found["data"] or {}).get("devices", [])
        read = all(device.get("firewall") for device in devices)
        return read and wanted == sorted((one["from"], one["preferred"], one["problems"]) for one in devices)

    wait_for(listed, "the router's two addresses")
    pinhole("--via", "upnp")


CASES = [both_protocols, remove_one, external_port, killed, keep, keep_what_is_there, host_firewall, not_forwarding, taken, with_program,
         no_igd, carrier, gateways, mapping, mapping_interrupted, pinhole, pinhole_by_igd]


# ---- outside

NAT = ("--nat", "port-restricted-cone")


class Cases(unittest.TestCase):
    """Most of the time is waiting, so the labs of one test run side by side."""

    def inside(self, *cases, nat=NAT):
        os.environ["P2PDIAG"] = lab.P2PDIAG
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            started = [(case, pool.submit(lab.inside, case[0], *nat, *case[1:], servers=True)) for case in cases]
            for case, future in started:
                with self.subTest(case[0].__name__, options=case[1:]):
                    future.result()


PROTOCOLS = ("upnp", "natpmp", "pcp")


class Forward(Cases):
    def test_each_protocol(self):
        self.inside(*((case, "--igd", protocol) for protocol in PROTOCOLS
                      for case in (both_protocols, external_port, killed)))

    def test_symmetric(self):
        self.inside((both_protocols, "--igd", "upnp"), nat=("--nat", "symmetric"))

    def test_keep(self):
        self.inside(*((keep, "--igd", protocol) for protocol in PROTOCOLS),
                    (keep_what_is_there, "--igd", "upnp"), (keep_what_is_there, "--igd", "natpmp"))

    def test_what_stands_in_the_way(self):
        with lab.firewall(FIREWALL) as path:
            self.inside((host_firewall, "--igd", "upnp", "--host-firewall", path), (not_forwarding, "--igd", "upnp"),
                        (not_forwarding, "--igd", "pcp"), (taken, "--igd", "upnp"), (with_program, "--igd", "natpmp"),
                        (remove_one, "--igd", "upnp"))

    def test_nobody_and_carrier(self):
        self.inside((no_igd,), *((carrier, "--cgnat", "port-restricted-cone", "--igd", protocols)
                                 for protocols in ("upnp,natpmp,pcp", "pcp")))

    def test_ipv6(self):
        self.inside((pinhole_by_igd, "--ipv6", "--igd", "upnp"), (pinhole, "--ipv6", "--igd", "pcp"))

    def test_a_lab_has_its_own_journal(self):
        """What is forwarded in a lab vanishes with it, and the user's own journal never hears of it."""
        with tempfile.TemporaryDirectory() as place:
            done = lab.lab("run", *NAT, "--igd", "pcp", "--no-servers", "--", "forward", "add", "--port", str(PORT),
                           "--yes", env={**os.environ, "XDG_STATE_HOME": place})
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn("p2pdiag undo ", done.stdout)
            self.assertEqual(os.listdir(place), [])


class Checks(Cases):
    def test_checks(self):
        self.inside((gateways, "--igd", "upnp,natpmp,pcp"), (mapping, "--igd", "upnp,natpmp,pcp"),
                    (mapping_interrupted, "--igd", "upnp,natpmp,pcp"))


if __name__ == "__main__":
    lab.main(CASES)
