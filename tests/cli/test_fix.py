"""fix: from a diagnosis to what was done about it, with the plugin "box", whose check misses files and whose change
puts them in."""
import json
import os
import signal
import sys
import unittest

from change_case import PATIENCE, Case

# What is missing and what is to be done about it, in the order of the rules: c stands nearest.
RULES = """
[[cause]]
id = "cause.a"
title = "There is no a"
place = "router"
impact = "no-direct"
explanation = ["{box.missing-a}"]
[[cause.when]]
confidence = 0.9
all = [{ code = "box.missing-a" }]
[[cause.remedy]]
id = "put-a"
title = "Put a in"
verb = "box put"
arguments = { name = "a" }
reversible = true
%s
[[cause.remedy]]
id = "by-hand"
title = "Put it in yourself"
command = "cp a box"

[[cause]]
id = "cause.b"
title = "There is no b"
place = "firewall"
impact = "no-calls"
explanation = ["{box.missing-b}"]
[[cause.when]]
confidence = 0.8
all = [{ code = "box.missing-b" }]
[[cause.remedy]]
id = "put-b"
title = "Put b in"
verb = "box put"
arguments = { name = "b" }
reversible = true

[[cause]]
id = "cause.old"
title = "There is an old one"
place = "you"
impact = "no-calls"
explanation = ["{box.missing-new}"]
[[cause.when]]
confidence = 0.8
all = [{ code = "box.missing-new" }]
[[cause.remedy]]
id = "take-old"
title = "Take the old one out"
verb = "box take"
arguments = { name = "old" }
"""


class FixCase(Case):
    def setUp(self):
        super().setUp()
        self.profile = f"{self.place}/box.toml"
        with open(self.profile, "w") as file:
            file.write('[run]\nchecks = ["box.content"]\n')
        self.rules()

    def rules(self, more=""):
        os.makedirs(f"{self.place}/config/p2pdiag/diagnosis", exist_ok=True)
        with open(f"{self.place}/config/p2pdiag/diagnosis/box.toml", "w") as file:
            file.write(RULES % more)

    def words(self, *arguments):
        return ["--profile", self.profile, "fix", *arguments]

    def fix(self, *arguments, wanted="a", **wishes):
        return self.host(*self.words(*arguments), BOX_WANTED=wanted, **wishes)

    def fixed(self, code, wanted="a", arguments=(), **wishes):
        """The document, and of each remedy what became of it."""
        document = self.document(*self.words("--yes", *arguments), code=code, BOX_WANTED=wanted, **wishes)
        self.assertEqual(document["exit_code"], code)
        return document, {remedy["id"]: remedy["status"] for remedy in document["remedies"]}


class Plan(FixCase):
    def test_nothing_wrong(self):
        done = self.fix("--yes", wanted="")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("There is nothing to fix.", done.stdout)
        document, _ = self.fixed(0, wanted="")
        self.assertEqual((document["status"], document["after"], document["remedies"]), ("nothing", None, []))
        self.assertEqual(self.calls("apply"), [])

    def test_nothing_wrong_in_what_was_seen(self):
        done = self.fix("--yes", wanted="", BOX_CHECK="firewall-unseen")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("There is nothing to fix in what was seen. The firewall: ask root.", done.stdout)

    def test_dry_run(self):
        done = self.fix("--dry-run", wanted="a,b")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"(?s)1\. Put b in\n +since: There is no b \(80 % sure\)\n +- Put .*b into the box\n"
                                      r" +to take it back: remove it\n.*2\. Put a in\n")
        self.assertRegex(done.stdout, r"What only you can do:\n.*\n +\S Put it in yourself\n +cp a box\n")
        self.assertEqual(self.calls("apply"), [])
        document = self.document(*self.words("--dry-run"), code=0, BOX_WANTED="a")
        self.assertEqual(document["status"], "planned")
        self.assertEqual(document["before"]["causes"][0]["code"], "cause.a")
        self.assertFalse(os.path.exists(self.state))

    def test_nobody_to_ask(self):
        done = self.fix()
        self.assertEqual((done.returncode, done.stdout), (5, ""))
        self.assertIn("Put a in", done.stderr)
        self.assertIn(" fix --yes\n", done.stderr)
        self.assertEqual(self.document(*self.words(), code=5, BOX_WANTED="a")["status"], "declined")
        self.assertEqual(self.calls("apply"), [])

    def test_only(self):
        done = self.fix("--yes", "--only", "put-b", wanted="a,b")
        self.assertEqual(done.returncode, 1, done.stdout)  # a is left
        self.assertEqual(self.files(), ["b"])
        for words, says in ((["--only", "put-x"], "did you mean 'put-"), (["--only", "by-hand"], "no remedy"),
                            (["--only", "zebra"], "there are "), (["--port", "70000"], "65535"), (["more"], "more")):
            done = self.fix(*words)
            self.assertEqual(done.returncode, 2, words)
            self.assertIn(says, done.stderr)
        # It is known, and nothing asks for it now.
        done = self.fix("--yes", "--only", "take-old", wanted="b,a")
        self.assertEqual(done.returncode, 1)
        self.assertIn("nothing that p2pdiag could fix", done.stdout)
        self.assertEqual(self.files(), ["b"])

    def test_which_checks(self):
        """box.look is one of those that take long."""
        def checks(*arguments, profile='[run]\nchecks = ["box.*"]\n'):
            with open(self.profile, "w") as file:
                file.write(profile)
            document = self.document(*self.words("--dry-run", *arguments), code=0, BOX_WANTED="")
            return [check["id"] for check in document["before"]["checks"]]

        self.assertEqual(checks(), ["box.content"])
        self.assertEqual(checks("--deep"), ["box.content", "box.look"])
        self.assertEqual(checks(profile='[run]\nchecks = ["box.*"]\ndeep = true\n'), ["box.content", "box.look"])
        self.assertEqual(checks("--deep", "--skip", "box.l*"), ["box.content"])
        done = self.fix("--skip", "box.lok")
        self.assertEqual(done.returncode, 2)
        self.assertIn("unknown check 'box.lok'", done.stderr)

    def test_a_plan_that_comes_to_nothing(self):
        for how, status, state, code in (("fail", "nothing", "impossible", 1), ("unknown", "unknown", "unknown", 3),
                                         ("error", "error", "error", 4), ("crash", "error", "error", 4)):
            document, states = self.fixed(code, BOX_PLAN=how)
            self.assertEqual((document["status"], states), (status, {"put-a": state}))
            if how != "crash":
                self.assertIn(f"as {how} was wished for", self.fix("--yes", BOX_PLAN=how).stdout)
        self.assertEqual(self.calls("apply"), [])

    def test_what_is_to_be_done_alone_keeps_nothing_back_where_it_cannot_be_done(self):
        self.rules("alone = true")
        document, states = self.fixed(1, wanted="a,b")
        self.assertEqual(states, {"put-a": "verified"})
        self.host("undo", "--all", "--yes")
        document, states = self.fixed(1, wanted="a,b", BOX_PLAN="fail:a")
        self.assertEqual(states, {"put-a": "impossible", "put-b": "verified"})
        self.assertEqual(document["status"], "partly")
        self.assertEqual(self.files(), ["b"])


class Done(FixCase):
    def test_fixed(self):
        done = self.fix("--yes", wanted="a,b")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.files(), ["a", "b"])
        self.assertEqual(self.calls()[:1] + self.calls()[-1:], ["look ", "look "])
        # What stands nearer is done first.
        self.assertEqual(self.calls("apply"), ["apply b", "apply a"])
        self.assertRegex(done.stdout, r" Put b in: done, and verified\n")
        self.assertRegex(done.stdout, r"before +after\n")
        self.assertRegex(done.stdout, r"cause\.a +likely +-\n")
        self.assertRegex(done.stdout, r"box\.content +fail +pass\n")
        self.assertIn("To take it back: p2pdiag undo ", done.stdout)
        # It is one command to undo.
        self.assertEqual(self.host("undo", "--yes").returncode, 0)
        self.assertEqual(self.files(), [])
        self.assertEqual(self.states(), ["a undone", "b undone"])

    def test_document(self):
        document, states = self.fixed(0, wanted="a,b")
        self.assertEqual((document["status"], states), ("fixed", {"put-b": "verified", "put-a": "verified"}))
        self.assertEqual([check["status"] for check in document["before"]["checks"]], ["fail"])
        self.assertEqual([check["status"] for check in document["after"]["checks"]], ["pass"])
        self.assertEqual(document["after"]["causes"], [])
        ids = [remedy["steps"][0]["id"] for remedy in document["remedies"]]
        self.assertEqual(document["undo"], "p2pdiag undo " + " ".join(ids))

    def test_what_is_seen_not_to_work_is_taken_back(self):
        document, states = self.fixed(1, wanted="a,b", BOX_VERIFY="fail:b")
        self.assertEqual((document["status"], states), ("partly", {"put-b": "not-helped", "put-a": "verified"}))
        self.assertEqual(document["remedies"][0]["why"], "as fail was wished for")
        self.assertEqual(self.files(), ["a"])
        # It is no remedy any more, and what its verification found is in the report.
        offered = {remedy["id"] for cause in document["after"]["causes"] for remedy in cause["remedies"]}
        self.assertNotIn("put-b", offered)
        self.assertEqual({check["id"]: check["status"] for check in document["after"]["checks"]},
                         {"box.content": "fail", "box.put": "fail"})
        self.assertEqual([cause["code"] for cause in document["after"]["causes"]], ["cause.b"])
        # Before anything else is tried.
        self.assertLess(self.calls().index("revert b"), self.calls().index("apply a"))

    def test_what_changes_nothing_is_taken_back(self):
        for how in ("", "unknown"):
            document, states = self.fixed(1, BOX_CHECK="blind", BOX_VERIFY=how)
            self.assertEqual((document["status"], states), ("not-helped", {"put-a": "not-helped"}))
            self.assertIn("cause.a stands as before", document["remedies"][0]["why"])
            self.assertEqual(self.files(), [])
            self.assertIsNone(document["undo"])
        done = self.fix("--yes", BOX_CHECK="blind")
        self.assertIn("did not help, and is taken back", done.stdout)

    def test_what_works_around_stays(self):
        self.rules("works_around = true")
        document, states = self.fixed(0, BOX_CHECK="blind")
        self.assertEqual((document["status"], states), ("fixed", {"put-a": "verified"}))
        self.assertEqual(document["after"]["causes"][0]["code"], "cause.a")
        self.host("undo", "--all", "--yes")
        # What is worked around leaves nothing to do for anybody.
        self.assertNotIn("What only you can do", self.fix("--yes", BOX_CHECK="blind").stdout)
        self.host("undo", "--all", "--yes")
        document, states = self.fixed(3, BOX_CHECK="blind", BOX_VERIFY="unknown")
        self.assertEqual((document["status"], states), ("unproven", {"put-a": "unproven"}))
        self.assertEqual(self.files(), ["a"])

    def test_the_checks_can_prove_what_a_verification_could_not(self):
        document, states = self.fixed(0, BOX_VERIFY="unknown")
        self.assertEqual((document["status"], states), ("fixed", {"put-a": "verified"}))
        self.assertIn("no longer find cause.a", document["remedies"][0]["why"])

    def test_what_works_in_part_is_left_to_the_checks(self):
        document, states = self.fixed(0, BOX_VERIFY="in-part")
        self.assertEqual((document["status"], states), ("fixed", {"put-a": "verified"}))
        self.host("undo", "--all", "--yes")
        document, states = self.fixed(1, BOX_CHECK="blind", BOX_VERIFY="in-part")
        self.assertEqual(states, {"put-a": "not-helped"})

    def test_one_that_cannot_be_done(self):
        for how, code, status, state in (("fail", 1, "partly", "not-done"), ("crash", 4, "error", "error")):
            document, states = self.fixed(code, wanted="a,b", BOX_APPLY=how + ":b")
            self.assertEqual((document["status"], states), (status, {"put-b": state, "put-a": "verified"}))
            self.assertEqual(self.files(), ["a"])
            self.host("undo", "--all", "--yes")
        done = self.fix("--yes", wanted="a,b", BOX_APPLY="fail:b")
        self.assertIn("could not be done, and is taken back", done.stdout)
        self.assertIn("as fail was wished for", done.stdout)

    def test_taking_back_an_earlier_one(self):
        self.put("old")
        document, states = self.fixed(1, wanted="new", arguments=["--only", "take-old"])
        self.assertEqual((document["status"], states), ("partly", {"take-old": "verified"}))
        self.assertEqual(self.files(), [])
        document, states = self.fixed(1, wanted="new")
        self.assertEqual(states, {"take-old": "impossible"})


class Interrupted(FixCase):
    def interrupt_fix(self, line, **wishes):
        """Ends it by Ctrl-C once `line` was called; what it printed."""
        process = self.start(*self.words("--yes", "--format", "json"), BOX_WANTED="a,b", **wishes)
        self.wait_for(line, lambda: self.calls(line))
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 130, errors)
        self.assertEqual(self.files(), [])
        self.assertEqual([state for state in self.states() if not state.endswith("undone")], [])
        return json.loads(out)

    def test_ctrl_c(self):
        self.assertEqual(self.interrupt_fix("look", BOX_CHECK="hang")["remedies"], [])
        for line, wish, a in (("apply b", {"BOX_APPLY": "hang:b"}, "not-begun"),
                              ("apply a", {"BOX_APPLY": "hang:a"}, "taken-back"),
                              ("verify a", {"BOX_VERIFY": "hang:a"}, "taken-back")):
            document = self.interrupt_fix(line, **wish)
            self.assertEqual((document["status"], document["after"]), ("interrupted", None))
            self.assertEqual({remedy["status"] for remedy in document["remedies"]}, {"interrupted"})
            self.assertEqual({remedy["id"]: remedy["interrupted"] for remedy in document["remedies"]},
                             {"put-b": "taken-back", "put-a": a})
            os.remove(self.box + "/.log")

    def interrupted_text(self, line, **wishes):
        process = self.start(*self.words("--yes"), BOX_WANTED="a,b", **wishes)
        self.wait_for(line, lambda: self.calls(line))
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 130, errors)
        os.remove(self.box + "/.log")
        return out + errors

    def test_what_became_of_each_is_said(self):
        said = self.interrupted_text("apply b", BOX_APPLY="hang:b")
        self.assertIn("- Put b in: interrupted, and taken back\n", said)
        self.assertIn("- Put a in: not begun: it was interrupted\n", said)
        said = self.interrupted_text("look", BOX_CHECK="hang")
        self.assertIn("Interrupted before anything was changed.\n", said)
        said = self.interrupted_text("verify a", BOX_VERIFY="hang:a", BOX_REVERT="fail:b")
        self.assertIn("- Put b in: interrupted; what was done of it may still be in place\n", said)
        self.assertIn("- Put a in: interrupted, and taken back\n", said)
        self.assertRegex(said, r"To take it back: p2pdiag undo [0-9a-f]{8}\n")
        self.assertEqual((self.files(), sorted(self.states())[0]), (["b"], "a undone"))

    def test_what_did_not_help_and_cannot_be_taken_back(self):
        done = self.fix("--yes", BOX_VERIFY="fail", BOX_REVERT="fail")
        self.assertIn("Put a in: did not help, and could not be taken back\n", done.stdout)
        self.assertNotIn("is taken back", done.stdout)

    def test_killed(self):
        """Whenever it is, the journal knows what is in place."""
        for variable, line in (("BOX_APPLY", "apply a"), ("BOX_VERIFY", "verify a"), ("BOX_APPLY", "apply b")):
            process = self.start(*self.words("--yes"), BOX_WANTED="a,b", **{variable: "kill-host:" + line[-1]})
            process.communicate(timeout=PATIENCE)
            self.assertEqual(process.returncode, -signal.SIGKILL)
            self.assertTrue(self.files(), line)
            self.assertEqual(self.host("undo", "--all", "--yes").returncode, 0)
            self.assertEqual(self.files(), [])

    def test_full_disk(self):
        os.makedirs(self.state + "/p2pdiag")
        with open(self.state + "/p2pdiag/changes", "w"):
            pass
        document, states = self.fixed(4)
        self.assertEqual((document["status"], states), ("error", {"put-a": "error"}))
        self.assertEqual(self.files(), [])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
