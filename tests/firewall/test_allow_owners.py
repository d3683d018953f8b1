"""p2pdiag firewall allow with ufw and firewalld themselves, each on files and in a network of its own."""
import json
import os
import sys
import unittest

import kernel
import opening
import owners
from kernel import PEER, PEER_OTHER
from opening import Machine, steps, verified
from owners import enable_nft_file, files, put, start_firewalld


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
        enable_nft_file()
        for rules in ("policy drop;\n\t\tmeta l4proto ipv6-icmp accept", "policy accept;\n\t\tmeta l4proto ipv6-icmp accept\n\t\tcounter drop # all",
                      "policy accept;\n\t\tmeta l4proto ipv6-icmp accept\n\t\tlog prefix \"a # b  c\" counter drop comment \"all # x\""):
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
    def test_firewalld(self):
        with Machine() as machine:
            start_firewalld(self, machine)
            before = machine.rules()
            self.assertEqual(machine.open_ports(), set())
            result = machine.allow()
            self.assertIn("firewall-cmd --zone=public --add-port=4000/udp", steps(result)[0])
            self.assertEqual(verified(result), ["pass"], str(result)[-3000:])
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

            machine.tool("firewall-cmd", "--panic-on")
            done = machine.p2pdiag("firewall", "check", "--port", "4000", "--format", "json", expect=1)
            for verdict in json.loads(done.stdout)["verdicts"]:
                self.assertEqual(verdict["verdict"], "drop", verdict)
                self.assertIn("panic mode is on", verdict["why"])
                self.assertEqual(verdict["remedy"], ["sudo firewall-cmd --panic-off"])
            done = machine.p2pdiag("firewall", "allow", "--port", "4000", "--yes", expect=1)
            self.assertIn("firewall-cmd --panic-off", done.stdout + done.stderr)
            machine.tool("firewall-cmd", "--panic-off")
            self.assertEqual(machine.rules(), before)

            # Without --persistent a reload ends it, and undo is content with that.
            machine.allow()
            machine.tool("firewall-cmd", "--reload")
            self.assertEqual(machine.open_ports(), set())
            machine.undo()
            self.assertEqual(machine.rules(), before)


if __name__ == "__main__":
    opening.P2PDIAG = os.path.abspath(sys.argv.pop(1))
    owners.main()
