"""The evaluator against the kernel: rulesets from seeds, each loaded into a fresh namespace, a real packet sent.

    test_generated.py PROGRAM                    as in every test run
    test_generated.py PROGRAM --seeds 0 10000    a longer run; prints the numbers
    test_generated.py PROGRAM --show SEED        one ruleset, what the kernel did, what the evaluator says

No definite verdict may be wrong, and at most 2 % may be open for want of understanding. What truly depends (on a rate, a
clock) is counted apart.
"""
import collections
import json
import sys
import unittest

import generator
import kernel
from evaluator import Evaluator, from_anywhere, packet_in, packet_out, wrong

PROGRAM = None
SEEDS = range(400)
MOST_UNDECIDED = 0.02


def measure(seed):
    """What the kernel shows and does: the record, the fate of a first packet, and of an answer to one of ours."""
    scenario = generator.generate(seed)
    probe = scenario.probe
    try:
        with kernel.Network() as network:
            network.load([*scenario.ruleset, *([("ip", "\n".join(scenario.routing))] if scenario.routing else [])])
            recorded = network.record()
            if scenario.routing:
                recorded["world"]["links"] = network.links(PROGRAM)
            unasked = network.probe(**probe.arguments())
        contact = None
        if scenario.contact:
            with kernel.Network() as network:
                network.load(scenario.ruleset)
                contact = network.contact(probe.port, probe.source, probe.source_port)
        return recorded, unasked, contact, None
    except kernel.Refused as error:
        return None, None, None, str(error)


def stops_answers(recorded):
    """Whether a chain may have a say over what the host sends back."""
    hooks = any(f"hook {hook}" in recorded["nft_text"] for hook in ("output", "postrouting", "egress"))
    return hooks or bool(recorded["iptables_legacy"] + recorded["ip6tables_legacy"])


def judge(evaluator, seed, recorded, unasked, contact):
    """(question, verdict, why it is wrong) for every question that the seed answers."""
    scenario = generator.generate(seed)
    probe = scenario.probe
    packet = packet_in(**probe.arguments())
    # Not all answers come back the way that the packet came.
    stopped = stops_answers(recorded) or probe.source == kernel.BEHIND or bool(scenario.routing)
    verdict = evaluator.ask(recorded, packet)
    if scenario.routing:
        of_port = evaluator.ask(recorded, packet, "port")
        yield "exchange", of_port, wrong_of_exchange(of_port, unasked)
        # Where its answer has no way, nothing comes of the first packet of a TCP connection.
        if probe.protocol == "tcp" and of_port["kind"] != "accept" and unasked["delivered"] is None:
            return
        # What rules send on is seen only where it leaves by vc, for a neighbour that is known.
        local = verdict["delivery"] and verdict["delivery"]["local"]
        if verdict["kind"] == "accept" and not local and unasked["delivered"] is None:
            return
    yield "fresh", verdict, wrong(verdict, unasked, stopped)
    verdict = evaluator.ask(recorded, from_anywhere(packet))
    yield "from anywhere", verdict, wrong(verdict, unasked, stopped)
    if contact is None:
        return
    if contact["seen"] == probe.port and "notrack" not in str(scenario.ruleset):
        # Our packet went out as it was, so what came back was an answer as the evaluator means it.
        verdict = evaluator.ask(recorded, packet, "inbound")
        passes = {"reply-only": True, "drop": False, "reject": False}.get(verdict["kind"])
        bad = passes is not None and passes != contact["answered"]
        yield "port", verdict, f"answers pass: {passes}" if bad else None
    verdict = evaluator.ask(recorded, packet_out(probe.to if probe.six else kernel.HOST, probe.port, probe.source,
                                                 probe.source_port), "punching")
    passes = verdict["passes"]
    if verdict["kind"] in ("accept", "drop", "reject"):
        passes = verdict["kind"] == "accept"
    bad = passes is not None and passes != contact["answered"]
    yield "punching", verdict, f"passes: {passes}" if bad else None


def wrong_of_exchange(verdict, kernel):
    """The same of a verdict on the first packet, its answer, and all that there must be beside them."""
    kind, delivery = verdict["kind"], verdict["delivery"]
    happened = kernel["delivered"] is not None and kernel["answer"] == "reply"
    if kind == "accept" and delivery and delivery["local"] and not happened:
        return "the port is open"
    # Neighbours are known beforehand here, and of a connection the first answer is looked at alone.
    if kind in ("drop", "reject") and "no answer to it leaves" in verdict["why"] and kernel["answer"] == "reply":
        return "no answer leaves"
    return None


class Count:
    """What a run has shown."""

    def __init__(self):
        self.verdicts = collections.defaultdict(collections.Counter)
        self.wrong, self.undecided, self.refused, self.passed = [], [], [], 0

    def run(self, seeds):
        with Evaluator(PROGRAM) as evaluator:
            for seed, (recorded, unasked, contact, error) in zip(seeds, kernel.each(measure, seeds)):
                if error:
                    self.refused.append((seed, error))
                    continue
                self.passed += unasked["delivered"] is not None
                for question, verdict, why in judge(evaluator, seed, recorded, unasked, contact):
                    self.verdicts[question][verdict["kind"]] += 1
                    if why:
                        self.wrong.append(f"seed {seed}, {question}: {why}; kernel: {unasked}, {contact}; {verdict}")
                    if question == "fresh" and verdict["kind"] == "undecided":
                        self.undecided.append(f"seed {seed}: {verdict['why']} {verdict['open']}")
        return self

    def share_undecided(self):
        return len(self.undecided) / max(1, sum(self.verdicts["fresh"].values()))

    def report(self):
        for question, counter in self.verdicts.items():
            print(f"{question:14}", "  ".join(f"{kind} {count}" for kind, count in counter.most_common()))
        print(f"delivered {self.passed}, undecided {self.share_undecided():.2%}, wrong {len(self.wrong)}, "
              f"not loaded {len(self.refused)}")
        for line in [*self.wrong[:20], *self.undecided[:20], *map(str, self.refused[:5])]:
            print("  ", line)


class Generated(unittest.TestCase):
    def test_verdicts_are_true(self):
        count = Count().run(SEEDS)
        count.report()
        self.assertEqual(count.wrong, [])
        self.assertLessEqual(count.share_undecided(), MOST_UNDECIDED, count.undecided)
        # The generator itself: what it makes can be loaded, and is no pile of drops.
        self.assertEqual(count.refused, [])
        self.assertTrue(0.3 < count.passed / len(SEEDS) < 0.7, count.passed)

    def test_the_same_seed_makes_the_same_ruleset(self):
        for seed in range(50):
            self.assertEqual(generator.generate(seed), generator.generate(seed))


def show(seed):
    scenario = generator.generate(seed)
    for tool, text in scenario.ruleset:
        print(f"--- {tool}\n{text}")
    print("--- probe", scenario.probe)
    recorded, unasked, contact, error = measure(seed)
    print("--- kernel", unasked, contact, error)
    with Evaluator(PROGRAM) as evaluator:
        for question, verdict, why in judge(evaluator, seed, recorded, unasked, contact):
            print("---", question, "WRONG: " + why if why else "", json.dumps(verdict, indent=1))


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    if "--seeds" in sys.argv or "--show" in sys.argv:
        kernel.isolate()
        kernel.pin()
        if "--show" in sys.argv:
            sys.exit(show(int(sys.argv[2])))
        counted = Count().run(range(int(sys.argv[2]), int(sys.argv[3])))
        counted.report()
        sys.exit(1 if counted.wrong or counted.share_undecided() > MOST_UNDECIDED else 0)
    kernel.main()
