"""Recording and live capture on real interfaces, read by tshark; who may, and who may not."""
import contextlib
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import unittest

import lab

NOBODY = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "env", "HOME=/nonexistent"]
NO_RAW = ["setpriv", "--bounding-set=-net_raw", "--inh-caps=-all"]
REQUEST, ANSWER = "0x0001", "0x0101"


def tshark(path, *fields, show="frame"):
    """The fields of every packet that `show` lets through, as lists of text."""
    argv = ["tshark", "-r", path, "-Y", show, "-T", "fields", "-E", "separator=/t"]
    for field in fields:
        argv += ["-e", field]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


@contextlib.contextmanager
def place():
    """A directory that nobody may write to as well."""
    with tempfile.TemporaryDirectory() as path:
        os.chmod(path, 0o777)
        yield path


def codes(report):
    return {finding["code"] for finding in report["findings"]}


class Recording(unittest.TestCase):
    def check_recording(self, unprivileged):
        with place() as directory:
            path = directory + "/run.pcapng"
            done = lab.lab("run", "--nat", "symmetric", "--", "run", "stun.nat", "--capture", path, "--format", "json",
                           unprivileged=unprivileged)
            report = json.loads(done.stdout)
            self.assertEqual(report["checks"][0]["data"]["ipv4"]["nat_type"], "symmetric", done.stderr)
            recording = report["run"]["recording"]
            self.assertEqual((recording["file"], recording["data"]["lost"]), (path, 0), done.stderr)
            ladder = recording["data"]["ladder"]
            self.assertEqual(ladder["columns"][0], {"label": "you", "address": "192.168.7.2"})
            self.assertGreater(len(ladder["rows"]), 20)
            self.assertLessEqual({"sent", "answer"}, {row["outcome"] for row in ladder["rows"]})
            self.assertTrue(any("mapping test" in row["text"] for row in ladder["rows"]), ladder["rows"])
            self.assertEqual(os.listdir(directory), ["run.pcapng"])
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)

            rows = tshark(path, "stun.type", "stun.id", "ip.dst", "udp.dstport", "frame.comment", show="stun && udp && !icmp")
            self.assertGreater(len(rows), 30)
            asked = {}
            for kind, identity, address, port, comment in rows:
                # Without a text: the packets of a small TTL, which look for routers.
                self.assertTrue(comment == "stun.nat" or comment.startswith("stun.nat: "), (kind, identity, comment))
                if kind == REQUEST and " to " in comment:
                    self.assertTrue(comment.endswith(f" to {address}:{port}"), comment)
                    asked[identity] = comment.removeprefix("stun.nat: ")
            answered = 0
            for kind, identity, address, port, comment in rows:
                if kind == ANSWER and identity in asked:
                    answered += 1
                    self.assertEqual(comment, "stun.nat: answer to " + asked[identity])
            self.assertGreater(answered, 10)
            # What the report says of the mapping is in the packets.
            seen = {tuple(row) for row in tshark(path, "stun.att.ipv4", "stun.att.port", show=f"stun.type == {ANSWER}")}
            self.assertGreater(len(seen), 2)
            names = {row[0] for row in tshark(path, "frame.interface_name")}
            self.assertIn("eth0", names)

    def test_each_packet_names_its_check_and_transaction(self):
        self.check_recording(unprivileged=False)

    @unittest.skipUnless(os.geteuid() == 0, "is not root, and so has been tested")
    def test_nobody_too(self):
        self.check_recording(unprivileged=True)

    def test_routers_are_recorded_and_named(self):
        with place() as directory:
            path = directory + "/run.pcapng"
            lab.lab("run", "--nat", "full-cone", "--igd", "upnp,natpmp,pcp", "--", "run", "upnp.gateways", "--capture", path)
            named = {(row[0], row[1]) for row in tshark(path, "_ws.col.Protocol", "frame.comment")}
            for protocol in ("SSDP", "HTTP/XML", "NAT-PMP"):
                self.assertIn((protocol, "upnp.gateways"), named)

    def test_without_the_privilege_the_run_goes_on(self):
        with place() as directory:
            path = directory + "/run.pcapng"
            done = lab.lab("run", "--nat", "full-cone", "--command", "--", *NO_RAW, lab.P2PDIAG, "--profile", "lab", "run", "stun.nat",
                           "--capture", path, "--format", "json")
            report = json.loads(done.stdout)
            self.assertEqual((done.returncode, report["checks"][0]["status"]), (0, "pass"), done.stderr)
            self.assertIn("capture.not-permitted", codes(report))
            self.assertIn("nothing was recorded: capturing packets is not permitted", done.stderr)
            self.assertIn("sudo setcap cap_net_raw+ep ", done.stderr)
            self.assertEqual(os.listdir(directory), [])


@unittest.skipUnless(os.geteuid() == 0, "needs root: gives a file a capability")
class Permission(unittest.TestCase):
    def setUp(self):
        # A tree of its own, since the capability stays with the file.
        self.tree = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.tree)
        os.chmod(self.tree, 0o755)
        built = os.path.dirname(os.path.dirname(os.path.realpath(lab.P2PDIAG)))
        for part in ("bin/p2pdiag", "libexec/p2pdiag/p2pdiag-capture", "lib/p2pdiag/plugins/capture.so"):
            os.makedirs(os.path.dirname(f"{self.tree}/{part}"), exist_ok=True)
            shutil.copy(f"{built}/{part}", f"{self.tree}/{part}")
        shutil.copytree(f"{built}/share/p2pdiag/profiles", f"{self.tree}/share/p2pdiag/profiles")

    def as_nobody(self, *arguments):
        return lab.lab("run", "--nat", "open", "--no-servers", "--command", "--", *NOBODY, self.tree + "/bin/p2pdiag", *arguments)

    def access(self):
        done = self.as_nobody("run", "capture.access", "--format", "json")
        return done.returncode, json.loads(done.stdout)

    def test_the_printed_command_allows_it(self):
        code, report = self.access()
        check = report["checks"][0]
        self.assertEqual((code, check["status"], check["data"]["permitted"]), (3, "skip", False), check)
        self.assertIn("capture.not-permitted", codes(report))
        command = check["data"]["command"].split()
        self.assertEqual(command[0], "sudo")
        self.assertIn(check["data"]["command"], check["summary"])
        self.assertIn("every local user may then capture", check["summary"])
        self.assertEqual(self.as_nobody("capture", "live", "--for", "1s").returncode, 3)

        # On a terminal too, and in full, though it is longer than a line.
        console = self.as_nobody("run", "capture.access").stdout
        self.assertIn(check["data"]["command"], " ".join(console.split()))

        subprocess.run(command[1:], check=True)
        code, report = self.access()
        check = report["checks"][0]
        self.assertEqual((code, check["status"], check["data"]["permitted"]), (0, "pass", True), check)
        self.assertEqual({entry["state"] for entry in check["data"]["interfaces"]}, {"ok"})
        self.assertEqual({entry["name"] for entry in check["data"]["interfaces"]}, {"lo", "eth0"})
        with place() as directory:
            done = self.as_nobody("run", "capture.access", "--capture", directory + "/file")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(os.listdir(directory), ["file"])
            tshark(directory + "/file", "frame.number")

    def test_a_helper_that_is_not_there(self):
        os.remove(self.tree + "/libexec/p2pdiag/p2pdiag-capture")
        code, report = self.access()
        self.assertEqual((code, report["checks"][0]["status"]), (3, "unknown"))
        self.assertIn("p2pdiag-capture cannot be started", report["checks"][0]["summary"])


# ---- inside a lab

class Live:
    """p2pdiag capture live, once it listens."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([lab.P2PDIAG, "capture", "live", *arguments], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.said = self.process.stderr.readline()
        lab.true("listening on" in self.said, self.said)

    def stop(self, how=signal.SIGINT):
        self.process.send_signal(how)
        return self.end()

    def end(self):
        out, err = self.process.communicate(timeout=lab.PATIENCE)
        return self.process.returncode, out, err


def send(count=3, size=20, port=4000):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in range(count):
            sender.sendto(bytes([number % 256]) * size, ("192.168.7.1", port))


def live():
    with tempfile.TemporaryDirectory() as directory:
        # Shown and kept, until Ctrl-C; and nothing that the filter does not let through.
        path = directory + "/file"
        running = Live("--interface", "eth0", "--filter", "udp port 4000", "--write", path)
        shown_by_ip = subprocess.run(["ip", "-d", "link", "show", "eth0"], capture_output=True, text=True).stdout
        lab.true("promiscuity 0 " in shown_by_ip, shown_by_ip)
        send(port=4001)
        send()
        shown = [running.process.stdout.readline() for _ in range(3)]
        code, out, err = running.stop()
        lab.equal(code, 0, err)
        lab.true(all("192.168.7.1:4000" in line for line in shown), shown)
        # What happened is told at the end, as of a file.
        lab.true("192.168.7.1" in out and "4001" not in out, out)
        lab.equal(stat.S_IMODE(os.stat(path).st_mode), 0o600, "mode")
        lab.equal(tshark(path, "udp.dstport", "udp.length", "frame.interface_name"), [["4000", "28", "eth0"]] * 3, "packets")
        lab.equal(subprocess.run(["pgrep", "-x", "p2pdiag-capture"], capture_output=True).returncode, 1, "helper is left")
        # A file that is there is never overwritten.
        before = open(path, "rb").read()
        done = subprocess.run([lab.P2PDIAG, "capture", "live", "--for", "1s", "--write", path], capture_output=True, text=True)
        lab.equal((done.returncode, "is there already" in done.stderr), (2, True), done.stderr)
        lab.equal(open(path, "rb").read(), before, "the file")
        # It ends by itself, and nothing to see is a file without packets.
        code, out, err = Live("--interface", "lo", "--for", "1s", "--write", directory + "/empty").end()
        lab.equal((code, out), (0, ""), err)
        lab.equal(tshark(directory + "/empty", "frame.number"), [], "packets")
        # Nobody reads any more.
        running = Live("--interface", "eth0")
        running.process.stdout.close()
        while running.process.poll() is None:
            send(1)
        # Killed, it leaves no helper behind, and a file that can be read.
        running = Live("--interface", "eth0", "--filter", "udp port 4000", "--write", directory + "/killed")
        send()
        for _ in range(3):
            running.process.stdout.readline()
        running.stop(signal.SIGKILL)
        while subprocess.run(["pgrep", "-x", "p2pdiag-capture"], capture_output=True).returncode == 0:
            pass
        lab.true(len(tshark(directory + "/killed", "udp.dstport")) >= 2, "packets in the file")


def refused():
    p2pdiag = lab.P2PDIAG
    for arguments, code, said in ((["--interface", "nothere"], 2, "nothere: there is no such interface"),
                                  (["--interface", "any"], 2, "any: there is no such interface"),
                                  (["--filter", "prot 7"], 2, "the filter is not understood"),
                                  (["--for", "1s", "--write", "/nowhere/file"], 2, "/nowhere/file: cannot be written")):
        done = subprocess.run([p2pdiag, "capture", "live", *arguments], capture_output=True, text=True)
        lab.equal((done.returncode, said in done.stderr), (code, True), done.stderr)
    done = subprocess.run([*NO_RAW, p2pdiag, "capture", "live"], capture_output=True, text=True)
    # With all of the command, wherever the helper is.
    lab.equal(done.returncode, 3, done.stderr)
    command = done.stderr.partition("sudo setcap cap_net_raw+ep ")[2].split()
    lab.true(command and os.path.exists(command[0]), done.stderr)


def disk_full():
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", directory], check=True)
        try:
            running = Live("--interface", "eth0", "--filter", "udp port 4000", "--write", directory + "/file")
            while running.process.poll() is None:
                send(10, size=1000)
            code, out, err = running.end()
            lab.equal((code, "No space left on device" in err), (4, True), err)
            # What fitted is whole.
            lab.true(len(tshark(directory + "/file", "udp.dstport")) > 5, "packets in the file")
            done = subprocess.run([lab.P2PDIAG, "run", "capture.access", "--capture", directory + "/run"],
                                  capture_output=True, text=True)
            lab.equal((done.returncode, os.listdir(directory)), (4, ["file"]), done.stderr)
        finally:
            subprocess.run(["umount", directory], check=True)


class LiveCapture(unittest.TestCase):
    def test_live(self):
        lab.inside(live, "--nat", "full-cone")

    def test_refused(self):
        lab.inside(refused, "--nat", "full-cone")

    def test_disk_full(self):
        lab.inside(disk_full, "--nat", "full-cone")


if __name__ == "__main__":
    lab.main([live, refused, disk_full])
