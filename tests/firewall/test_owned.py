"""A table that a running program owns (flags owner), which nft 1.0.6 does not always print whole as JSON.

    test_owned.py P2PDIAG
"""
import json
import subprocess
import sys
import time
import unittest

import kernel
import opening
from kernel import PEER
from opening import Machine, verified

OTHER = """table inet other {
 set s { type ipv4_addr; elements = { 11.2.3.4, 15.6.7.8 }; }
 chain input { type filter hook input priority 5; policy accept; udp dport 9 drop
 }
}
"""
BEHIND = """table ip last {
 chain input { type filter hook input priority 5; policy accept; udp dport 9 drop
 }
}
"""


class Keeper:
    """An nft that owns the table for as long as it runs."""

    def __init__(self, machine, table):
        with machine.on(machine.host):
            self._nft = subprocess.Popen(["nft", "-i"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        for line in (f"add table inet {table} {{ flags owner; }}",
                     f"add chain inet {table} input {{ type filter hook input priority 0; policy accept; }}",
                     f"add rule inet {table} input udp dport 4000 drop"):
            self._nft.stdin.write(line + "\n")
        self._nft.stdin.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._nft.stdin.close()
        self._nft.wait()


def is_whole(text):
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


class Owned(unittest.TestCase):
    def test_owned(self):
        broken = 0
        for table in ("own", "filter", "a_long_owned_name_for_it"):
            for before, behind in (("", ""), (OTHER, ""), (OTHER, BEHIND)):
                with self.subTest(table, before=before, behind=behind), Machine() as machine:
                    machine.tool("nft", "-f", "-", text=before)
                    with Keeper(machine, table):
                        for _ in range(100):
                            if "4000 drop" in machine.tool("nft", "list", "ruleset"):
                                break
                            time.sleep(0.05)
                        machine.tool("nft", "-f", "-", text=behind)
                        broken += not is_whole(machine.tool("nft", "-j", "list", "ruleset"))
                        for port, verdict in ((4000, "drop"), (5000, "accept")):
                            done = machine.p2pdiag("firewall", "check", "--port", str(port), "--protocol", "udp", "--from", PEER,
                                                   "--format", "json", expect=None)
                            said, = json.loads(done.stdout)["verdicts"]
                            self.assertEqual(said["verdict"], verdict, said["why"])
                            self.assertEqual(machine.probe(port=port)["delivered"], port if verdict == "accept" else None)
                            self.assertEqual(said["remedy"], [])
                        done = machine.p2pdiag("firewall", "allow", "--port", "4000", "--protocol", "udp", "--yes", expect=1)
                        self.assertIn("A running program owns that table", " ".join((done.stdout + done.stderr).split()))
                        if behind:
                            # A rule in a table beside it.
                            machine.tool("nft", "insert", "rule", "ip", "last", "input", "udp", "dport", "5000", "drop")
                            before_it = machine.rules()
                            self.assertEqual(verified(machine.allow(port=5000)), ["pass"])
                            self.assertTrue(machine.gets_in(5000))
                            machine.undo()
                            self.assertEqual(machine.rules(), before_it)
                            self.assertFalse(machine.gets_in(5000))
        print(f"{broken} listings were broken off", file=sys.stderr)


if __name__ == "__main__":
    opening.P2PDIAG = sys.argv.pop(1)
    kernel.main()
