"""The rules of ufw, firewalld, docker, podman and miniupnpd as these programs wrote them (recorded/record says which
versions): what the kernel does under them, what the evaluator says, and whose rule it names."""
import dataclasses
import pathlib
import re
import sys
import unittest

import kernel
from cases import SILENCE, TCP, V6, delivered, refused
from evaluator import Evaluator, packet_in, wrong
from kernel import BEHIND, PORTS, Network

PROGRAM = None
RECORDED = pathlib.Path(__file__).parent / "recorded"

# The names and addresses of the place of recording, as the network of these tests has them.
HERE = {
    "docker": {"docker0": "vc", "172.17.0.2": BEHIND, "172.17.0.0/16": "10.8.0.0/24"},
    "podman": {"10.88.0.2": BEHIND, "10.88.0.0/16": "10.8.0.0/24"},
    "miniupnpd": {"wan0": "vb", "lan0": "vc", "11.22.33.7": "10.9.0.2", "192.168.7.2": BEHIND,
                  "192.168.7.0/24": "10.8.0.0/24", "0xc0a80702": "0x0a08004d",
                  # miniupnpd wrote past nft, which prints this and would not read it again.
                  "th dport 4000 dnat": "meta l4proto udp th dport 4000 dnat"},
}
FORWARDING = ("sysctl", "net.ipv4.ip_forward=1")
BEHIND_4000 = {"delivered": f"{BEHIND} 4000", "answer": None}
# There is no way back to this one.
STRANGER = {"source": "10.9.0.66"}
UNHEARD = {"delivered": 4000, "answer": None}


def recorded(name, **more):
    text = (RECORDED / name).read_text()
    for there, here in (HERE.get(name.partition(".")[0], {}) | more).items():
        text = re.sub(rf"(?<![0-9.]){re.escape(there)}(?![0-9])", here, text)
    return text


def beside(name, **more):
    """To be loaded into what is there, whose policies stay; Docker alone sets one, that of FORWARD."""
    text = recorded(name, **more)
    return "iptables-nft+", "".join(line for line in text.splitlines(True)
                                    if not re.match(r":(PREROUTING|INPUT|OUTPUT|POSTROUTING) ", line))


def ufw(kind):
    return [(f"iptables-{kind}", recorded("ufw.iptables")), (f"ip6tables-{kind}", recorded("ufw.ip6tables"))]


@dataclasses.dataclass
class Case:
    name: str
    ruleset: list
    probe: dict
    kernel: dict
    verdict: str
    # Of the deciding rule; None: no rule speaks.
    owner: str
    port_verdict: str = None


def cases():
    for kind in ("nft", "legacy"):
        rules, name = ufw(kind), f"ufw with iptables-{kind}"
        yield Case(f"{name}: an allowed port", rules, {}, delivered(), "accept", "ufw")
        yield Case(f"{name}: an allowed port, IPv6", rules, V6, delivered(), "accept", "ufw")
        yield Case(f"{name}: another port", rules, {"port": 5000}, SILENCE, "drop", "ufw", "reply-only")
        yield Case(f"{name}: another port, IPv6", rules, {"port": 5000, **V6}, SILENCE, "drop", "ufw", "reply-only")
        yield Case(f"{name}: the port by TCP", rules, TCP, SILENCE, "drop", "ufw", "reply-only")
        yield Case(f"{name}: allowed before the sender was denied", rules, STRANGER, UNHEARD, "accept", "ufw")
        yield Case(f"{name}: a sender who is denied", rules, {"port": 5353, **STRANGER}, SILENCE, "drop", "ufw", "reply-only")
        yield Case(f"{name}: allowed for the neighbours", rules, {"port": 5353}, delivered(5353), "accept", "ufw")
        yield Case(f"{name}: a rejected port", rules, {"port": 113, **TCP}, refused("tcp reset"), "reject", "ufw", "reply-only")
        yield Case(f"{name}: a port with a limit", rules, {"port": 2222, **TCP}, delivered(2222), "depends", "ufw")

    rules = [("nft", recorded("firewalld.nft"))]
    yield Case("firewalld: an open port", rules, {}, delivered(), "accept", "firewalld")
    yield Case("firewalld: an open port, IPv6", rules, V6, delivered(), "accept", "firewalld")
    yield Case("firewalld: another port", rules, {"port": 5000}, refused("admin-prohibited"), "reject", "firewalld",
               "reply-only")
    yield Case("firewalld: another port, IPv6", rules, {"port": 5000, **V6}, refused("admin-prohibited"), "reject",
               "firewalld", "reply-only")
    yield Case("firewalld: a forwarded port", rules, {"port": 4001}, delivered(5000), "accept", "firewalld")
    yield Case("firewalld: a sender of another zone", rules, {"port": 5000, "source": BEHIND},
               {"delivered": 5000, "answer": None}, "accept", "firewalld")
    yield Case("firewalld: a sender who is rejected", rules, STRANGER, SILENCE, "reject", "firewalld", "reply-only")

    docker = ("iptables-nft", recorded("docker.iptables"))
    yield Case("docker: a published port", [FORWARDING, docker], {}, BEHIND_4000, "accept", "docker")
    yield Case("docker: published for this machine alone", [FORWARDING, docker], {"port": 5000}, delivered(5000),
               "accept", None)
    yield Case("docker with iptables-legacy", [FORWARDING, ("iptables-legacy", docker[1])], {}, BEHIND_4000, "accept",
               "docker")
    other = beside("docker.iptables", **{"4000": "4500"})
    yield Case("docker beside ufw: what is published passes ufw by", [FORWARDING, *ufw("nft"), other], {"port": 4500},
               {"delivered": f"{BEHIND} 4500", "answer": None}, "accept", "docker")
    yield Case("docker beside ufw: the rest is ufw's", [FORWARDING, *ufw("nft"), other], {"port": 5000}, SILENCE, "drop",
               "ufw", "reply-only")
    podman = ("iptables-nft", recorded("podman.iptables"))
    yield Case("podman: a published port", [FORWARDING, podman], {}, BEHIND_4000, "accept", "podman")
    yield Case("podman beside docker: docker's policy stops what podman published",
               [FORWARDING, podman, beside("docker.iptables", **{"4000": "4500", BEHIND: "10.8.0.78"})],
               {}, SILENCE, "drop", "docker", "reply-only")
    router = [FORWARDING, ("nft", recorded("miniupnpd.nft"))]
    # Both tables of the router let it through: the one that speaks last is the router's own.
    yield Case("miniupnpd: a mapped port", router, {}, BEHIND_4000, "accept", "nft")
    yield Case("miniupnpd: another port", router, {"port": 5000}, SILENCE, "drop", "nft", "reply-only")


CASES = list(cases())


def measure(case):
    listeners = [(address, port) for address in ("0.0.0.0", "::") for port in (*PORTS, 113, 2222, 5353)]
    with Network(listeners) as network:
        try:
            network.load(case.ruleset)
        except kernel.Refused as error:
            return str(error), None
        record = network.record()
        return record, network.probe(**case.probe)


class Recorded(unittest.TestCase):
    def test_each(self):
        with Evaluator(PROGRAM) as evaluator:
            for case, (record, fate) in zip(CASES, kernel.each(measure, CASES)):
                with self.subTest(case.name):
                    if fate is None:
                        self.skipTest(f"this kernel does not take the rules: {record}")
                    self.assertEqual(fate, case.kernel)
                    packet = packet_in(**case.probe)
                    said = evaluator.ask(record, packet)
                    self.assertEqual(said["kind"], case.verdict, said)
                    self.assertIsNone(wrong(said, fate, case.probe.get("source") == "10.9.0.66"), said)
                    self.assertEqual(said["rule"] and said["rule"]["owner"], case.owner, said)
                    port = evaluator.ask(record, packet, "inbound")
                    self.assertEqual(port["kind"], case.port_verdict or case.verdict, port)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    kernel.main()
