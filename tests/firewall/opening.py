"""p2pdiag firewall allow on the kernel's own firewall: what it opens, and that undo leaves no trace."""
import json
import os
import re
import subprocess
import tempfile

from cases import V6, nft
from kernel import PEER, PEER6, Network, run

P2PDIAG = None


class Machine(Network):
    """With a journal of its own, on the host."""

    def __init__(self):
        self._state = tempfile.TemporaryDirectory()
        # A connection that once was let in stays so: each trial has a sender's port of its own.
        self._source_port = 20000
        self.journal = os.path.join(self._state.name, "p2pdiag", "changes")
        super().__init__()
        # Whoever is not near is behind the peer.
        self.tool("ip", "route", "add", "default", "via", PEER)
        self.tool("ip", "-6", "route", "add", "default", "via", PEER6)

    def close(self):
        self._state.cleanup()
        super().close()

    def p2pdiag(self, *arguments, expect=0, prefix=()):
        with self.on(self.host):
            done = subprocess.run([*prefix, P2PDIAG, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=120, env={**os.environ, "XDG_STATE_HOME": self._state.name})
        if expect is not None and done.returncode != expect:
            raise AssertionError(f"{' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def allow(self, *options, protocol="udp", port=4000, expect=0):
        done = self.p2pdiag("firewall", "allow", "--port", str(port), "--protocol", protocol, "--yes", "--format", "json",
                            *options, expect=expect)
        return json.loads(done.stdout)

    def show_rules(self):
        """A table without a rule. In a user namespace no rules at all may be another network's, and are no answer."""
        self.load(nft("table inet seen {\n}\n"))

    def undo(self):
        return self.p2pdiag("undo", "--all", "--yes").stdout

    def rules(self):
        """Everything that a firewall says here, without times and counters; legacy tables only where there are some."""
        with self.on(self.host):
            text = run(["nft", "list", "ruleset"])
            for name in ("ip", "ip6"):
                for kind in ("nft", "legacy"):
                    with open(f"/proc/thread-self/net/{name}_tables_names", encoding="ascii") as file:
                        there = file.read()
                    if kind == "nft" or there:
                        text += run([f"{name}tables-{kind}-save"])
        text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
        text = re.sub(r"\[\d+:\d+\]", "[]", text)
        return re.sub(r"packets \d+ bytes \d+", "packets bytes", text)

    def gets_in(self, port=4000, **probe):
        self._source_port += 1
        return self.probe(port=port, source_port=self._source_port, **probe)["delivered"] == port

    def open_ports(self):
        """What of the ports 4000 and 5000 gets in: "udp4 4000", …"""
        found = set()
        for protocol in ("udp", "tcp"):
            for family, to in (("4", {}), ("6", V6)):
                for port in (4000, 5000):
                    if self.gets_in(port, protocol=protocol, **to):
                        found.add(f"{protocol}{family} {port}")
        return found


def steps(result):
    return [step["title"] for step in result["steps"]]


def verified(result):
    return [step["verify"]["status"] for step in result["steps"]]

