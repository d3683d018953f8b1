"""p2pdiag firewall allow killed by kill -9 at every moment at which it asks a tool, and all of it taken back by undo."""
import contextlib
import ctypes
import os
import shutil
import sys
import unittest

import opening
import owners
from cases import chain, nft
from opening import Machine
from owners import enable_nft_file, files, mount, put, start_firewalld

# Stands in for a tool, and kills the p2pdiag that waits for it at the wanted call while it applies or verifies: `before` the tool
# begins, which then outlives its p2pdiag and does its work a while later, or `after` it is done.
KILLER = """#!/bin/sh
if [ -e /run/killer/armed ] && tr '\\0' ' ' <"/proc/$PPID/cmdline" | grep -qE ' (apply|verify) '; then
    read -r at when </run/killer/armed
    calls=$(($(cat /run/killer/calls) + 1))
    echo "$calls" >/run/killer/calls
    if [ "$calls" = "$at" ]; then
        rm /run/killer/armed
        echo "$*" >/run/killer/told
        p2pdiag=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$PPID/status")
        if [ "$when" = before ]; then
            kill -9 "$p2pdiag"
            sleep 0.5
            TOOL "$@" >/dev/null 2>&1
        else
            TOOL "$@" >/dev/null 2>&1
            kill -9 "$p2pdiag"
        fi
        exit 0
    fi
fi
exec TOOL "$@"
"""


@contextlib.contextmanager
def deadly(tool):
    path = os.path.realpath(shutil.which(tool))
    os.makedirs("/run/killer", exist_ok=True)
    kept = "/run/killer/" + os.path.basename(path)
    shutil.copy(path, kept)
    # What is many tools is told which one it is called as.
    name = ' "${0##*/}"' if path.endswith("-multi") else ""
    put(f"/run/killer/{tool}.sh", KILLER.replace("TOOL", kept + name), 0o755)
    mount(f"/run/killer/{tool}.sh", path, "none", 4096)
    try:
        yield
    finally:
        ctypes.CDLL(None).umount2(path.encode(), 2)


def arm(at, when):
    put("/run/killer/calls", "0\n")
    put("/run/killer/armed", f"{at} {when}\n")
    with contextlib.suppress(FileNotFoundError):
        os.remove("/run/killer/told")


class Killed(unittest.TestCase):
    def check(self, machine, tool, moments, *options, folder=None):
        """`moments`: the number of the call, whether it is killed before or after, and a word of what the tool was told."""
        def state():
            return machine.rules(), {} if folder is None else files(folder)
        before = state()
        with deadly(tool):
            for at, when, word in moments:
                arm(at, when)
                machine.p2pdiag("firewall", "allow", "--port", "4000", "--protocol", "udp", "--yes", *options, expect=-9)
                with self.subTest(tool=tool, at=at, when=when):
                    # At once, however much the tool has still to do.
                    machine.undo()
                    with open("/run/killer/told", encoding="ascii") as file:
                        self.assertIn(word, file.read())
                    self.assertEqual(state(), before)
                    self.assertIn("nothing to take back", machine.undo())
            # There was something to take back.
            arm(moments[-1][0], "after")
            machine.p2pdiag("firewall", "allow", "--port", "4000", "--protocol", "udp", "--yes", *options, expect=-9)
            self.assertNotEqual(state(), before)
            machine.undo()
            self.assertEqual(state(), before)

    def test_nft(self):
        with Machine() as machine:
            machine.load(nft(chain("meta l4proto ipv6-icmp accept\n  tcp dport 22 accept\n  counter drop")))
            self.check(machine, "nft", [(1, "before", "list ruleset"), (2, "before", '"insert"'), (2, "after", '"insert"'),
                                        (3, "before", "list ruleset")])

    def test_file(self):
        enable_nft_file()
        path = "/etc/nftables.conf"
        put(path, "#!/usr/sbin/nft -f\nflush ruleset\n\ntable inet filter {\n\tchain input {\n\t\t"
            "type filter hook input priority 0; policy drop;\n\t\tmeta l4proto ipv6-icmp accept\n\t\ttcp dport 22 accept # ssh\n\t}\n}\n", 0o755)
        with Machine() as machine:
            machine.tool("nft", "-f", path)
            self.check(machine, "nft", [(1, "after", '"add"'), (3, "before", f"-f {path}"), (5, "before", f"-f {path}.p2pdiag"),
                                        (6, "after", "list ruleset"), (7, "before", "list ruleset")], "--persistent",
                       folder=".")

    def check_iptables(self, kind, *moments):
        """A step for IPv4 and one for IPv6; each asks for the version, lists the rules and inserts one."""
        rules = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp -j ACCEPT\n-A INPUT -j DROP\nCOMMIT\n"
        with Machine() as machine:
            machine.load([(f"iptables-{kind}", rules), (f"ip6tables-{kind}", rules.replace("-p tcp", "-p ipv6-icmp"))])
            self.check(machine, f"iptables-{kind}", [(at, when, "-I INPUT 2") for at, when in moments])

    def test_iptables_nft(self):
        self.check_iptables("nft", (3, "before"), (3, "after"), (6, "after"))

    def test_iptables_legacy(self):
        # Its lock is root's alone.
        if not os.access("/run", os.W_OK):
            self.skipTest("not as root")
        self.check_iptables("legacy", (3, "before"), (6, "after"))

    def test_ufw(self):
        with Machine() as machine:
            machine.tool("ufw", "--force", "enable")
            machine.tool("ufw", "allow", "22/tcp")
            # Its first reload adds a rule of its own to ufw6-user-limit.
            machine.tool("ufw", "reload")
            self.check(machine, "ufw", [(1, "before", "show added"), (2, "before", "allow 4000/udp")], folder="ufw")
            machine.tool("ufw", "disable")

    def test_firewalld(self):
        with Machine() as machine:
            start_firewalld(self, machine)
            self.check(machine, "firewall-cmd", [(1, "before", "--query-port=4000/udp"), (2, "before", "--add-port=4000/udp")])


if __name__ == "__main__":
    opening.P2PDIAG = os.path.abspath(sys.argv.pop(1))
    owners.main()
