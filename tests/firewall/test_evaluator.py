"""The cases to which the kernel was held in test_kernel.py, put to the evaluator."""
import sys
import unittest

import kernel
from cases import CASES, chain, nft
from evaluator import Evaluator, from_anywhere, packet_in, packet_out, wrong

PROGRAM = None


def record(case):
    with kernel.Network(case.listeners) as network:
        network.load(case.ruleset)
        return network.record()


class Cases(unittest.TestCase):
    def test_each(self):
        with Evaluator(PROGRAM) as evaluator:
            for case, recorded in zip(CASES, kernel.each(record, CASES)):
                with self.subTest(f"{case.row}: {case.name}"):
                    packet = packet_in(**case.probe)
                    said = evaluator.ask(recorded, packet)
                    self.assertEqual(said["kind"], case.verdict, said)
                    of_port = evaluator.ask(recorded, packet, "inbound")
                    self.assertEqual(of_port["kind"], case.port_verdict or case.verdict, of_port)
                    # Of an open port on which nobody listens the rules know nothing.
                    if case.listeners is None:
                        of_anyone = evaluator.ask(recorded, from_anywhere(packet))
                        for verdict in (said, of_port, of_anyone):
                            self.assertIsNone(wrong(verdict, case.kernel), verdict)

    def test_10_what_is_blocked_in_either_order_is_known_to_be(self):
        with Evaluator(PROGRAM) as evaluator:
            for case, recorded in zip(CASES, kernel.each(record, CASES)):
                if case.row == 10 and case.verdict == "undecided":
                    self.assertIs(evaluator.ask(recorded, packet_in(), "inbound")["passes"], False)


class Sequences(unittest.TestCase):
    def ask(self, ruleset, packet, question, prepare=None):
        with kernel.Network() as network, Evaluator(PROGRAM) as evaluator:
            network.load(ruleset)
            if prepare:
                prepare(network)
            return evaluator.ask(network.record(), packet, question)["kind"]

    def test_14_punching_works_where_only_answers_come_in(self):
        ruleset = nft(chain("ct state established accept", "drop"))
        packet = packet_out("10.9.0.2", 4000, "10.9.0.1", 7000)
        self.assertEqual(self.ask(ruleset, packet, "punching"), "accept")
        self.assertEqual(self.ask(nft(chain("", "drop")), packet, "punching"), "drop")
        self.assertEqual(self.ask(nft(chain("udp dport 7000 drop", hook="output")), packet, "punching"), "drop")

    def test_17_a_renamed_interface(self):
        renamed = packet_in(interface="renamed")
        for rule, verdict in (('iif "vb" accept', "accept"), ('iifname "vb" accept', "drop")):
            self.assertEqual(self.ask(nft(chain(rule, "drop")), renamed, "inbound", lambda n: n.rename("renamed")), verdict)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    kernel.main()
