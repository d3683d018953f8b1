"""Rulesets from a seed: the same seed, the same ruleset and the same probe, on every machine.

Biased, since a ruleset of pure chance drops nearly everything in its first lines: conditions mostly hold for the probe or
miss it by a little, and what delivers is drawn as often as what does not.
"""
import dataclasses
import random

import iptables_rules
import nft_rules
from routing_rules import RoutingRules
from kernel import BEHIND, BEHIND6, HOST, HOST6, HOST_BEHIND, HOST_OTHER, PEER, PEER6, PEER_OTHER


# Of seeds without contact, this percentage has rules of `ip rule`.
ROUTED = 30


@dataclasses.dataclass
class Probe:
    """The packet, and what else a rule may know of it."""
    protocol: str
    port: int
    source_port: int
    source: str
    to: str

    @property
    def six(self):
        return ":" in self.to

    @property
    def other_protocol(self):
        return "tcp" if self.protocol == "udp" else "udp"

    @property
    def family(self):
        return "ip6" if self.six else "ip"

    @property
    def other_family(self):
        return "ip" if self.six else "ip6"

    def arguments(self):
        return dataclasses.asdict(self)


class Draw(random.Random):
    """What a generator asks of chance."""

    def chance(self, percent):
        return self.random() * 100 < percent

    def weighted(self, **weights):
        return self.choices(list(weights), list(weights.values()))[0]

    def some(self, values, most):
        """One up to `most` different ones, in any order."""
        values = list(values)
        return self.sample(values, self.randint(1, min(most, len(values))))


@dataclasses.dataclass
class Scenario:
    seed: int
    probe: Probe
    ruleset: list
    # The host sends first, and the answer to that is the question; else a packet comes in unasked.
    contact: bool
    # Lines for `ip`: rules that choose among tables; none in most.
    routing: list


def _probe(draw):
    protocol = "udp" if draw.chance(65) else "tcp"
    port = 4000 if draw.chance(80) else 5000
    if draw.chance(30):
        return Probe(protocol, port, 7000, PEER6, BEHIND6 if draw.chance(5) else HOST6)
    # Few come from where they cannot come from, or are for another host.
    source = BEHIND if draw.chance(5) else draw.choice([PEER, PEER, PEER_OTHER])
    to = BEHIND if draw.chance(5) else draw.choice([HOST, HOST, HOST, HOST_OTHER, HOST_BEHIND])
    return Probe(protocol, port, 7000, source, to)


def _sysctls(draw):
    chosen = []
    if draw.chance(15):
        chosen += ["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"]
    if draw.chance(15):
        chosen.append(f"net.ipv4.conf.{draw.choice(['all', 'vb', 'vc'])}.rp_filter={draw.choice([1, 2])}")
    return [("sysctl", " ".join(chosen))] if chosen else []


def _routing(seed, probe, contact):
    # Drawn apart: the rest of a seed is what it was before there were any.
    draw = Draw(f"routing {seed}")
    return RoutingRules(draw, probe).lines() if not contact and draw.chance(ROUTED) else []


def generate(seed):
    draw = Draw(seed)
    probe = _probe(draw)
    contact = probe.protocol == "udp" and BEHIND not in (probe.source, probe.to) and probe.to != BEHIND6 and draw.chance(20)
    ruleset = _sysctls(draw)
    kind = draw.weighted(nft=58, legacy=12, iptables_nft=12, nft_and_legacy=9, nft_and_iptables_nft=5, all_three=4)
    parts = []
    if kind in ("nft", "nft_and_legacy", "nft_and_iptables_nft", "all_three"):
        parts += nft_rules.rulesets(draw, probe, contact)
    if kind in ("legacy", "nft_and_legacy", "all_three"):
        parts += iptables_rules.rulesets(draw, probe, "legacy")
    if kind in ("iptables_nft", "nft_and_iptables_nft", "all_three"):
        parts += iptables_rules.rulesets(draw, probe, "nft")
    draw.shuffle(parts)
    return Scenario(seed, probe, ruleset + parts, contact, _routing(seed, probe, contact))
