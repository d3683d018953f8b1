"""What lies below a link and behind the rules: chains at the link of a macvlan, and policies of IPsec.

    test_beneath.py P2PDIAG
"""
import dataclasses
import json
import sys
import unittest

import kernel
import opening
from cases import nft
from kernel import HOST, PEER
from opening import Machine

MACVLAN = "10.9.0.4"


@dataclasses.dataclass
class Case:
    name: str
    ip: list
    passes: bool
    answered: bool
    verdict: str
    why: str = ""
    protocol: str = "udp"


def policy(words):
    return ["ip", "xfrm", "policy", *words.split()]


ESP = "tmpl proto esp mode transport"
CASES = [
    Case("no policy", [], True, True, "accept"),
    Case("one that wants the packet protected", [policy(f"add src {PEER} dst {HOST} dir in {ESP}")], False, False, "undecided",
         f"dir in src {PEER}/32 dst {HOST}/32"),
    Case("one that blocks it", [policy(f"add src 0.0.0.0/0 dst {HOST} dport 4000 proto udp dir in action block")], False, False,
         "undecided", "dport 4000"),
    Case("one for another sender", [policy(f"add src 10.9.0.77 dst {HOST} dir in {ESP}")], True, True, "accept"),
    Case("one for another protocol", [policy(f"add src {PEER} dst {HOST} proto tcp dir in {ESP}")], True, True, "accept"),
    Case("one for another port", [policy(f"add src {PEER} dst {HOST} proto udp dport 5000 dir in {ESP}")], True, True, "accept"),
    Case("one for what is sent on", [policy(f"add src {PEER} dst {HOST} dir fwd {ESP}")], True, True, "accept"),
    Case("one for marked packets", [policy(f"add src {PEER} dst {HOST} dir in mark 5 {ESP}")], True, True, "accept"),
    Case("one for packets of a link with a number", [policy(f"add src {PEER} dst {HOST} dir in if_id 9 {ESP}")], True, True,
         "accept"),
    Case("one that wants the answer protected", [policy(f"add src {HOST} dst {PEER} dir out {ESP}")], True, False,
         "undecided", "dir out"),
    Case("one that is behind another that lets it pass",
         [policy(f"add src {PEER} dst {HOST} dir in priority 9 {ESP}"), policy(f"add src {PEER} dst {HOST} proto udp dir in priority 2")],
         True, True, "accept"),
    Case("one before that", [policy(f"add src {PEER} dst {HOST} dir in priority 2 {ESP}"),
                             policy(f"add src {PEER} dst {HOST} proto udp dir in priority 9")], False, False, "undecided"),
    Case("a default that blocks", [policy("setdefault in block")], False, False, "undecided", "dir in src all dst all"),
    Case("by TCP", [policy(f"add src {PEER} dst {HOST} dir in {ESP}")], False, False, "undecided", protocol="tcp"),
]


def check(machine, protocol="udp", interface="vb"):
    done = machine.p2pdiag("firewall", "check", "--port", "4000", "--protocol", protocol, "--from", PEER, "--interface",
                           interface, "--format", "json", expect=None)
    verdict, = json.loads(done.stdout)["verdicts"]
    return verdict


def measure(case):
    with Machine() as machine:
        machine.show_rules()
        for command in case.ip:
            machine.tool(*command)
        return check(machine, case.protocol), machine.probe(case.protocol)


class Beneath(unittest.TestCase):
    def test_policies_of_ipsec(self):
        for case, (verdict, happened) in zip(CASES, kernel.each(measure, CASES)):
            with self.subTest(case.name):
                self.assertEqual(happened, {"delivered": 4000 if case.passes else None,
                                            "answer": "reply" if case.answered else None})
                self.assertEqual(verdict["verdict"], case.verdict, verdict["why"])
                self.assertIn(case.why, verdict["why"])

    def test_rules_at_the_link_of_a_macvlan(self):
        for rule, port, verdict in (("udp dport 5000 drop", None, "undecided"), ("udp dport 4000 drop", None, "undecided"),
                                    (None, 4000, "accept")):
            with self.subTest(rule), Machine() as machine:
                machine.show_rules()
                machine.tool("ip", "link", "add", "link", "vb", "name", "mv", "type", "macvlan", "mode", "bridge")
                machine.tool("ip", "addr", "add", f"{MACVLAN}/24", "dev", "mv")
                machine.tool("ip", "link", "set", "mv", "up")
                if rule:
                    machine.load(nft("table netdev t {\n chain i {\n  type filter hook ingress device vb priority 0; "
                                     f"policy accept;\n  {rule}\n }}\n}}\n"))
                # The answer must go by that link, as the whole network is beyond vb as well.
                machine.tool("ip", "route", "del", "10.9.0.0/24", "dev", "vb")
                said = check(machine, interface="mv")
                self.assertEqual(said["verdict"], verdict, said["why"])
                if rule:
                    self.assertIn("rules at the links that mv is made of", said["why"])
                if rule is None or "4000" in rule:
                    self.assertEqual(machine.probe(to=MACVLAN)["delivered"], port)

    def test_programs_at_the_link(self):
        qdisc = ("tc", "qdisc", "add", "dev", "vb")
        any_packet = ("u32", "match", "u32", "0", "0")
        on = ("tc", "filter", "add", "dev", "vb")
        tc = "filters of tc that are attached to vb"
        for commands, why in (([(*qdisc, "clsact")], None),
                              ([(*qdisc, "clsact"), (*on, "ingress", *any_packet)], tc),
                              ([(*qdisc, "clsact"), (*on, "egress", *any_packet)], tc),
                              ([(*qdisc, "ingress"), (*on, "parent", "ffff:", *any_packet)], tc),
                              ([("ip", "link", "set", "vb", "arp", "off")], "switched off on vb")):
            with self.subTest(commands[-1]), Machine() as machine:
                machine.show_rules()
                for command in commands:
                    machine.tool(*command)
                said = check(machine)
                self.assertEqual(said["verdict"], "undecided" if why else "accept", said["why"])
                self.assertIn(why or "", said["why"])


if __name__ == "__main__":
    opening.P2PDIAG = sys.argv.pop(1)
    kernel.main()
