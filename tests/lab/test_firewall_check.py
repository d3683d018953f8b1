"""`p2pdiag firewall check` and the firewall checks on a machine with a ruleset and programs of its own, in the lab."""
import contextlib
import json
import os
import socket
import subprocess
import tempfile
import unittest

import lab
from lab import equal, true

RULES = """table inet host {
 chain input {
  type filter hook input priority filter; policy drop;
  iif "lo" accept
  ct state established,related accept
  icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
  udp dport 8001 accept
  tcp dport 8001 reject with tcp reset
  ip saddr 11.22.33.0/24 udp dport 8002 accept
 }
 chain output {
  type filter hook output priority filter; policy accept;
  udp dport 3478 drop
 }
}
"""


def host():
    return lab.P2PDIAG


def check(*arguments, code=None):
    done = subprocess.run([host(), "firewall", "check", "--format", "json", *arguments], capture_output=True, text=True)
    if code is not None:
        equal(done.returncode, code, done.stderr)
    return json.loads(done.stdout)["verdicts"]


@contextlib.contextmanager
def listening(address, port, kind=socket.SOCK_DGRAM):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, kind) as held:
        held.bind((address, port))
        if kind == socket.SOCK_STREAM:
            held.listen()
        yield


def verdicts():
    """The rule that decides, and what becomes of each protocol."""
    by_port = {port: check("--port", str(port), code=code) for port, code in ((8000, 1), (8001, 1))}
    for verdict in by_port[8000]:
        equal(verdict["verdict"], "reply-only", verdict)
        equal(verdict["deciding_rule"]["text"], "policy drop", verdict)
        equal(verdict["deciding_rule"]["owner"], "nft", verdict)
        true(any("firewall allow --port 8000" in line for line in verdict["remedy"]), verdict)
    kinds = {verdict["protocol"]: verdict["verdict"] for verdict in by_port[8001]}
    equal(kinds, {"udp": "accept", "tcp": "reply-only"}, by_port[8001])
    tcp = next(verdict for verdict in by_port[8001] if verdict["protocol"] == "tcp")
    equal(tcp["deciding_rule"]["text"], "tcp dport 8001 reject with tcp reset", tcp)
    equal({verdict["verdict"] for verdict in check("--port", "8001", "--protocol", "udp", code=0)}, {"accept"}, "udp")
    # By whom: a neighbour, and everybody else.
    equal(check("--port", "8002", "--protocol", "udp", "--from", "11.22.33.5", code=0)[0]["verdict"], "accept", "near")
    far = next(verdict for verdict in check("--port", "8002", "--protocol", "udp", code=1)
               if verdict["family"] == "ipv4")
    equal((far["verdict"], far["some_differ"]), ("reply-only", True), far)


def listeners():
    """Rejected, closed and bound to loopback are three things, which look alike from outside."""
    def state(port, *more):
        found = check("--port", str(port), "--protocol", "udp", *more)
        return next(verdict["listener"] for verdict in found if verdict["family"] == "ipv4")
    equal(state(8001)["state"], "nobody", "closed")
    with listening("127.0.0.1", 8001):
        equal(state(8001)["state"], "loopback-only", "loopback")
    with listening("::ffff:127.0.0.1", 8001):
        found = state(8001)
        equal((found["state"], found["address"]), ("loopback-only", "127.0.0.1:8001"), found)
        equal([process["pid"] for process in found["processes"]], [os.getpid()], found)
    with listening("0.0.0.0", 8001):
        found = state(8001)
        equal(found["state"], "listening", found)
        equal(found["address"], "0.0.0.0:8001", found)
        equal([process["pid"] for process in found["processes"]], [os.getpid()], found)
    with listening("0.0.0.0", 8001, socket.SOCK_STREAM):
        equal(state(8001)["state"], "nobody", "another protocol")


def checks():
    done = subprocess.run([host(), "--profile", "lab", "run", "firewall.*", "--format", "json"], capture_output=True,
                          text=True)
    report = json.loads(done.stdout)
    status = {one["id"]: one["status"] for one in report["checks"]}
    equal(status, {"firewall.inbound": "warn", "firewall.outbound": "fail", "firewall.punching": "pass"}, done.stdout)
    blocked = [finding for finding in report["findings"] if finding["code"] == "firewall.outbound-blocked"]
    true(blocked and all("UDP port 3478" in finding["message"] for finding in blocked), report["findings"])
    equal({finding["evidence"]["deciding_rule"]["text"] for finding in blocked}, {"udp dport 3478 drop"}, blocked)


def files():
    """The same verdict from what was written down, and of a machine where nothing may be read."""
    with tempfile.TemporaryDirectory() as place:
        path = place + "/rules.json"
        with open(path, "w") as file:
            subprocess.run(["nft", "-j", "list", "ruleset"], stdout=file, check=True)
        for port, kind in ((8000, "reply-only"), (8001, "accept")):
            for verdict in check("--ruleset", path, "--port", str(port), "--protocol", "udp"):
                equal(verdict["verdict"], kind, verdict)
        text = subprocess.run([host(), "firewall", "check", "--ruleset", path, "--port", "8000", "--trace"],
                              capture_output=True, text=True)
        equal(text.returncode, 1, text.stderr)
        true(text.stdout.startswith("UDP 8000 by IPv4: reply-only\n"), text.stdout)
        true("inet host input" in text.stdout, text.stdout)


CASES = [verdicts, listeners, checks, files]


class FirewallCheck(unittest.TestCase):
    def test_cases(self):
        with tempfile.NamedTemporaryFile("w", suffix=".nft") as file:
            file.write(RULES)
            file.flush()
            for case in CASES:
                with self.subTest(case.__name__):
                    os.environ["P2PDIAG"] = lab.P2PDIAG
                    lab.inside(case, "--nat", "open", "--host-firewall", file.name)


if __name__ == "__main__":
    lab.main(CASES)
