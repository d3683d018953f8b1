"""stun.nat and stun.lifetime on real NATs: right beside coturn's own tool, and honest under loss."""
import concurrent.futures
import json
import re
import subprocess
import unittest

import lab
import long_runs
from long_runs import ADM, APDM, EIM

RFC5780 = {"Endpoint Independent": EIM, "Address Dependent": ADM, "Address and Port Dependent": APDM}


def run(options, *checks):
    """Exit code and report of one p2pdiag in a lab of its own."""
    done = lab.lab("run", *options, "--", "run", *checks, "--format", "json")
    try:
        return done.returncode, json.loads(done.stdout)
    except json.JSONDecodeError:
        raise AssertionError(f"{options}: {done.stdout}{done.stderr}") from None


def nat(options, *more):
    """The check's result, its IPv4 part and the codes found."""
    _, report = run(options, "stun.nat", *more)
    check = next(check for check in report["checks"] if check["id"] == "stun.nat")
    return check, (check["data"] or {}).get("ipv4"), {finding["code"] for finding in report["findings"]}


def natdiscovery(kind):
    """Mapping and filtering as coturn's tool says."""
    text = lab.lab("run", "--nat", kind, "--command", "--", "sh", "-c",
                   "turnutils_natdiscovery -m -f -L $(hostname -I | cut -d' ' -f1) 11.22.33.10").stdout
    found = re.findall(r"NAT with (.*?) (Mapping|Filtering)!", text)
    return {what: RFC5780[name] for name, what in found}


class Kinds(unittest.TestCase):
    def test_every_kind_is_right_and_coturn_agrees(self):
        kinds = list(long_runs.TRUTH)
        # Most of coturn's time is waiting for timeouts.
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            theirs = dict(zip(kinds, pool.map(natdiscovery, kinds)))
        for kind in kinds:
            with self.subTest(kind=kind):
                check, family, codes = nat(["--nat", kind])
                self.assertEqual(long_runs.judge(kind, family), "right", family)
                if kind == "symmetric-sequential":
                    self.assertEqual(family["port_step"], 1)
                    self.assertIn("nat.symmetric-predictable", codes)
                if kind == "symmetric":
                    self.assertIsNone(family["port_step"])
                if kind != "open":
                    self.assertEqual(theirs[kind]["Mapping"], family["mapping"])
                if family["filtering"] is not None and kind != "open":
                    self.assertEqual(theirs[kind]["Filtering"], family["filtering"])
                self.assertEqual(family["behind_nat"], kind != "open")

    def test_behind_a_carrier_the_stricter_nat_counts(self):
        for home, carrier, expected in (("full-cone", "port-restricted-cone", "port-restricted-cone"),
                                        ("restricted-cone", "full-cone", "restricted-cone"),
                                        ("full-cone", "symmetric", "symmetric"),
                                        ("symmetric", "full-cone", "symmetric")):
            with self.subTest(home=home, carrier=carrier):
                _, family, codes = nat(["--nat", home, "--cgnat", carrier])
                self.assertEqual(family["nat_type"], expected, family)
                self.assertEqual(family["carrier_hop"], "100.64.7.1")
                self.assertIn("nat.cgnat", codes)


class Conditions(unittest.TestCase):
    def test_udp_blocked(self):
        for how in ("udp", "udp-out"):
            with self.subTest(how=how):
                check, family, codes = nat(["--nat", "full-cone", "--block", how])
                self.assertEqual((check["status"], family["nat_type"]), ("fail", "udp-blocked"))
                self.assertIsNone(family["mapping"])
                self.assertIn("nat.udp-blocked", codes)

    def test_names_do_not_resolve(self):
        code, report = run(["--nat", "full-cone", "--dns", "broken"], "all")
        self.assertEqual(report["verdict"]["status"], "unknown")
        self.assertIn("net.dns-failed", {finding["code"] for finding in report["findings"]})

    def test_no_way_out(self):
        code, report = run(["--nat", "full-cone", "--no-default-route"], "all")
        self.assertEqual((code, report["verdict"]["status"]), (1, "offline"))
        self.assertIn("net.no-default-route", {finding["code"] for finding in report["findings"]})
        nat_data = next(check["data"] for check in report["checks"] if check["id"] == "stun.nat")
        self.assertEqual(nat_data["ipv4_reason"], "no-route")

    def test_hairpinning(self):
        for options, expected in ((["--hairpin"], True), ([], False)):
            _, family, codes = nat(["--nat", "port-restricted-cone", *options], "--deep")
            self.assertEqual(family["hairpinning"], expected, family.get("hairpinning_reason"))
            self.assertEqual("nat.hairpin-unsupported" in codes, not expected)

    def test_ipv6_beside_ipv4(self):
        check, family, _ = nat(["--nat", "port-restricted-cone", "--ipv6"])
        self.assertEqual(family["nat_type"], "port-restricted-cone")
        ipv6 = check["data"]["ipv6"]
        self.assertEqual((ipv6["nat_type"], ipv6["behind_nat"]), ("symmetric-firewall", False), ipv6)

    def test_host_firewall_is_not_called_nat(self):
        with lab.firewall("udp dport 32768-60999 ct state new drop") as path:
            _, family, _ = nat(["--nat", "open", "--host-firewall", path])
            self.assertEqual((family["nat_type"], family["behind_nat"]), ("symmetric-firewall", False), family)

    def test_a11_host_firewall_behind_a_full_cone(self):
        # From the network it looks like the router's filter; at the interface the answers are seen.
        with lab.firewall("udp dport 32768-60999 ct state new drop") as path:
            _, family, _ = nat(["--nat", "full-cone", "--host-firewall", path])
            self.assertEqual((family["mapping"], family["filtering"]), (EIM, APDM), family)
            self.assertEqual(family["filtered_by"], "host")

    def test_a11_a_filter_that_is_not_the_hosts(self):
        for kind in ("port-restricted-cone", "restricted-cone"):
            _, family, _ = nat(["--nat", kind])
            self.assertEqual(family["filtered_by"], "router", family)

    def test_a11_without_the_privilege_who_filters_is_unknown(self):
        with lab.firewall("udp dport 32768-60999 ct state new drop") as path:
            done = lab.lab("run", "--nat", "full-cone", "--host-firewall", path, "--command", "--", "setpriv",
                           "--bounding-set=-net_raw", "--inh-caps=-all", lab.P2PDIAG, "--profile", "lab", "run",
                           "stun.nat", "--format", "json")
            family = json.loads(done.stdout)["checks"][0]["data"]["ipv4"]
            self.assertEqual((family["filtering"], family["filtered_by"]), (APDM, "unknown"), family)

    def test_udp_blocked_by_the_host_itself(self):
        with lab.firewall("udp sport != 53 drop") as path:
            check, family, codes = nat(["--nat", "full-cone", "--host-firewall", path])
            self.assertEqual((check["status"], family["nat_type"]), ("fail", "udp-blocked"), family)
            self.assertEqual(family["filtered_by"], "host")

    def test_lifetime_without_time(self):
        # A NAT that forgets at once is no healthy one because nobody had the time to see it.
        _, report = run(["--nat", "port-restricted-cone", "--mapping-lifetime", "3"], "stun.lifetime", "--deadline", "10s")
        check = next(check for check in report["checks"] if check["id"] == "stun.lifetime")
        self.assertEqual((check["status"], check["data"]["alive_s"]), ("unknown", 0), check)
        self.assertIn("no time to wait longer", check["summary"])

    def test_lifetime(self):
        _, report = run(["--nat", "port-restricted-cone", "--mapping-lifetime", "14"], "stun.lifetime")
        check = next(check for check in report["checks"] if check["id"] == "stun.lifetime")
        alive, dead = check["data"]["alive_s"], check["data"]["dead_s"]
        # A mapping may live a little longer than it was set to: the kernel collects what has expired now and then.
        self.assertTrue(10 <= alive < dead <= 20, check)
        self.assertIn("nat.mapping-lifetime-short", {finding["code"] for finding in report["findings"]})


class Loss(unittest.TestCase):
    """A short sample of `scripts/test --long`."""

    def test_never_wrong(self):
        cases = [(kind, loss) for loss in (10, 20) for kind in ("full-cone", "restricted-cone", "symmetric")]
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            results = list(pool.map(lambda case: long_runs.one_lab(lab.P2PDIAG, *case, 6), cases))
        right = 0
        for (kind, loss), result in zip(cases, results):
            self.assertNotIn("wrong", result["verdicts"], (kind, loss, result["examples"]))
            right += result["verdicts"].get("right", 0)
        # Of 36 runs at most a few may be honest rather than right: 99 % at 10 % loss, more than 90 % at 20 %.
        self.assertGreaterEqual(right, 30, [result["examples"] for result in results])


if __name__ == "__main__":
    lab.main([])
