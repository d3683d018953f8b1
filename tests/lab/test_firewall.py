"""p2pdiag firewall allow on the client of a lab: a real packet from the internet gets in, and no more after undo."""
import os
import subprocess
import tempfile
import unittest

import lab
from lab import HOME, SERVER, arrives, endpoint, equal, on, output, true, udp

PORT, OTHER = 8000, 8001
FIREWALL = """table inet host {
 chain input {
  type filter hook input priority filter; policy drop;
  iifname "lo" accept
  ct state established,related accept
  meta l4proto ipv6-icmp accept
 }
}
"""


def gets_in(port):
    """Whether a packet from the internet reaches a program here; the answer to one of ours always does."""
    stranger, program = udp("server", SERVER), udp("client", HOME, port)
    friend, asking = udp("server", SERVER), udp("client", HOME)
    asking.sendto(b"?", endpoint(friend))
    friend.recvfrom(10)
    try:
        return arrives(stranger, (HOME, port), program, friend, endpoint(asking), asking)
    finally:
        for made in (stranger, program, friend, asking):
            made.close()


def p2pdiag(*arguments, expect=0):
    with on("client"):
        done = subprocess.run([lab.P2PDIAG, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
                              env={**os.environ, "XDG_STATE_HOME": "/run/p2pdiag-lab/state"})
    true(done.returncode == expect, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}")
    # Without the line breaks of a console.
    return " ".join((done.stdout + done.stderr).split())


def allowed_and_undone():
    before = output("client", "nft", "list", "ruleset")
    equal(gets_in(PORT), False, "before")
    said = p2pdiag("firewall", "allow", "--port", str(PORT), "--protocol", "udp", "--yes")
    true("udp dport 8000 accept" in said, said)
    equal((gets_in(PORT), gets_in(OTHER)), (True, False), "allowed")
    p2pdiag("undo", "--yes")
    equal((gets_in(PORT), output("client", "nft", "list", "ruleset")), (False, before), "undone")


CASES = (allowed_and_undone,)


class Firewall(unittest.TestCase):
    def file(self):
        file = tempfile.NamedTemporaryFile("w", suffix=".nft")
        file.write(FIREWALL)
        file.flush()
        self.addCleanup(file.close)
        return file.name

    def test_packet(self):
        lab.inside(allowed_and_undone, "--nat", "open", "--host-firewall", self.file())

    def test_command(self):
        """As a person types it, with the lab around it."""
        state = tempfile.TemporaryDirectory()
        self.addCleanup(state.cleanup)
        result = lab.lab("run", "--nat", "open", "--host-firewall", self.file(), "--", "firewall", "allow", "--port",
                         str(PORT), "--protocol", "udp", "--yes",
                         env={**os.environ, "XDG_STATE_HOME": state.name})
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn("let UDP port 8000 in", " ".join(result.stdout.split()))


if __name__ == "__main__":
    lab.main(CASES)
