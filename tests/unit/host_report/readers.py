#!/usr/bin/python3
"""readers.py WRITER TOOLS: the formats that monitoring and test systems read, given to readers that others wrote.
TOOLS has the packages of tests/tools."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

WRITER, TOOLS = sys.argv[1], pathlib.Path(sys.argv[2]) / "node_modules"


def missing():
    """What `scripts/setup test` has not installed here."""
    try:
        import jsonschema
        import prometheus_client.parser
    except ImportError as error:
        return error.name
    if not (TOOLS / ".installed").exists():
        return "tests/tools"
    perl = ["perl", "-MMonitoring::Plugin::Performance", "-e", ""]
    if subprocess.run(perl, capture_output=True).returncode != 0:
        return "libmonitoring-plugin-perl"
    return None


SAMPLES = {"empty", "statuses", "diagnosed", "compared", "interrupted", "hostile", "recorded"}


class Samples(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.place.cleanup)
        subprocess.run([WRITER, cls.place.name], check=True)

    def file(self, name, extension):
        return pathlib.Path(self.place.name) / (name + extension)

    def read(self, name, extension):
        return self.file(name, extension).read_bytes().decode("utf-8")

    def report(self, name):
        return json.loads(self.read(name, ".json"))

    def same_time(self, seconds, report):
        self.assertAlmostEqual(seconds * 1000 / report["run"]["duration_ms"], 1, places=9)


class Tap(Samples):
    """tap-parser, of node-tap."""

    def parsed(self, name):
        done = subprocess.run(["node", TOOLS / "tap-parser/bin/cmd.cjs", "--strict", "--json"],
                              input=self.read(name, ".tap"), capture_output=True, text=True)
        self.assertEqual(done.stderr, "")
        return json.loads(done.stdout)

    def points(self, name):
        return [event[1] for event in self.parsed(name) if event[0] == "assert"]

    def end(self, name):
        return [event[1] for event in self.parsed(name) if event[0] == "complete"][0]

    def test_it_is_tap_14(self):
        for name in SAMPLES:
            with self.subTest(name):
                events = self.parsed(name)
                self.assertIn(["version", 14], events)
                # What the parser takes for no TAP.
                self.assertEqual([event for event in events if event[0] == "extra"], [])
                for failure in self.end(name)["failures"]:
                    self.assertIsNone(failure["tapError"])

    def test_a_point_for_each_check(self):
        for name in SAMPLES - {"interrupted"}:
            report = self.report(name)
            host = [finding for finding in report["findings"] if finding["check"] is None]
            self.assertEqual(len(self.points(name)), len(report["checks"]) + len(host), name)

    def test_outcomes(self):
        outcomes = {point["name"].split(":")[0]: (point["ok"], bool(point.get("skip")))
                    for point in self.points("statuses")}
        bad, good, skipped = (False, False), (True, False), (True, True)
        self.assertEqual(outcomes, {
            "p2pdiag": bad, "network.interfaces": good, "network.dns": good, "stun.servers": bad, "upnp.router": skipped,
            "stun.nat": skipped, "firewall.inbound": bad, "capture.live": bad,
            "holepunch.a-check-with-a-very-long-name": bad, "chat.end-to-end": skipped})

    def test_diagnostics_are_yaml(self):
        points = self.points("statuses")
        self.assertEqual({point["time"] for point in points if not point["name"].startswith("p2pdiag:")}, {56})
        by_name = {point["name"]: point.get("diag") for point in points}
        slow = by_name["network.dns: names resolve, but slowly (812 ms)"]
        self.assertEqual(slow["status"], "warn")
        self.assertEqual(slow["findings"], [{"code": "net.dns-slow", "severity": "warning",
                                             "message": "A name took 812 ms to resolve."}])
        for point in self.points("hostile"):
            self.assertIn("<script>", point["diag"]["findings"][0]["message"])

    def test_a_cut_run_bails_out(self):
        self.assertTrue(self.end("interrupted")["bailout"])
        self.assertFalse(self.end("diagnosed")["bailout"])
        self.assertTrue(self.end("diagnosed")["ok"])


class Sarif(Samples):
    """The schema of OASIS, as @microsoft/jest-sarif carries it, and python3-jsonschema."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        import jsonschema
        schema = json.loads((TOOLS / "@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json").read_text())
        cls.validator = jsonschema.Draft4Validator(schema, format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER)

    def test_valid(self):
        for name in SAMPLES:
            with self.subTest(name):
                self.validator.validate(json.loads(self.read(name, ".sarif")))

    def test_the_schema_refuses_what_is_wrong(self):
        document = json.loads(self.read("statuses", ".sarif"))
        self.assertTrue(self.validator.is_valid(document))
        document["runs"][0]["results"][0]["level"] = "bad"
        self.assertFalse(self.validator.is_valid(document))

    def test_references(self):
        """What the schema cannot say: an index leads to the rule that it names; what did not fail has no level."""
        for name in SAMPLES:
            run = json.loads(self.read(name, ".sarif"))["runs"][0]
            rules = run["tool"]["driver"]["rules"]
            self.assertEqual(len({rule["id"] for rule in rules}), len(rules))
            for result in run["results"]:
                self.assertEqual(rules[result["ruleIndex"]]["id"], result["ruleId"])
                self.assertEqual(result["level"] == "none", result["kind"] != "fail")


class Prometheus(Samples):
    """The parser of python3-prometheus-client, of the Prometheus project."""

    def series(self, name):
        from prometheus_client.parser import text_string_to_metric_families
        families = list(text_string_to_metric_families(self.read(name, ".prom")))
        self.assertEqual(len({family.name for family in families}), len(families))
        found = {}
        for family in families:
            self.assertEqual(family.type, "gauge")
            self.assertTrue(family.documentation)
            for sample in family.samples:
                self.assertIsNone(sample.timestamp)
                key = (sample.name, tuple(sorted(sample.labels.items())))
                self.assertNotIn(key, found)
                found[key] = sample.value
        return found

    def test_what_the_report_says(self):
        for name in SAMPLES:
            with self.subTest(name):
                series, report = self.series(name), self.report(name)
                self.assertTrue(self.read(name, ".prom").endswith("\n"))
                self.same_time(series["p2pdiag_run_duration_seconds", ()], report)
                self.assertEqual(series["p2pdiag_verdict", (("status", report["verdict"]["status"]),)], 1)
                states = [value for (what, _), value in series.items() if what == "p2pdiag_check_status"]
                self.assertEqual((sum(states), len(states)), (len(report["checks"]), 9 * len(report["checks"])))

    def test_delays(self):
        series = self.series("recorded")
        self.assertEqual(series["p2pdiag_round_trip_seconds", (("family", "ipv4"),)], 0.0181)
        self.assertEqual(series["p2pdiag_loss_ratio", (("family", "ipv4"),)], 0.0625)
        self.assertNotIn(("p2pdiag_round_trip_seconds", (("family", "ipv6"),)), series)

    def test_a_status(self):
        series = self.series("statuses")
        for check in self.report("statuses")["checks"]:
            labels = (("check", check["id"]), ("plugin", check["plugin"]), ("status", check["status"]))
            self.assertEqual(series["p2pdiag_check_status", labels], 1)


class Nagios(Samples):
    """The parser of performance data of Debian's libmonitoring-plugin-perl."""
    PERL = """binmode STDIN, ":utf8"; my $line = <STDIN>; my (undef, $numbers) = split /\\|/, $line, 2;
        for my $p (Monitoring::Plugin::Performance->parse_perfstring($numbers)) {
            print join("\\t", $p->label, $p->value, $p->uom), "\\n"; }"""

    def numbers(self, name):
        done = subprocess.run(["perl", "-MMonitoring::Plugin::Performance", "-e", self.PERL],
                              input=self.read(name, ".nagios"), capture_output=True, text=True, check=True)
        rows = [line.split("\t") for line in done.stdout.splitlines()]
        return {label: (float(value), unit) for label, value, unit in rows}

    def test_numbers(self):
        for name in SAMPLES:
            with self.subTest(name):
                numbers, report = self.numbers(name), self.report(name)
                statuses = [check["status"] for check in report["checks"]]
                self.assertEqual(numbers["duration"][1], "s")
                self.same_time(numbers["duration"][0], report)
                self.assertEqual(numbers["checks"], (len(statuses), ""))
                for label, status in (("passed", "pass"), ("warnings", "warn"), ("failed", "fail"),
                                      ("unknown", "unknown"), ("skipped", "skip"), ("cancelled", "cancelled")):
                    self.assertEqual(numbers[label], (statuses.count(status), ""), label)

    def test_delays(self):
        numbers = self.numbers("recorded")
        self.assertEqual((numbers["rtt_ipv4"], numbers["loss_ipv4"]), ((18.1, "ms"), (6.25, "%")))
        self.assertNotIn("rtt_ipv6", numbers)
        self.assertNotIn("rtt_ipv4", self.numbers("statuses"))

    def test_one_bar(self):
        for name in SAMPLES:
            self.assertEqual(self.read(name, ".nagios").count("|"), 1, name)


if __name__ == "__main__":
    lacking = missing()
    if lacking:
        print(f"{lacking} is missing: scripts/setup test installs it")
        # Where everything is installed, a reader that is not there is a failure.
        sys.exit(1 if os.environ.get("CI") else 77)
    unittest.main(argv=sys.argv[:1])
