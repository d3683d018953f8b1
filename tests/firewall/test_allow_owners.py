"""p2pdiag firewall allow with ufw and firewalld themselves, each on files and in a network of its own."""
import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import kernel
import opening
from kernel import PEER, PEER_OTHER, Refused
from opening import Machine, steps, verified

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNS, _MS_BIND, _MS_REC, _MS_PRIVATE = 0x00020000, 4096, 16384, 1 << 18

BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/><allow eavesdrop="true"/></policy></busconfig>
"""


def mount(source, target, kind, flags):
    if _libc.mount(source.encode(), target.encode(), kind.encode(), flags, None) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def own_files():
    """A copy of /etc, and a /run, that nobody else sees."""
    if os.geteuid() != 0 or open("/proc/self/uid_map", encoding="ascii").read().split()[2] != "4294967295":
        raise kernel.Unavailable("ufw and firewalld work for root alone")
    for tool in ("ufw", "firewalld", "firewall-cmd", "dbus-daemon"):
        if shutil.which(tool) is None:
            raise kernel.Unavailable(f"{tool} is not installed")
    copy = tempfile.mkdtemp()
    shutil.copytree("/etc", f"{copy}/etc", symlinks=True)
    if _libc.unshare(_CLONE_NEWNS) != 0:
        raise kernel.Unavailable("no mount namespace")
    mount("none", "/", "none", _MS_REC | _MS_PRIVATE)
    mount(f"{copy}/etc", "/etc", "none", _MS_BIND)
    for path in ("/run", "/var/log"):
        mount("tmpfs", path, "tmpfs", 0)
    for name in ("dbus", "lock", "firewalld"):
        os.mkdir(f"/run/{name}")
    return copy


def files(name):
    """What stands in them."""
    found = {}
    for folder, _, names in os.walk(f"/etc/{name}"):
        for one in names:
            with open(os.path.join(folder, one), "rb") as file:
                found[os.path.join(folder, one)] = file.read()
    return found


class Ufw(unittest.TestCase):
    def test_ufw(self):
        with Machine() as machine:
            machine.tool("ufw", "--force", "enable")
            machine.tool("ufw", "allow", "22/tcp")
            machine.tool("ufw", "deny", "5000/udp")
            # Its first reload adds a rule of its own to ufw6-user-limit.
            machine.tool("ufw", "reload")
            before, written = machine.rules(), files("ufw")
            self.assertEqual(machine.open_ports(), set())
            result = machine.allow(protocol="both")
            self.assertEqual(["ufw allow 4000/udp" in steps(result)[0], "ufw allow 4000/tcp" in steps(result)[1]], [True, True])
            self.assertEqual(verified(result), ["pass", "pass"])
            self.assertEqual(machine.open_ports(), {"udp4 4000", "udp6 4000", "tcp4 4000", "tcp6 4000"})
            self.assertIn("comment 'p2pdiag ", machine.tool("ufw", "show", "added"))
            # Somebody's own rule is no matter of ours.
            self.assertEqual(machine.allow(port=5000, expect=1)["status"], "impossible")
            machine.undo()
            self.assertEqual((machine.rules(), files("ufw")), (before, written))

            machine.allow("--source", f"{PEER}/32")
            self.assertTrue(machine.gets_in())
            self.assertFalse(machine.gets_in(source=PEER_OTHER))
            # It lasts.
            machine.tool("ufw", "reload")
            self.assertTrue(machine.gets_in())
            machine.undo()
            self.assertEqual((machine.rules(), files("ufw")), (before, written))

            # Taken away by hand.
            machine.allow()
            machine.tool("ufw", "delete", "allow", "4000/udp")
            machine.undo()
            self.assertEqual((machine.rules(), files("ufw")), (before, written))
            machine.tool("ufw", "disable")


def put(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    os.chmod(path, mode)


class Files(unittest.TestCase):
    """--persistent, where rules written by hand come from a file that is known."""

    UNITS = "/etc/systemd/system/"

    def check(self, path, load, both):
        with open(path, "rb") as file:
            text, mode = file.read(), os.stat(path).st_mode
        with Machine() as machine:
            load(machine)
            before = machine.rules()
            opens = {"udp4 4000", "udp6 4000"} if both else {"udp4 4000"}
            shut = machine.open_ports()
            self.assertFalse(opens & shut)
            result = machine.allow("--persistent")
            self.assertEqual(verified(result), ["pass", "pass"], result)
            self.assertIn(path, steps(result)[1])
            self.assertEqual(machine.open_ports(), shut | opens)
            # The next start of the machine.
            load(machine)
            self.assertEqual(machine.open_ports(), shut | opens)
            self.assertEqual(os.stat(path).st_mode, mode)
            machine.undo()
            with open(path, "rb") as file:
                self.assertEqual(file.read(), text)
            self.assertEqual((os.stat(path).st_mode, machine.rules()), (mode, before))
            load(machine)
            self.assertEqual(machine.open_ports(), shut)
            self.assertEqual([name for name in os.listdir(os.path.dirname(path)) if "p2pdiag" in name], [])

    def test_nft(self):
        link = self.UNITS + "sysinit.target.wants/nftables.service"
        os.makedirs(os.path.dirname(link), exist_ok=True)
        if not os.path.lexists(link):
            os.symlink("/lib/systemd/system/nftables.service", link)
        for rules in ("policy drop;\n\t\tct state established accept", "policy accept;\n\t\ttcp dport 22 accept\n\t\tcounter drop # all"):
            put("/etc/nftables.conf", "#!/usr/sbin/nft -f\nflush ruleset\n\ntable inet filter {\n\tchain input {\n\t\t"
                f"type filter hook input priority 0; {rules}\n\t}}\n}}\n", 0o755)
            self.check("/etc/nftables.conf", lambda machine: machine.tool("nft", "-f", "/etc/nftables.conf"), True)

    def test_iptables(self):
        put(self.UNITS + "multi-user.target.wants/netfilter-persistent.service", "")
        if "nf_tables" not in kernel.run(["iptables", "--version"]):
            self.skipTest("iptables is the legacy one here")
        put("/etc/iptables/rules.v4", "# mine\n*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
            "-A INPUT -i lo -j ACCEPT\n-A INPUT -p udp -j DROP\nCOMMIT\n", 0o640)
        self.check("/etc/iptables/rules.v4", lambda machine: machine.tool("iptables-restore", "/etc/iptables/rules.v4"), False)

    def test_refused(self):
        """A file that does not say what is in force is left alone, with the rules."""
        with Machine() as machine:
            put("/etc/nftables.conf", "flush ruleset\n")
            machine.tool("nft", "-f", "-", text="table inet mine { chain in { type filter hook input priority 0; policy drop; }; }")
            before = machine.rules()
            done = machine.p2pdiag("firewall", "allow", "--port", "4000", "--persistent", "--yes", expect=1)
            self.assertIn("by hand", " ".join((done.stdout + done.stderr).split()))
            self.assertEqual(machine.rules(), before)


class Firewalld(unittest.TestCase):
    def started(self, machine):
        with open("/run/bus.conf", "w", encoding="ascii") as file:
            file.write(BUS)
        for argv in (["dbus-daemon", "--config-file=/run/bus.conf", "--nofork", "--nopidfile"],
                     ["firewalld", "--nofork", "--nopid"]):
            with machine.on(machine.host):
                process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                           stderr=subprocess.DEVNULL)
            self.addCleanup(process.wait)
            self.addCleanup(process.kill)
            for _ in range(600):
                if self.answers(machine, argv[0]):
                    break
                time.sleep(0.1)
            else:
                self.fail(f"{argv[0]} does not start")

    @staticmethod
    def answers(machine, name):
        if name == "dbus-daemon":
            return os.path.exists("/run/dbus/system_bus_socket")
        try:
            return "running" in machine.tool("firewall-cmd", "--state")
        except Refused:
            return False

    def test_firewalld(self):
        with Machine() as machine:
            self.started(machine)
            before = machine.rules()
            self.assertEqual(machine.open_ports(), set())
            result = machine.allow()
            self.assertIn("firewall-cmd --zone=public --add-port=4000/udp", steps(result)[0])
            self.assertEqual(verified(result), ["pass"])
            self.assertEqual(machine.open_ports(), {"udp4 4000", "udp6 4000"})
            machine.undo()
            self.assertEqual(machine.rules(), before)

            result = machine.allow("--source", f"{PEER}/32", "--persistent")
            self.assertEqual(len(steps(result)), 2)
            self.assertTrue(machine.gets_in())
            self.assertFalse(machine.gets_in(source=PEER_OTHER))
            machine.tool("firewall-cmd", "--reload")
            self.assertTrue(machine.gets_in())
            machine.undo()
            self.assertEqual(machine.rules(), before)
            machine.tool("firewall-cmd", "--reload")
            self.assertEqual(machine.rules(), before)

            # Without --persistent a reload ends it, and undo is content with that.
            machine.allow()
            machine.tool("firewall-cmd", "--reload")
            self.assertEqual(machine.open_ports(), set())
            machine.undo()
            self.assertEqual(machine.rules(), before)


if __name__ == "__main__":
    opening.P2PDIAG = os.path.abspath(sys.argv.pop(1))
    try:
        kernel.isolate()
        copy = own_files()
    except kernel.Unavailable as error:
        print("skipped:", error, file=sys.stderr)
        sys.exit(77)
    kernel.pin()
    try:
        unittest.main()
    finally:
        shutil.rmtree(copy, ignore_errors=True)
