"""run --offline, --baseline and --watch, and the rules of the diagnosis, as people and scripts meet them."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

HOST = sys.argv[1]
# How long what must happen may take on a busy machine, in seconds. Nothing waits that long where all is well.
PATIENCE = 120

RULE = """
[[cause]]
id = "cause.mine"
title = "Mine"
place = "you"
impact = "note"
explanation = "It says: {net.no-link}"
[[cause.when]]
confidence = 0.9
all = [{ code = "net.no-link" }]
"""


def check(name, status, data=None):
    return {"id": name, "plugin": name.split(".")[0], "title": "T", "status": status, "summary": "s", "duration_ms": 1,
            "data": data}


def finding(code, severity, where, **evidence):
    return {"code": code, "severity": severity, "check": where, "message": f"message of {code}", "evidence": evidence}


def report(checks, findings):
    return {"format_version": "1.0", "tool": {"name": "p2pdiag", "version": "0", "plugins": []},
            "run": {"id": "ab", "started": "2026-01-31T12:34:56.789Z", "duration_ms": 5, "interrupted": False,
                    "profile": "default", "target": {"port": 8000}},
            "verdict": {"status": "unknown", "headline": ""}, "checks": checks, "findings": findings, "causes": []}


UNPLUGGED = report([check("network.interfaces", "fail"), check("stun.servers", "fail")],
                   [finding("net.no-link", "error", "network.interfaces"),
                    finding("net.no-internet", "error", "stun.servers")])
SYMMETRIC = report([check("stun.nat", "warn"), check("upnp.gateways", "pass")],
                   [finding("nat.symmetric", "warning", "stun.nat", family="ipv4"),
                    finding("portmap.upnp", "info", "upnp.gateways")])


class Case(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.mkdtemp()
        self.plugin_dir = self.place + "/plugins"
        os.mkdir(self.plugin_dir)
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("P2P")}
        self.environment.update(XDG_CACHE_HOME=self.place + "/cache", XDG_CONFIG_HOME=self.place + "/config",
                                COLUMNS="80", LC_ALL="C.UTF-8")

    def tearDown(self):
        shutil.rmtree(self.place)

    def command(self, *arguments):
        return [HOST, "--plugin-dir", self.plugin_dir, *arguments]

    def host(self, *arguments, code=None):
        done = subprocess.run(self.command(*arguments), env=self.environment, capture_output=True, text=True,
                              timeout=PATIENCE)
        if code is not None:
            self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def write(self, name, content):
        path = f"{self.place}/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(content if isinstance(content, str) else json.dumps(content))
        return path

    def offline(self, content, *more, code=1):
        path = self.write("report.json", content)
        return json.loads(self.host("run", "--offline", path, "--format", "json", *more, code=code).stdout)


class Offline(Case):
    def test_causes(self):
        found = self.offline(UNPLUGGED)
        self.assertEqual([cause["code"] for cause in found["causes"]], ["cause.no-link"])
        self.assertEqual({cause["code"]: cause["explained_by"] for cause in found["explained"]},
                         {"cause.no-internet": "cause.no-link"})
        self.assertEqual(found["verdict"]["status"], "offline")
        self.assertEqual([finding["severity"] for finding in found["findings"]], ["error", "warning"])
        self.assertEqual(found["run"]["id"], "ab")

    def test_again(self):
        once = self.offline(UNPLUGGED)
        self.assertEqual(self.offline(once), once)

    def test_remedies(self):
        found = self.offline(SYMMETRIC, code=0)
        self.assertEqual(found["verdict"]["status"], "direct-after-fix")
        remedy = found["causes"][0]["remedies"][0]
        self.assertEqual((remedy["verb"], remedy["arguments"], remedy["automatic"]),
                         ("forward add", {"port": 8000, "protocol": "udp"}, True))
        text = self.host("run", "--offline", self.place + "/report.json", code=0).stdout
        self.assertIn("  The NAT gives each peer another port [cause.symmetric-nat] (90 % sure)\n", text)
        self.assertIn("\n        p2pdiag forward add --port 8000 --protocol udp\n", text)

    def test_no_network(self):
        """Where there is none, nothing of it is missed."""
        unshare = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--net"]
        if subprocess.run([*unshare, "true"], capture_output=True).returncode != 0:
            self.skipTest("no network namespace can be made here")
        path = self.write("report.json", SYMMETRIC)
        done = subprocess.run([*unshare, *self.command("run", "--offline", path, "--format", "json")],
                              env=self.environment, capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(json.loads(done.stdout), self.offline(SYMMETRIC, code=0))

    def test_bad_files(self):
        for content, says in (("", "is not JSON"), ("{}", "has no format_version"), ("[" * 5000, "is not JSON"),
                              ('{"format_version": "1.0", "error": {"exit_code": 2, "message": "oh"}}', "nothing had been run"),
                              (dict(UNPLUGGED, format_version="2.0"), "is not one that this p2pdiag reads"),
                              (dict(UNPLUGGED, checks=[check("a.b", "good")]), 'checks[0].status: "good"')):
            path = self.write("report.json", content)
            done = self.host("run", "--offline", path, code=2)
            self.assertIn(f"--offline {path}: ", done.stderr)
            self.assertIn(says, done.stderr)
            self.assertEqual(done.stdout, "")
        self.assertIn("No such file", self.host("run", "--offline", self.place + "/none", code=2).stderr)

    def test_what_does_not_go_with_it(self):
        path = self.write("report.json", UNPLUGGED)
        for more in (["all"], ["--deep"], ["--port", "80"], ["--watch", "5s"], ["--only", "stun.*"]):
            self.assertIn("--offline runs no checks", self.host("run", *more, "--offline", path, code=2).stderr)


class Baseline(Case):
    def test_what_changed(self):
        old = self.write("old.json", SYMMETRIC)
        found = self.offline(UNPLUGGED, "--baseline", old)
        self.assertEqual((found["changes"]["since_run"], found["changes"]["since_started"]),
                         ("ab", "2026-01-31T12:34:56.789Z"))
        self.assertIn({"kind": "finding", "what": "net.no-link (network.interfaces)", "before": None, "after": "error"},
                      found["changes"]["list"])
        text = self.host("run", "--offline", self.place + "/report.json", "--baseline", old, code=1).stdout
        self.assertIn("\nChanges\n  Since the run of 2026-01-31T12:34:56.789Z:\n", text)
        self.assertIn("\n    check stun.nat: gone, was warn\n", text)

    def test_nothing_changed(self):
        once = self.offline(UNPLUGGED)
        old = self.write("old.json", once)
        self.assertEqual(self.offline(UNPLUGGED, "--baseline", old)["changes"]["list"], [])
        self.assertIn("\n    None.\n",
                      self.host("run", "--offline", self.place + "/report.json", "--baseline", old, code=1).stdout)

    def test_of_a_run_of_some_checks_these_alone_are_compared(self):
        limits = json.loads(self.host("run", "network.limits", "--format", "json", code=None).stdout)
        old = self.write("old.json", {**SYMMETRIC, "checks": SYMMETRIC["checks"] + limits["checks"],
                                      "findings": SYMMETRIC["findings"] + limits["findings"]})
        now = json.loads(self.host("run", "network.limits", "--baseline", old, "--format", "json", code=None).stdout)
        self.assertEqual(now["changes"]["list"], [])

    def test_bad_baseline_is_told_before_anything_runs(self):
        path = self.write("old.json", "{}")
        self.assertIn(f"--baseline {path}: ", self.host("run", "network.limits", "--baseline", path, code=2).stderr)


class Watch(Case):
    def watch(self, *arguments):
        return subprocess.Popen(self.command("run", "network.limits", "--watch", "1s", *arguments),
                                env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def test_console(self):
        process = self.watch()
        lines = []
        try:
            for line in process.stdout:
                lines.append(line)
                if line.endswith("Z no change\n"):
                    break
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
        self.assertEqual(process.returncode, 130, lines)
        self.assertTrue(any(line.startswith("Checks") for line in lines), lines)
        self.assertRegex(lines[-1], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z no change$")

    def test_lines(self):
        process = self.watch("--format", "jsonl")
        kinds = []
        try:
            for line in process.stdout:
                kinds.append(json.loads(line)["type"])
                if kinds.count("end") == 2:
                    break
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
        self.assertEqual(process.returncode, 143, kinds)
        self.assertEqual((kinds.count("run"), kinds.count("changes")), (2, 1))

    def test_what_is_refused(self):
        for arguments, says in ((["--watch", "soon"], "--watch: "), (["--watch", "1ms"], "is not from 1s to 24h"),
                                (["--watch", "25h"], "is not from 1s to 24h"),
                                (["--watch", "5s", "--format", "json"], "--watch prints as console or jsonl"),
                                (["--watch", "5s", "--capture", self.place + "/x"], "--capture does not go with --watch")):
            self.assertIn(says, self.host("run", "network.limits", *arguments, code=2).stderr)


class Rules(Case):
    def user_rule(self, content):
        return self.write("config/p2pdiag/diagnosis/mine.toml", content)

    def test_shipped_rules_are_valid(self):
        self.assertRegex(self.host("validate", code=0).stdout, r"^the rules in force: valid; \d\d causes in all\n$")

    def test_a_user_adds_one(self):
        self.user_rule(RULE)
        found = self.offline(UNPLUGGED)
        self.assertEqual([cause["code"] for cause in found["causes"]], ["cause.no-link", "cause.mine"])
        self.assertEqual(found["causes"][1]["explanation"], "It says: message of net.no-link.")

    def test_mistakes(self):
        for rule, says in ((RULE.replace("net.no-link\" }", "net.no-lnik\" }"), ':10:8: unknown code "net.no-lnik"; did you mean "net.no-link"?'),
                           (RULE.replace("title =", "titel ="), ':4:1: unknown key "titel"; did you mean "title"?'),
                           (RULE.replace("cause.mine", "cause.no-link"), ':2:1: the cause "cause.no-link" is there already'),
                           (RULE + 'none = [{ code = "net.no-link" }]\n', ":8:1: cause.mine can never come about this way"),
                           (RULE + '[[cause.remedy]]\nid = "r"\ntitle = "t"\nverb = "forward ad"\n', ':11:1: unknown verb "forward ad"; did you mean "forward add"?')):
            path = self.user_rule(rule)
            self.assertIn(path + says, self.host("validate", code=1).stdout)
            self.assertIn(path + says, self.host("validate", path, code=1).stdout)
            if "verb" not in says:
                # Before anything is run, so that no line of a run is there.
                done = self.host("run", "network.limits", "--format", "jsonl", code=2)
                self.assertIn(path + says, done.stderr)
                self.assertEqual(done.stdout, "")

    def test_a_file_that_is_not_in_force(self):
        path = self.write("new.toml", RULE)
        self.assertIn(path + ": valid; ", self.host("validate", path, code=0).stdout)
        self.assertIn("cannot be read", self.host("validate", self.place + "/none.toml", code=1).stdout)

    def test_explain(self):
        self.assertIn("nothing can be reached", self.host("explain", "cause.no-link", code=0).stdout)

    def test_the_page_of_a_cause_goes_on_with_what_it_stands_on(self):
        text = self.host("explain", "cause.symmetric-nat", code=0).stdout
        finding = self.host("explain", "nat.symmetric", code=0).stdout.split("\n", 1)[1].strip()
        self.assertIn("\nOn what it stands first of all, nat.symmetric:\n\n" + finding + "\n", text)
        self.assertIn("\nSee also\n  p2pdiag explain nat.symmetric-predictable\n", text)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
