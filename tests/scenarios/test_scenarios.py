"""The files of this folder and how they are judged, without a lab."""
import copy
import os
import subprocess
import sys
import tempfile
import unittest

import inside
import judge
import run
import scenario as scenarios

GOOD = """title = "T"
lab = ["--nat", "open"]
cause = "cause.host-firewall"
"""


class Files(unittest.TestCase):
    def load(self, text):
        with tempfile.TemporaryDirectory() as place:
            path = os.path.join(place, "mine.toml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            return scenarios.load(path)

    def test_ours(self):
        found = scenarios.load_all()
        broken = [each for each in found if not each.healthy]
        self.assertGreaterEqual(len(broken), 40)
        self.assertGreaterEqual(len(found) - len(broken), 5)
        self.assertEqual(len([each for each in found if each.sample]), 10)
        titles = [each.title for each in found]
        self.assertEqual(len(titles), len(set(titles)))
        for each in found:
            self.assertLessEqual(len(each.title), 110, each.name)
            self.assertNotIn("|", each.title, each.name)

    def test_by_name(self):
        self.assertEqual([each.name for each in scenarios.load_all(["no-link"])], ["no-link"])
        with self.assertRaisesRegex(scenarios.Mistake, "no scenario 'no-lnk'"):
            scenarios.load_all(["no-lnk"])

    def test_good(self):
        found = self.load(GOOD + 'reach = "11.22.33.7:8001"\n[[broken]]\non = "client"\nshell = "true"\n')
        self.assertEqual((found.name, found.endpoint, found.broken), ("mine", ("11.22.33.7", 8001), [scenarios.Step("client", "true")]))

    def test_mistakes(self):
        """Each names the file and the key."""
        for text, said in (
                ("title = ", "mine.toml: "),
                ('title = "T"\nlab = []\n', "mine.toml: 'cause' is missing"),
                (GOOD + "fixabel = true\n", "mine.toml: 'fixabel' is not known here; known are title, lab"),
                (GOOD + 'fixable = "yes"\n', "mine.toml: 'fixable' has to be true or false"),
                (GOOD + "port = true\n", "mine.toml: 'port' has to be a whole number"),
                (GOOD + "port = 70000\n", "mine.toml: 'port' has to be from 1 to 65535"),
                (GOOD + 'run = "--deep"\n', "mine.toml: 'run' has to be a list of strings"),
                (GOOD + "also = [1]\n", "mine.toml: 'also' has to be a list of strings"),
                (GOOD + 'also = ["cause.none"]\n', "mine.toml: there is no cause 'cause.none'"),
                (GOOD + 'findings = ["portmap.none"]\n', "mine.toml: 'findings' are of those"),
                (GOOD + 'reach = "here"\n', "mine.toml: 'reach' has to be ADDRESS:PORT"),
                (GOOD + 'broken = ["true"]\n', r"mine.toml, \[\[broken\]\] 1: has to be a table"),
                (GOOD + '[[broken]]\nshell = "true"\n', r"mine.toml, \[\[broken\]\] 1: 'on' is missing"),
                (GOOD + '[[broken]]\non = "client"\nshell = 1\n', r"mine.toml, \[\[broken\]\] 1: 'shell' has to be a string"),
                (GOOD + '[[broken]]\non = "me"\nshell = ""\n', "mine.toml: the lab has no host 'me'"),
                (GOOD.replace("cause.host-firewall", "none") + "fixable = true\n", "mine.toml: where cause is \"none\""),
        ):
            with self.assertRaisesRegex(scenarios.Mistake, said, msg=text):
                self.load(text)


def cause(code, confidence):
    return {"code": code, "confidence": confidence}


def measured(*causes, verdict="direct", findings=(), mended=None, tried=None):
    return {"run": {"code": 0, "out": "", "err": "", "seconds": 1.0}, "mended": mended, "tried": tried,
            "report": {"causes": list(causes), "verdict": {"status": verdict}, "findings": list(findings)}}


def wanted(**keys):
    return scenarios.Scenario(**{"name": "n", "title": "T", "lab": [], "cause": "cause.a", **keys})


MENDED = {"open_before": False, "arrived": True, "fix": {}, "undo": {"code": 0, "out": "", "err": ""}, "left": {},
          "result": {"remedies": [{"verb": "forward add", "status": "verified"}]}}


class Judging(unittest.TestCase):
    def complaints(self, expected, found, **keys):
        said = judge.judge(wanted(**keys), found)
        self.assertEqual(len(said), len(expected), said)
        for text, pattern in zip(said, expected):
            self.assertIn(pattern, text)

    def test_causes(self):
        self.complaints([], measured(cause("cause.a", 0.9), cause("cause.b", 0.5)))
        self.complaints([], measured(cause("cause.a", 0.5)))
        self.complaints(["first cause is none"], measured())
        self.complaints(["first cause is cause.b", "cause.b is stated with 60 %"], measured(cause("cause.b", 0.6), cause("cause.a", 0.6)))
        self.complaints(["cause.b is stated with 51 %"], measured(cause("cause.a", 0.9), cause("cause.b", 0.51)))
        self.complaints([], measured(cause("cause.a", 0.9), cause("cause.b", 0.51)), also=["cause.b"])
        self.complaints(["cause.b is not likely"], measured(cause("cause.a", 0.9), cause("cause.b", 0.5)), likely=["cause.b"])
        self.complaints(["the verdict is direct, not open"], measured(cause("cause.a", 0.9)), verdict="open")

    def test_healthy(self):
        finding = {"code": "net.x", "severity": "warning", "message": "m"}
        self.complaints([], measured(findings=[{**finding, "severity": "info"}]), cause="none")
        self.complaints(["cause.a (20 %) is named"], measured(cause("cause.a", 0.2)), cause="none")
        self.complaints(["warning net.x"], measured(findings=[finding]), cause="none")
        self.complaints([], measured(findings=[finding]), cause="none", findings=["net.x"])

    def test_mended(self):
        right = cause("cause.a", 0.9)
        self.complaints([], measured(right, mended=MENDED))
        for change, said in (({"open_before": True}, "proves nothing"), ({"arrived": False}, "does not arrive"),
                             ({"undo": {"code": 1, "out": "o", "err": "e"}}, "exit code 1: oe"),
                             ({"left": {"client: nft": ["old", "new"]}}, "client: nft is not as before")):
            self.complaints([said], measured(right, mended={**MENDED, **change}))

    def test_tried_in_vain(self):
        def tried(status, verdict, left=()):
            return {"fix": {"code": 1, "out": "", "err": ""}, "left": dict(left),
                    "result": {"remedies": [{"id": "r", "status": status}], "after": {"verdict": {"status": verdict}}}}

        def complaints(expected, how):
            self.complaints(expected, measured(cause("cause.a", 0.9), tried=how), in_vain="relay-only")

        complaints([], tried("not-helped", "relay-only"))
        complaints(["verdict is direct-after-fix, not relay-only"], tried("not-helped", "direct-after-fix"))
        complaints(["was not in vain"], tried("verified", "relay-only"))
        complaints(["client: nft is not as before"], tried("not-done", "relay-only", {"client: nft": ["a", "b"]}.items()))
        complaints(["fix did nothing"], {**tried("not-done", "relay-only"), "result": None})

    def test_no_report(self):
        self.complaints(["(exit code 4): xy"], {"report": None, "run": {"code": 4, "out": "x", "err": "y"}, "mended": None, "tried": None})

    def test_chance_forgives_only_what_was_missed(self):
        self.assertTrue(judge.only_missed(wanted(), measured()["report"]))
        self.assertFalse(judge.only_missed(wanted(), measured(cause("cause.b", 0.9))["report"]))
        self.assertFalse(judge.only_missed(wanted(cause="none"), measured()["report"]))

    def test_busy(self):
        report = measured(cause("cause.dns-slow", 0.7), cause("cause.a", 0.9),
                          findings=[{"code": "host.plugin-timed-out"}, {"code": "net.x"}])["report"]
        self.assertEqual(judge.without_time(wanted(), report)["causes"], [cause("cause.a", 0.9)])
        self.assertEqual(judge.without_time(wanted(), report)["findings"], [{"code": "net.x"}])
        slow = wanted(cause="cause.dns-slow")
        self.assertEqual(len(judge.without_time(slow, report)["causes"]), 2)
        done = {"run": {"interrupted": False}, "checks": [{"status": "pass"}]}
        self.assertFalse(judge.out_of_time(done))
        for late in ({"checks": [{"status": "timed_out"}]}, {"run": {"interrupted": True}},
                     {"checks": [{"status": "unknown"}]}):
            self.assertTrue(judge.out_of_time({**done, **late}))
        self.assertFalse(judge.out_of_time(done, MENDED))
        self.assertTrue(judge.out_of_time(done, {**MENDED, "arrived": False}))

    def test_table(self):
        rows = run.table([run.Outcome(wanted(), measured(cause("cause.a", 0.9), mended=copy.deepcopy(MENDED)), []),
                          run.Outcome(wanted(cause="none", name="h"), measured(), [])])
        self.assertIn("| n | T | cause.a | 90 % | yes: forward add |\n| h | T | none |  | – |\n", rows)
        self.assertIn("1 broken networks, 1 healthy ones.", rows)


NFT = """table ip nat { # handle 1
\tmap holder { # handle 1
\t\ttype inet_service : ipv4_addr . inet_service
\t\tsize 65535
\t\tflags dynamic,timeout
\t\ttimeout 2m
\t\telements = { 40000 timeout 2m expires 1m59s : 192.168.7.2 . 40000,
\t\t\t     40001 timeout 2m expires 1m59s : 192.168.7.2 . 40001 }
\t}

\tset mine { # handle 2
\t\ttype inet_service
\t\telements = { 22, 80 }
\t}

\tchain c { # handle 3
\t\tudp dport 1 counter packets 7 bytes 70 drop # handle 4
\t}
}
"""


class State(unittest.TestCase):
    def test_what_counts(self):
        """Counters and what the kernel learned do not; a rule, its handle and a set that somebody wrote do."""
        text = inside.without_learned(NFT)
        self.assertNotIn("40000", text)
        self.assertEqual(text, inside.without_learned(NFT.replace("packets 7 bytes 70", "packets 8 bytes 80").replace("40001", "40002")))
        for old, new in (("22, 80", "22, 81"), ("handle 4", "handle 5"), ("drop", "accept")):
            self.assertNotEqual(text, inside.without_learned(NFT.replace(old, new)))
        ufw = text.replace("chain c", "chain ufw-user-input")
        self.assertEqual(inside.without_learned(ufw), inside.without_learned(ufw.replace("handle 4", "handle 5")))
        self.assertNotEqual(inside.without_learned(ufw), inside.without_learned(ufw.replace("dport 1", "dport 2")))
        self.assertEqual(inside.without_counters("# at noon\n:INPUT ACCEPT [1:2]\n"), ":INPUT ACCEPT [N:N]\n")

    def test_differences(self):
        self.assertEqual(inside.differences({"a": "1", "b": "2"}, {"a": "1", "b": "3", "c": "4"}),
                         {"b": ["2", "3"], "c": [None, "4"]})


class Command(unittest.TestCase):
    def test_help(self):
        done = subprocess.run([sys.executable, run.__file__, "--help"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0)
        self.assertIn("these alone", done.stdout)


if __name__ == "__main__":
    unittest.main()
