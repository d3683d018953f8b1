"""Changing something and taking it back, as people and scripts meet it. The plugin "box" puts files into a folder."""
import contextlib
import fcntl
import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import unittest

from change_case import HOST, PATIENCE, Case


def state_of(pid):
    """The kernel's letter for what the process does: S it sleeps, Z it has ended and nobody has asked for it."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return file.read().rpartition(") ")[2][0]


class Plan(Case):
    def test_dry_run(self):
        done = self.host("box", "put", "--name", "a", "--name", "b", "--dry-run")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"1\. Put .*a into the box\n +to take it back: remove it\n +2\. Put .*b into")
        self.assertIn("Note: a note", done.stdout)
        self.assertIn("net.port-in-use: said while planning", done.stdout)
        document = self.document("box", "put", "--name", "a", "--dry-run", code=0)
        self.assertEqual(document["status"], "planned")
        self.assertEqual(document["plan"]["notes"], ["a note"])
        self.assertEqual([step["state"] for step in document["steps"]], ["not-begun"])
        self.assertEqual(self.files(), [])
        self.assertFalse(os.path.exists(self.state))

    def test_a_plan_that_comes_to_nothing(self):
        for how, status, code in (("skip", "nothing", 0), ("fail", "impossible", 1), ("unknown", "unknown", 3),
                                  ("error", "error", 4), ("warn", "error", 4), ("crash", "error", 4),
                                  ("no-steps", "error", 4), ("half-a-step", "error", 4)):
            done = self.host("box", "put", "--name", "a", "--yes", BOX_PLAN=how)
            self.assertEqual(done.returncode, code, how)
            document = self.document("box", "put", "--name", "a", "--yes", code=code, BOX_PLAN=how)
            self.assertEqual(document["status"], status)
            self.assertEqual(document["exit_code"], code)
            self.assertTrue(document["plan"]["summary"])
            self.assertIn("said while planning", [f["message"] for f in document["plan"]["findings"]])
            if how in ("skip", "fail", "unknown"):
                self.assertIn(f"as {how} was wished for", done.stdout)
                self.assertIn("said while planning", done.stdout)
        self.assertEqual(self.calls(), [])

    def test_arguments_that_only_the_plugin_can_judge(self):
        for more in ([], ["--dry-run"]):
            done = self.host("box", "put", "--name", "a", "--yes", *more, BOX_PLAN="bad-arguments")
            self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
            self.assertIn("as fail was wished for", done.stderr)
        error = self.document("box", "put", "--name", "a", "--yes", code=2, BOX_PLAN="bad-arguments")["error"]
        self.assertEqual(error, {"exit_code": 2, "message": "as fail was wished for"})
        self.assertEqual(self.calls(), [])

    def test_bad_usage(self):
        for words in (["box", "put", "--yes"], ["box", "put", "--name", "a", "--count", "many"],
                      ["box", "drop", "--name", "a", "--keep"], ["undo", "nothing"], ["undo", "--all", "--list"],
                      ["undo", "00000000", "--all"], ["undo", "--keep"],
                      ["undo", "--forget"], ["undo", "--forget", "--all"], ["undo", "--forget", "00000000"]):
            self.assertEqual(self.host(*words).returncode, 2, words)
            self.assertEqual(self.document(*words, code=2)["error"]["exit_code"], 2)
        self.assertEqual(self.calls(), [])

    def test_interrupted(self):
        process = self.start("box", "put", "--name", "a", "--yes", BOX_PLAN="hang")
        process.stderr.readline()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 130)
        self.assertEqual(self.calls(), [])


class Confirmation(Case):
    def test_nobody_to_ask(self):
        done = self.host("box", "put", "--name", "it's a", "--name", "b")
        self.assertEqual(done.returncode, 5)
        self.assertEqual(done.stdout, "")
        self.assertIn("This is to be done:", done.stderr)
        self.assertEqual(self.files(), [])
        self.assertEqual(self.document("box", "put", "--name", "a", code=5)["status"], "declined")
        # The words that it says do it.
        words = re.search(r"^  p2pdiag (.*--yes)$", done.stderr, re.M).group(1)
        typed = subprocess.run(["sh", "-c", f"{HOST} {words}"], env=self.environment, capture_output=True,
                               timeout=PATIENCE)
        self.assertEqual(typed.returncode, 0, typed.stderr)
        self.assertEqual(self.files(), ["b", "it's a"])
        done = self.host("undo")
        self.assertEqual(done.returncode, 5)
        self.assertIn(f"p2pdiag --plugin-dir {self.plugins} undo --yes\n", done.stderr)
        self.assertEqual(self.document("undo", "--all", code=5)["status"], "declined")
        self.assertEqual(self.files(), ["b", "it's a"])

    def on_terminal(self, answer, *arguments):
        """Exit code, stdout, and what the terminal showed after `answer` was typed to the question."""
        main, terminal = pty.openpty()

        def own_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        process = subprocess.Popen(self.command(*arguments), env=self.environment, stdin=terminal, stderr=terminal,
                                   stdout=subprocess.PIPE, preexec_fn=own_terminal)
        self.addCleanup(self.end, process)
        os.close(terminal)
        shown = b""
        while b"[y/N]" not in shown:
            try:
                shown += os.read(main, 1000)
            except OSError:
                break
        if b"[y/N]" in shown:
            os.write(main, answer)
        out, _ = process.communicate(timeout=PATIENCE)
        os.close(main)
        return process.returncode, out.decode(), shown.decode()

    def test_answers(self):
        for answer, code in ((b"n\n", 5), (b"\n", 5), (b"yesterday\n", 5), (b"\x04", 5), (b"\x03", 130)):
            result, out, shown = self.on_terminal(answer, "box", "put", "--name", "a")
            self.assertEqual((result, out), (code, ""), answer)
            self.assertIn("Do this? [y/N]", shown)
            self.assertIn("into the box", shown)
        self.assertEqual(self.files(), [])
        for answer in (b"y\n", b" YES \n"):
            code, out, _ = self.on_terminal(answer, "box", "put", "--name", "a")
            self.assertEqual(code, 0)
            self.assertIn("Done, and verified.", out)
        self.assertEqual(self.files(), ["a"])
        self.assertEqual(self.on_terminal(b"n\n", "undo", "--all")[0], 5)
        self.assertEqual(self.files(), ["a"])
        code, _, shown = self.on_terminal(b"y\n", "undo", "--all")
        self.assertEqual(code, 0)
        self.assertIn("Take this back? [y/N]", shown)
        self.assertEqual(self.files(), [])

    def test_never_asked(self):
        code, _, shown = self.on_terminal(b"y\n", "--no-input", "box", "put", "--name", "a")
        self.assertEqual(code, 5)
        self.assertNotIn("[y/N]", shown)


class Apply(Case):
    def test_done(self):
        done = self.put("a", "b")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("This is to be done:", done.stderr)
        self.assertIn("verified: a lies there", done.stdout)
        self.assertIn("Done, and verified.", done.stdout)
        ids = [record["id"] for record in reversed(self.records())]
        self.assertTrue(done.stdout.endswith(f"To take it back: p2pdiag undo {ids[0]} {ids[1]}\n"), done.stdout)
        self.assertEqual(self.files(), ["a", "b"])
        self.assertEqual(self.states(), ["b applied", "a applied"])
        for record in self.records():
            self.assertEqual(record["record"], {"stage": "done"})
        with open(self.box + "/a") as file:
            self.assertEqual(file.read(), ids[0])
        self.assertEqual(os.stat(self.record_files()[0]).st_mode & 0o777, 0o600)
        self.assertEqual(os.stat(self.state + "/p2pdiag/changes").st_mode & 0o777, 0o700)

    def test_told_to_checks(self):
        """The plugin's own open records, with what was verified, are in the input of its checks."""
        def told():
            report = self.document("run", "box.look", code=0)
            return report["checks"][0]["data"]["changes"]
        self.assertEqual(told(), [])
        self.put("a")
        record, = told()
        self.assertEqual((record["id"], record["state"], record["match"]["name"], record["held_by"]),
                         (self.records()[0]["id"], "applied", "a", None))
        self.assertEqual(record["verify"], {"status": "pass", "summary": "a lies there", "data": None})
        self.assertEqual(self.host("undo", "--yes").returncode, 0)
        self.assertEqual(told(), [])
        self.put("b", BOX_VERIFY="again-in-vain")
        self.assertEqual(told()[0]["verify"]["data"], {"again": True})

    def test_document(self):
        document = self.document("box", "put", "--name", "a", "--yes", code=0)
        self.assertEqual((document["status"], document["change"]), ("applied", "box.put"))
        step = document["steps"][0]
        self.assertEqual(step["id"], self.records()[0]["id"])
        self.assertEqual(step["match"], {"name": "a", "count": 7})
        self.assertEqual((step["state"], step["apply"]["status"]), ("applied", "pass"))
        self.assertEqual(step["verify"]["summary"], "a lies there")
        self.assertEqual(document["undo"], "p2pdiag undo " + step["id"])

    def test_default_place_of_the_journal(self):
        self.environment["XDG_STATE_HOME"] = ""
        self.environment["HOME"] = self.place + "/home"
        self.put("a")
        self.assertEqual(len(os.listdir(self.place + "/home/.local/state/p2pdiag/changes")), 1)

    def test_a_journal_for_some_commands(self):
        self.environment["P2PDIAG_STATE_DIR"] = self.place + "/apart"
        self.put("a")
        self.assertEqual(len(os.listdir(self.place + "/apart/changes")), 1)
        self.assertFalse(os.path.exists(self.state))
        self.assertEqual(self.host("undo", "--yes").returncode, 0)
        self.assertEqual(self.files(), [])

    def test_a_step_that_fails_takes_back_all(self):
        for how, code, status in (("fail", 1, "not-applied"), ("unknown", 1, "not-applied"), ("error", 4, "error"),
                                  ("crash", 4, "error"), ("early-crash", 4, "error")):
            words = ["box", "put", "--name", "a", "--name", "b", "--name", "c", "--yes"]
            document = self.document(*words, code=code, BOX_APPLY=how + ":b")
            self.assertEqual(document["status"], status)
            self.assertEqual([step["state"] for step in document["steps"]], ["undone", "undone", "not-begun"])
            self.assertIsNone(document["undo"])
            self.assertEqual(self.calls()[-2:], ["revert b", "revert a"])
            self.assertEqual(self.files(), [])
        done = self.put("a", "b", BOX_APPLY="crash:b")
        self.assertIn("SIGABRT", done.stdout)
        self.assertIn("Everything is taken back.", done.stdout)
        self.assertEqual(self.host("undo", "--all", "--yes").stdout, "There is nothing to take back.\n")

    def test_what_cannot_be_taken_back_is_said(self):
        done = self.put("a", "b", BOX_APPLY="fail:b", BOX_REVERT="fail:b")
        self.assertEqual(done.returncode, 1)
        self.assertIn("could not be taken back: as fail was wished for", done.stdout)
        self.assertIn("p2pdiag undo " + self.records()[0]["id"], done.stdout)
        self.assertEqual(self.files(), ["b"])
        self.assertEqual(self.states(), ["b planned", "a undone"])

    def test_verification(self):
        for how, code, says in (("fail", 1, "Done, but it does not work. What was done stays in place."),
                                ("unknown", 0, "Done. 1 of 2 verified; whether the rest works could not be told."),
                                ("warn", 0, "Done. 1 of 2 verified, 1 in part, as said above."),
                                ("again", 0, "Done, and verified."),
                                ("again-in-vain", 1, "it does not work"),
                                ("in-part", 1, "not all works that was asked for. What was done stays in place."),
                                ("crash", 4, "is in place")):
            done = self.put("a", "b", BOX_VERIFY=how + ":a")
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn(says, done.stdout)
            self.assertIn("To take it back: p2pdiag undo ", done.stdout)
            self.assertEqual(self.files(), ["a", "b"])
            tries = 2 if how.startswith("again") else 1
            self.assertEqual(self.calls("apply a"), ["apply a"] * tries)
            self.assertEqual(self.calls("revert"), ["revert a"] * (tries - 1))
            self.host("undo", "--all", "--yes")
            os.remove(self.box + "/.log")
        self.assertIn("Done. Whether it works could not be told.", self.put("a", BOX_VERIFY="unknown:a").stdout)
        self.assertIn("works in part: as fail was wished for", self.put("a", BOX_VERIFY="in-part:a").stdout)
        done = self.put("a", BOX_VERIFY="warn:a")
        self.assertIn("verified in part: as warn was wished for", done.stdout)
        self.assertIn("Done. It is verified in part, as said above.", done.stdout)

    def test_going_on_with_an_earlier_one(self):
        self.put("a")
        first = self.records()[0]["id"]
        self.put("z")
        document = self.document("box", "put", "--name", "a", "--yes", code=0, BOX_CONTINUES=first)
        self.assertEqual(document["steps"][0]["id"], first)
        self.assertEqual(self.states(), ["a applied", "z applied"])
        self.assertEqual(self.calls("go on"), ["go on with a"])
        done = self.put("a", BOX_CONTINUES=first, BOX_APPLY="fail")
        self.assertEqual(done.returncode, 1)
        self.assertIn("what was there before is left as it is", done.stdout)
        self.assertIn(f"To take it back: p2pdiag undo {first}\n", done.stdout)
        self.assertEqual(self.files(), ["a", "z"])
        # It is the newest now.
        self.assertEqual(self.host("undo", "--yes").returncode, 0)
        self.assertEqual(self.files(), ["z"])
        done = self.put("a", BOX_CONTINUES=first)
        self.assertEqual(done.returncode, 4)
        self.assertIn(first + " is no longer in place", done.stdout)
        self.assertEqual(self.put("a", BOX_CONTINUES="../../x").returncode, 4)
        self.assertEqual(self.files(), ["z"])

    def applying(self, **wishes):
        """A process that applies two steps, and does not come past a function of the second."""
        process = self.start("box", "put", "--name", "a", "--name", "b", "--yes", "--format", "json", **wishes)
        last = "verify b" if "BOX_VERIFY" in wishes else "apply b"
        self.wait_for(last, lambda: last in self.calls() and "b" in self.files())
        return process

    def test_interrupted(self):
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)):
            for wishes in ({"BOX_APPLY": "hang:b"}, {"BOX_VERIFY": "hang:b"}, {"BOX_APPLY": "stubborn:b"}):
                process = self.applying(**wishes)
                process.send_signal(number)
                out, error = process.communicate(timeout=PATIENCE)
                self.assertIn("Stopping; what was done is taken back.", error)
                self.assertEqual((process.returncode, json.loads(out)["status"]), (code, "interrupted"))
                self.assertEqual(self.files(), [])
                self.assertEqual(self.calls()[-2:], ["revert b", "revert a"])
                os.remove(self.box + "/.log")
        self.assertEqual({record["state"] for record in self.records()}, {"undone"})

    def test_interrupted_twice(self):
        process = self.applying(BOX_APPLY="stubborn:b", BOX_REVERT="stubborn")
        process.send_signal(signal.SIGINT)
        self.wait_for("revert b", lambda: "revert b" in self.calls())
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=PATIENCE)
        document = json.loads(out)
        self.assertEqual((process.returncode, document["status"]), (130, "interrupted"))
        self.assertEqual([step["revert"]["status"] for step in document["steps"]], ["cancelled"] * 2)
        self.assertEqual(document["undo"].split()[2:], [record["id"] for record in reversed(self.records())])
        self.assertEqual(self.files(), ["a", "b"])
        self.assertEqual(self.states(), ["b planned", "a applied"])
        self.assertEqual(self.host("undo", "--yes").returncode, 0)
        self.assertEqual(self.files(), [])

    def test_several_signals_are_one_wish(self):
        """As of timeout(1), a supervisor that ends a group, a terminal that is closed."""
        for signals in ((signal.SIGTERM, signal.SIGHUP), (signal.SIGINT, signal.SIGTERM)):
            process = self.applying(BOX_VERIFY="hang:b")
            # It finds all of them when it goes on.
            for number in (signal.SIGSTOP, *signals, signal.SIGCONT):
                process.send_signal(number)
            out, error = process.communicate(timeout=PATIENCE)
            self.assertEqual(json.loads(out)["status"], "interrupted", error)
            self.assertIn(process.returncode, (130, 143))
            self.assertEqual(self.files(), [])
            self.assertEqual({record["state"] for record in self.records()}, {"undone"})

    def test_a_signal_that_comes_too_late(self):
        """Done means done, and 0: nothing is left in place by a command that was ended."""
        read, write = os.pipe()
        self.addCleanup(os.close, read)
        # The host stands in its last write until somebody reads.
        os.set_blocking(write, False)
        filled = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                filled += os.write(write, b"x" * 4096)
        os.set_blocking(write, True)
        process = subprocess.Popen(self.command("box", "put", "--name", "a", "--yes"), env=self.environment,
                                   stdin=subprocess.DEVNULL, stdout=write, stderr=subprocess.DEVNULL)
        self.addCleanup(self.end, process)
        os.close(write)
        self.wait_for("its last write", lambda: self.records() and self.records()[0]["verify"]
                      and self.is_writing(process.pid))
        process.send_signal(signal.SIGTERM)
        text = b""
        while block := os.read(read, 65536):
            text += block
        self.assertEqual(process.wait(PATIENCE), 0)
        self.assertIn("Done, and verified.", text[filled:].decode())
        self.assertEqual(self.files(), ["a"])

    @staticmethod
    def is_writing(pid):
        """It waits, and no longer for a child: a kernel that does not tell for what says so of a running process as well."""
        with open(f"/proc/{pid}/wchan") as file:
            where = file.read()
        children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout
        return state_of(pid) == "S" and not children and ("pipe_write" in where or where in ("", "0"))

    def test_killed_while_it_applies(self):
        process = self.start("box", "put", "--name", "a", "--name", "b", "--yes", BOX_APPLY="stubborn:b")
        self.wait_for("the file b", lambda: "b" in self.files())
        # What the plugin handed over before it went on is in the journal.
        self.assertEqual(self.records()[0]["record"], {"stage": "begun"})
        process.kill()
        process.communicate()
        self.assertEqual(self.states(), ["b planned", "a applied"])
        listing = self.host("undo", "--list").stdout
        self.assertRegex(listing, r"planned +Put .*b into the box\n.*was not finished")
        done = self.host("undo", "--all", "--yes")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(self.files(), [])
        self.assertEqual(self.calls()[-2:], ["revert b", "revert a"])

    def test_what_was_handed_over_is_in_the_journal(self):
        self.assertEqual(self.put("a", BOX_APPLY="kill-host").returncode, -signal.SIGKILL)
        self.assertEqual(self.records()[0]["record"], {"stage": "begun"})

    def test_what_is_not_in_the_journal_is_not_done(self):
        # The host is killed while the plugin waits for it to write the record down.
        self.assertEqual(self.put("a", BOX_APPLY="lose-host").returncode, -signal.SIGKILL)
        pid = self.calls("process")[0].split()[1]
        self.wait_for("the child's end", lambda: not os.path.exists(f"/proc/{pid}") or
                      state_of(pid) == "Z")
        self.assertEqual((self.states(), self.records()[0]["record"], self.files()), (["a planned"], None, []))

    def test_killed_in_between(self):
        # As after a reboot: begun, and nothing known of how far it came.
        self.put("a", BOX_APPLY="early-crash", BOX_REVERT="fail")
        self.assertEqual((self.states(), self.records()[0]["record"]), (["a planned"], None))
        self.assertEqual(self.host("undo", "--yes").returncode, 0)
        self.assertEqual(self.states(), ["a undone"])


class Journal(Case):
    def test_nothing_is_applied_without_it(self):
        with open(self.state, "w") as file:
            file.write("no directory")
        done = self.put("a")
        self.assertEqual(done.returncode, 4)
        self.assertIn("the journal cannot be written: " + self.state, done.stdout)
        self.assertIn("Nothing was changed.", done.stdout)
        self.assertEqual(self.document("box", "put", "--name", "a", "--yes", code=4)["status"], "error")
        self.environment.pop("XDG_STATE_HOME")
        self.environment.pop("HOME", None)
        done = self.put("a")
        self.assertEqual(done.returncode, 4)
        self.assertIn("set XDG_STATE_HOME, HOME or P2PDIAG_STATE_DIR", done.stdout)
        # A place that was named wrongly is not replaced by another one.
        self.environment.update(XDG_STATE_HOME=self.place + "/other", P2PDIAG_STATE_DIR="here")
        self.assertEqual(self.put("a").returncode, 4)
        self.assertEqual(self.calls(), [])

    def test_others_may_not_write_to_it(self):
        self.put("a")
        os.chmod(self.state + "/p2pdiag/changes", 0o777)
        self.assertEqual(self.put("b").returncode, 4)
        done = self.host("undo", "--all", "--yes")
        self.assertEqual(done.returncode, 1)
        self.assertIn("others than you can write to it", done.stderr)
        self.assertEqual(self.files(), ["a"])

    def test_a_record_that_cannot_be_read(self):
        self.put("a", "b", "c")
        newest, middle, oldest = (f"{self.state}/p2pdiag/changes/{record['id']}.json" for record in self.records())
        with open(newest, "w") as file:
            file.write('{"format_version": "1.0", "id": ')
        with open(middle) as file:
            future = json.load(file)
        future["format_version"] = "2.0"
        with open(middle, "w") as file:
            json.dump(future, file)
        for arguments in (["--list"], ["--all", "--yes"]):
            done = self.host("undo", *arguments)
            self.assertIn(newest + ": left alone, since it is not valid JSON", done.stderr)
            self.assertIn(middle + ": left alone, since it has format_version 2.0", done.stderr)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(self.files(), ["b", "c"])
        unreadable = self.document("undo", "--all", "--yes", code=1)["unreadable"]
        self.assertEqual([entry["file"] for entry in unreadable], sorted([newest, middle]))
        with open(middle) as file:
            self.assertEqual(json.load(file), future)
        # Others can be made and taken back beside them.
        self.assertEqual(self.put("d").returncode, 0)
        self.assertEqual(self.host("undo", "--yes").returncode, 0)
        self.assertEqual(self.files(), ["b", "c"])

    def test_many_at_once(self):
        started = [self.start("box", "put", "--name", f"f{i}", "--yes") for i in range(6)]
        for process in started:
            out, error = process.communicate(timeout=PATIENCE)
            self.assertEqual(process.returncode, 0, out + error)
        self.assertEqual(len(self.files()), 6)
        self.assertEqual(len({record["id"] for record in self.records()}), 6)
        undoing = [self.start("undo", "--all", "--yes") for _ in range(3)]
        for process in undoing:
            process.communicate(timeout=PATIENCE)
            # 1: another one was at it.
            self.assertIn(process.returncode, (0, 1))
        self.assertEqual(self.host("undo", "--all", "--yes").returncode, 0)
        self.assertEqual(self.files(), [])
        self.assertEqual(sorted(self.calls("revert")), [f"revert f{i}" for i in range(6)])


class Undo(Case):
    def test_the_last_command(self):
        self.put("a")
        self.put("b", "c")
        done = self.host("undo", "--yes")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("Taken back.", done.stdout)
        self.assertEqual(self.calls("revert"), ["revert c", "revert b"])
        self.assertEqual(self.files(), ["a"])
        self.assertEqual(self.host("undo", "--yes").returncode, 0)
        self.assertEqual(self.files(), [])
        self.assertEqual(self.host("undo", "--yes").returncode, 0)
        self.assertEqual(self.document("undo", "--yes", code=0)["status"], "nothing")

    def test_by_id(self):
        self.put("a", "b", "c")
        ids = {record["step"]["name"]: record["id"] for record in self.records()}
        self.assertEqual(self.host("undo", ids["a"], ids["c"], "--yes").returncode, 0)
        self.assertEqual(self.calls("revert"), ["revert c", "revert a"])
        self.assertEqual(self.files(), ["b"])
        document = self.document("undo", ids["a"], "--yes", code=0)
        self.assertEqual(document["steps"][0]["outcome"], "already")
        wrong = ids["b"][:-1] + ("0" if ids["b"][-1] != "0" else "1")
        done = self.host("undo", wrong, "--yes")
        self.assertEqual(done.returncode, 2)
        self.assertIn(f"did you mean '{ids['b']}'?", done.stderr)

    def test_all_newest_first(self):
        for name in "abc":
            self.put(name)
        dry = self.host("undo", "--all", "--dry-run")
        self.assertEqual(dry.returncode, 0)
        self.assertEqual(re.findall(r"Put .*(\w) into", dry.stdout), ["c", "b", "a"])
        self.assertEqual(self.document("undo", "--all", "--dry-run", code=0)["status"], "planned")
        self.assertEqual(self.files(), ["a", "b", "c"])
        self.assertEqual(self.host("undo", "--all", "--yes").returncode, 0)
        self.assertEqual(self.calls("revert"), ["revert c", "revert b", "revert a"])
        self.assertEqual(self.files(), [])

    def test_list(self):
        self.assertEqual(self.host("undo", "--list").stdout, "No change of p2pdiag is in place.\n")
        self.assertEqual(self.document("undo", "--list", code=0)["changes"], [])
        self.put("a", "b")
        b, a = (record["id"] for record in self.records())
        self.host("undo", a, "--yes")
        listing = self.host("undo", "--list").stdout
        self.assertRegex(listing, rf"^{b}  \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\dZ  applied +Put .*b into the box\n$")
        self.assertRegex(self.host("undo", "--list", "--verbose").stdout, rf"{a} .* undone")
        changes = self.document("undo", "--list", code=0)["changes"]
        self.assertEqual([(change["id"], change["state"]) for change in changes], [(b, "applied"), (a, "undone")])
        self.assertIsNone(changes[0]["held_by"])

    def test_by_the_options_of_a_command(self):
        self.put("a", "b")
        self.host("box", "drop", "--name", "d", "--yes")
        for words in (["--name", "d"], ["--name", "a", "--count", "8"], ["--other", "x"]):
            done = self.host("box", "take", *words, "--yes")
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn("takes back only what it made", done.stderr)
        self.assertEqual(self.host("box", "take", "--name", "a").returncode, 5)
        self.assertEqual(self.host("box", "take", "--name", "a", "--dry-run").returncode, 0)
        self.assertEqual(self.files(), ["a", "b", "d"])
        # A default that nobody typed (count, 3) is no wish.
        document = self.document("box", "take", "--name", "a", "--count", "7", "--yes", code=0)
        self.assertEqual([step["match"]["name"] for step in document["steps"]], ["a"])
        self.assertEqual(self.files(), ["b", "d"])
        self.assertEqual(self.host("box", "take", "--yes").returncode, 0)
        self.assertEqual(self.files(), ["d"])

    def test_what_cannot_be_taken_back_stays_open(self):
        self.put("a", "b", "c")
        document = self.document("undo", "--all", "--yes", code=1, BOX_REVERT="fail:b")
        self.assertEqual(document["status"], "incomplete")
        self.assertEqual([step["outcome"] for step in document["steps"]], ["undone", "failed", "undone"])
        self.assertIn("last problem: taking it back: as fail was wished for", self.host("undo", "--list").stdout)
        done = self.host("undo", "--all", "--yes", BOX_REVERT="crash:b")
        self.assertEqual(done.returncode, 4)
        self.assertIn("SIGABRT", done.stdout)
        self.assertEqual(self.files(), ["b"])
        self.assertEqual(self.host("undo", "--all", "--yes").returncode, 0)
        self.assertEqual(self.files(), [])

    def test_forgotten(self):
        self.put("a", "b")
        b, a = (record["id"] for record in self.records())
        done = self.host("undo", "--all", "--yes", BOX_REVERT="fail:b")
        self.assertIn(f"p2pdiag undo --forget {b}\n", done.stdout)
        dry = self.host("undo", "--forget", b, "--dry-run")
        for words in ("may still be in place", "what would take it back: remove it",
                      "failed the last time: taking it back: as fail was wished for"):
            self.assertIn(words, dry.stdout)
        done = self.host("undo", "--forget", b)
        self.assertEqual(done.returncode, 5)
        self.assertIn("may still be in place", done.stderr)
        self.assertEqual(self.states(), ["b applied", "a undone"])
        document = self.document("undo", "--forget", b, "--yes", code=0)
        self.assertEqual((document["status"], document["steps"][0]["outcome"]), ("forgotten", "forgotten"))
        self.assertEqual(self.files(), ["b"])
        # It is history, and may be named all the same.
        self.assertEqual(self.host("undo", "--list").stdout, "No change of p2pdiag is in place.\n")
        self.assertRegex(self.host("undo", "--list", "--verbose").stdout, rf"{b} .* forgotten +Put")
        self.assertEqual(self.host("undo", "--all", "--yes").stdout, "There is nothing to take back.\n")
        self.assertEqual(self.host("undo", "--forget", a, b, "--yes").stdout, "There is nothing to forget.\n")
        self.assertEqual(self.host("undo", b, "--yes", BOX_REVERT="fail:b").returncode, 1)
        self.assertEqual(self.states(), ["b forgotten", "a undone"])
        done = self.host("undo", b, "--yes")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual((self.files(), self.states()), ([], ["b undone", "a undone"]))

    def test_what_was_never_tried_is_said_when_it_is_forgotten(self):
        self.put("a")
        identifier = self.records()[0]["id"]
        done = self.host("undo", "--forget", identifier, "--yes")
        self.assertIn(f"nobody has tried that yet: 'p2pdiag undo {identifier}' does", done.stderr)
        self.assertIn("Forgotten.", done.stdout)
        self.assertEqual(self.calls("revert"), [])

    def test_without_its_plugin(self):
        self.put("a")
        os.rename(self.plugins + "/box.so", self.place + "/box.so")
        done = self.host("undo", "--all", "--yes")
        self.assertEqual(done.returncode, 4)
        self.assertIn("the plugin box 1.0 that made it is not loaded", done.stdout)
        self.assertEqual(self.states(), ["a applied"])
        os.rename(self.place + "/box.so", self.plugins + "/box.so")
        self.assertEqual(self.host("undo", "--all", "--yes").returncode, 0)
        self.assertEqual(self.files(), [])

    def test_interrupted(self):
        self.put("a", "b", "c")
        process = self.start("undo", "--all", "--yes", BOX_REVERT="wait:c")
        self.wait_for("revert c", lambda: "revert c" in self.calls())
        self.interrupt(process)
        # What was begun is finished, and nothing else begun.
        open(self.box + "/.go", "w").close()
        out, error = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 130, out + error)
        self.assertEqual(self.states(), ["c undone", "b applied", "a applied"])
        self.assertEqual(self.calls("revert"), ["revert c"])

    def test_interrupted_twice(self):
        self.put("a", "b")
        process = self.start("undo", "--all", "--yes", "--format", "json", BOX_REVERT="hang:b")
        self.wait_for("revert b", lambda: "revert b" in self.calls())
        self.interrupt(process)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 130)
        document = json.loads(out)
        self.assertEqual(document["status"], "incomplete")
        self.assertEqual([step["outcome"] for step in document["steps"]], ["interrupted"] * 2)
        self.assertEqual(document["steps"][0]["revert"]["status"], "cancelled")
        self.assertEqual(self.files(), ["a", "b"])
        self.assertEqual(self.calls("revert"), ["revert b"])

    def test_a_verb_sees_open_changes(self):
        self.put("a", "b")
        self.host("undo", self.records()[0]["id"], "--yes")
        changes = json.loads(self.host("box", "list").stdout)["changes"]
        self.assertEqual([(change["step"], change["state"]) for change in changes], [({"name": "a"}, "applied")])


class Keep(Case):
    def keep(self, *arguments, **wishes):
        process = self.start("box", "put", "--name", "a", "--name", "b", "--keep", "--yes", *arguments, **wishes)
        self.wait_for("both are kept", lambda: len(self.calls("keep")) == 2 and all(
            record["record"] == {"stage": "kept"} for record in self.records()))
        return process

    def test_until_it_is_told_to_end(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            process = self.keep()
            self.assertEqual(self.files(), ["a", "b"])
            process.send_signal(number)
            out, error = process.communicate(timeout=PATIENCE)
            self.assertEqual(process.returncode, 0, out + error)
            self.assertRegex(error, r"\d\d:\d\d:\d\d Put .*a into the box: a is watched")
            self.assertIn("Done, and verified.", out)
            self.assertTrue(out.endswith("Ended, and taken back.\n"), out)
            self.assertEqual(self.files(), [])
            os.remove(self.box + "/.log")

    def test_one_document(self):
        process = self.keep("--format", "json")
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=PATIENCE)
        document = json.loads(out)
        self.assertEqual((document["status"], document["exit_code"]), ("kept", 0))
        self.assertEqual([step["state"] for step in document["steps"]], ["undone", "undone"])

    def test_undo_leaves_what_is_kept_up(self):
        process = self.keep()
        for words in (["undo"], ["undo", "--all"], ["undo", self.records()[0]["id"]], ["box", "take"]):
            done = self.host(*words, "--yes")
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn(f"process {process.pid} keeps it up or works on it now: end that with Ctrl-C or kill",
                          done.stdout)
        self.assertEqual(self.host("undo", "--forget", self.records()[0]["id"], "--yes").returncode, 1)
        self.assertIn(f"held by process {process.pid}", self.host("undo", "--list").stdout)
        self.assertEqual(self.document("undo", "--list", code=0)["changes"][0]["held_by"], process.pid)
        self.assertEqual(self.files(), ["a", "b"])
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 0)
        self.assertEqual(self.files(), [])

    def test_killed(self):
        process = self.keep()
        process.kill()
        process.communicate()
        self.assertEqual(self.files(), ["a", "b"])
        self.assertEqual(self.host("undo", "--yes").returncode, 0)
        self.assertEqual(self.files(), [])

    def test_what_cannot_be_kept_up(self):
        for how, code, status in (("fail", 1, "keep-failed"), ("crash", 4, "error")):
            words = ["box", "put", "--name", "a", "--name", "b", "--keep", "--yes"]
            document = self.document(*words, code=code, BOX_KEEP=how + ":b")
            self.assertEqual(document["status"], status)
            self.assertEqual(self.files(), [])
        done = self.host("box", "put", "--name", "b", "--keep", "--yes", BOX_KEEP="fail")
        self.assertIn("no longer kept up: as fail was wished for", done.stdout)
        self.assertIn("It could not be kept up, and is taken back.", done.stdout)

    def test_only_where_it_can_be_kept_up(self):
        self.assertIn("--keep", self.host("box", "put", "--help").stdout)
        self.assertNotIn("--keep", self.host("box", "drop", "--help").stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
