"""What the firewall evaluator builds on, asked of the kernel that runs here."""
import json
import subprocess
import unittest

import kernel
from cases import ACCEPT_4000, CASES, SILENCE, chain, delivered, legacy, nft, refused
from kernel import HOST, Network


def judge(case):
    with Network(case.listeners) as network:
        network.load(case.ruleset)
        return network.probe(**case.probe)


class Cases(unittest.TestCase):
    def test_each(self):
        for case, result in zip(CASES, kernel.each(judge, CASES)):
            with self.subTest(f"{case.row}: {case.name}"):
                self.assertEqual(result, case.kernel)

    def test_a_network_without_rules_delivers(self):
        with Network() as network:
            for protocol in ("udp", "tcp"):
                for addresses in ({}, {"to": kernel.HOST6, "source": kernel.PEER6}):
                    for port in kernel.PORTS:
                        with self.subTest(protocol=protocol, port=port, **addresses):
                            self.assertEqual(network.probe(protocol, port, **addresses), delivered(port))

    def test_a_tcp_answer_that_is_stopped_is_told_from_a_packet_that_is(self):
        with Network() as network:
            network.load(nft(chain("tcp sport 4000 drop", hook="output", name="output")))
            self.assertEqual(network.probe("tcp"), {"delivered": 4000, "answer": None})


class Sequences(unittest.TestCase):
    """Where the first packet is not the whole story."""

    def setUp(self):
        self.network = self.enterContext(Network())

    def test_14_the_answer_to_our_own_packet_comes_in(self):
        self.network.load(nft(chain("ct state established accept", "drop")))
        self.assertEqual(self.network.probe(), SILENCE)
        self.assertEqual(self.network.contact(to_port=7000), {"seen": 4000, "answered": True})
        # From the port that was asked, and from no other.
        self.assertEqual(self.network.contact(to_port=7100, answer_from=7101), {"seen": 4000, "answered": False})
        # The hole is as wide as that one flow.
        self.assertEqual(self.network.probe(source_port=7000), delivered())
        self.assertEqual(self.network.probe(source_port=7200), SILENCE)

    def test_14_the_same_for_ipv6(self):
        self.network.load(nft(chain("ct state established accept", "drop")))
        self.assertEqual(self.network.probe(to=kernel.HOST6, source=kernel.PEER6), SILENCE)
        self.assertEqual(self.network.contact(to=kernel.PEER6), {"seen": 4000, "answered": True})

    def test_16_a_limit_lets_the_first_in_and_not_the_second(self):
        self.network.load(nft(chain("udp dport 4000 limit rate 1/minute burst 1 packets accept", "drop")))
        self.assertEqual(self.network.probe(), delivered())
        self.assertEqual(self.network.probe(source_port=7001), SILENCE)

    def test_17_a_renamed_interface(self):
        for rule, result in (('iif "vb" accept', delivered()), ('iifname "vb" accept', SILENCE)):
            with self.subTest(rule), Network() as network:
                network.load(nft(chain(rule, "drop")))
                network.rename("renamed")
                self.assertEqual(network.probe(), result)
                listed = network.tool("nft", "list", "ruleset")
                self.assertIn('"renamed"' if "iif " in rule else '"vb"', listed)


class Reading(unittest.TestCase):
    """What the tools say, and do not say, of the rules."""

    def setUp(self):
        self.network = self.enterContext(Network())

    def without_rights(self, *argv):
        with self.network.on(self.network.host):
            return subprocess.run(["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", *argv],
                                  capture_output=True, text=True)

    def names(self):
        with self.network.on(self.network.host):
            return kernel._read("/proc/thread-self/net/ip_tables_names").split()

    def test_9_legacy_rules_do_not_show_in_nft(self):
        self.network.load([legacy(":INPUT DROP [0:0]")])
        recorded = self.network.record()
        self.assertEqual([list(o) for o in json.loads(recorded["nft"])["nftables"]], [["metainfo"]])
        self.assertEqual(self.names(), ["filter"])
        self.assertIn(":INPUT DROP", recorded["iptables_legacy"])

    def test_10_the_order_of_equal_priorities_is_not_in_the_json(self):
        lists = []
        for order in (("a", "b"), ("b", "a")):
            with Network() as network:
                network.load(nft("table inet t {\n" + "".join(
                    f" chain {name} {{\n  type filter hook input priority 0; policy accept;\n }}\n"
                    for name in order) + "}\n"))
                chains = [o["chain"] for o in json.loads(network.record()["nft"])["nftables"] if "chain" in o]
                lists.append(sorted((c["name"], c["prio"]) for c in chains))
        self.assertEqual(lists[0], lists[1])

    def test_11_how_a_dormant_table_is_written(self):
        self.network.load(nft("table inet xyz {\n flags dormant\n}\n"))
        self.assertIn("flags dormant", self.network.tool("nft", "list", "ruleset"))
        # nft 1.0.6 writes the flag from memory it has given up: some name of the ruleset, or bytes at which the JSON ends.
        # Later ones write it well.
        with self.network.on(self.network.host):
            done = subprocess.run(["nft", "-j", "list", "ruleset"], capture_output=True)
        self.assertIn(b'"flags":', done.stdout)

    def test_20_an_empty_answer_is_no_proof_of_anything(self):
        with self.network.on(self.network.host):
            done = subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_20_without_rights_the_rules_cannot_be_read(self):
        self.network.load(nft(chain("", "drop")))
        done = self.without_rights("nft", "list", "ruleset")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("Operation not permitted", done.stderr)
        self.assertEqual(done.stdout, "")
        for tool in ("iptables-nft", "iptables-legacy"):
            self.assertNotEqual(self.without_rights(tool, "-S").returncode, 0, tool)

    def test_20_another_namespace_shows_another_truth(self):
        self.network.load(nft(chain("", "drop")))
        with self.network.on(self.network.host):
            done = subprocess.run(["unshare", "--user", "--map-root-user", "--net", "nft", "list", "ruleset"],
                                  capture_output=True, text=True)
        if "unshare" in done.stderr:
            self.skipTest(done.stderr.strip())
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_21_looking_at_legacy_rules_makes_tables(self):
        for argv in (["iptables-legacy-save"], ["iptables-nft", "-S"], ["iptables-nft", "-L", "-n"],
                     ["iptables-nft-save"], ["nft", "list", "ruleset"]):
            self.network.tool(*argv)
            self.assertEqual(self.names(), [], argv)
        self.network.tool("iptables-legacy", "-L", "-n")
        self.assertEqual(self.names(), ["filter"])

    def test_22_the_json_of_iptables_nft_loses_parameters(self):
        self.network.load([legacy(
            ":INPUT ACCEPT [0:0]\n"
            "-A INPUT -p udp -m multiport --dports 4000,4001 -j ACCEPT\n"
            "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
            "-A INPUT -m addrtype --dst-type LOCAL -j ACCEPT\n"
            "-A INPUT -i eth+ -j ACCEPT\n"
            "-A INPUT -j REJECT --reject-with icmp-host-prohibited", "iptables-nft")])
        recorded = self.network.record()
        text = json.dumps(json.loads(recorded["nft"]))
        for lost in ("4001", "ESTABLISHED", "established", "LOCAL", "host-prohibited"):
            self.assertNotIn(lost, text)
        for name in ("multiport", "conntrack", "addrtype", "REJECT"):
            self.assertIn(f'"name": "{name}"', text)
        self.assertIn('"eth*"', text)
        for kept in ("--dports 4000,4001", "--ctstate RELATED,ESTABLISHED", "--dst-type LOCAL", "-i eth+",
                     "--reject-with icmp-host-prohibited"):
            self.assertIn(kept, recorded["iptables"])


if __name__ == "__main__":
    kernel.main()
