"""Puts each broken plugin beside a steady one: the host names plugin and reason, and the steady one still reports."""
import json
import os
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "cli"))
from warm_cache import warm  # noqa: E402

HOST, PLUGINS = sys.argv[1], sys.argv[2]
# How long what must happen may take on a busy machine, in seconds. Nothing waits that long where all is well.
PATIENCE = 120


class Directory:
    """A plugin directory with the named plugins in it."""

    def __init__(self, *names):
        self.path = tempfile.mkdtemp()
        warm(HOST, self.path + "/cache")
        os.mkdir(self.plugins)
        for name in names:
            shutil.copy(f"{PLUGINS}/{name}.so", self.plugins)

    @property
    def plugins(self):
        return self.path + "/plugins"

    def host(self, *arguments, descriptors=None):
        environment = dict(os.environ, XDG_CACHE_HOME=self.path + "/cache", XDG_CONFIG_HOME=self.path)
        return subprocess.run([HOST, "--plugin-dir", self.plugins, *arguments], env=environment,
                              capture_output=True, timeout=PATIENCE,
                              preexec_fn=descriptors and (lambda: resource.setrlimit(
                                  resource.RLIMIT_NOFILE, (descriptors, descriptors))))

    def report(self, *checks):
        done = self.host("run", *checks, "--format", "json")
        return done.returncode, json.loads(done.stdout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path)


def rejections(report, directory):
    """What was said of the plugins in this directory; others may lie in the installed one."""
    return [f for f in report["findings"] if f["code"] == "host.plugin-rejected"
            and f["evidence"]["file"].startswith(directory.path)]


def check_of(report, name):
    return next(check for check in report["checks"] if check["id"] == name)


class Rejected(unittest.TestCase):
    """What is wrong with the file or its table is found before any check of it runs."""

    def expect(self, name, *reasons):
        with Directory("steady", name) as directory:
            code, report = directory.report("steady.*")
            self.assertEqual(check_of(report, "steady.check")["status"], "pass")
            found = rejections(report, directory)
            self.assertEqual(len(found), 1, report["findings"])
            self.assertIn(name + ".so", found[0]["message"])
            for reason in reasons:
                self.assertIn(reason, found[0]["message"])
            listing = directory.host("list", "plugins").stdout.decode()
            self.assertRegex(listing, name + r"\.so +REJECTED: ")
            # In a list of checks it is missed.
            self.assertIn(f"{name}.so is not used: ", directory.host("list", "checks").stdout.decode())
            valid = directory.host("validate", f"{directory.plugins}/{name}.so")
            if name != "duplicate_plugin":
                self.assertEqual(valid.returncode, 1)
                self.assertIn(reasons[0], valid.stdout.decode())

    def test_no_entry(self):
        self.expect("no_entry", "exports no symbol p2pdiag_plugin_v1")

    def test_wrong_major(self):
        self.expect("wrong_major", "ABI major 2, this p2pdiag has 1")

    def test_short_struct(self):
        self.expect("short_struct", "16 bytes")

    def test_newer_minor(self):
        self.expect("newer_minor", "needs ABI 1.999", "update p2pdiag")

    def test_duplicate_plugin(self):
        # By file name it comes first; the later one is the duplicate.
        with Directory("steady", "duplicate_plugin") as directory:
            code, report = directory.report("steady.*")
            found = rejections(report, directory)
            self.assertEqual(len(found), 1)
            self.assertIn("duplicate plugin id 'steady'", found[0]["message"])
            self.assertEqual(check_of(report, "steady.check")["status"], "pass")

    def test_duplicate_check(self):
        self.expect("duplicate_check", "duplicate check id 'broken.check'")

    def test_null_field(self):
        self.expect("null_field", "broken.check has no run function")

    def test_undefined_symbol(self):
        self.expect("undefined_symbol", "nobody_defines_this")

    def test_table_not_utf8(self):
        self.expect("table_not_utf8", "summary is not valid UTF-8")

    def test_bad_options(self):
        self.expect("bad_options", "its options")

    def test_crashes_at_load(self):
        self.expect("crashes_at_load", "killed by SIG")

    def test_exits_at_load(self):
        self.expect("exits_at_load", "loading it in a child failed: the child exited with code 1, saying: "
                    "line 999 of a long story \ufffd[31mno licence\ufffd  in /etc/licence")

    def test_verb_dash(self):
        self.expect("verb_dash", "verb name '-x' is not")

    def test_hangs_at_load(self):
        self.expect("hangs_at_load", "not loaded within 10 s: it hangs")

    def test_change_tables(self):
        self.expect("change_null_function", "change broken.change has no revert function")
        self.expect("change_duplicate", "duplicate change id 'broken.change'")
        self.expect("change_short_struct", "the struct of a change is too short")
        self.expect("change_foreign_id", "change id 'steady.change' does not start with the plugin's id")
        self.expect("change_null_list", "its changes are null")
        self.expect("change_unknown", "command add names the change 'broken.other', which the plugin does not have")
        self.expect("change_taken_option", 'option "dry-run" is added by the host')

    def test_table_from_before_there_were_changes(self):
        with Directory("before_changes") as directory:
            code, report = directory.report("old.*")
            self.assertEqual(rejections(report, directory), [])
            self.assertEqual(check_of(report, "old.check")["status"], "pass")

    def test_recorder_tables(self):
        self.expect("recorder_null_function", "recorder broken.recorder has no run function")
        self.expect("recorder_duplicate", "duplicate recorder id 'broken.recorder'")
        self.expect("recorder_short_struct", "the struct of a recorder is too short")
        self.expect("recorder_foreign_id", "recorder id 'steady.recorder' does not start with the plugin's id")
        self.expect("recorder_null_list", "its recorders are null")

    def test_table_from_before_there_were_recorders(self):
        with Directory("before_recorders") as directory:
            code, report = directory.report("old.*")
            self.assertEqual(rejections(report, directory), [])
            self.assertEqual(check_of(report, "old.check")["status"], "pass")

    def test_not_elf(self):
        with Directory("steady") as directory:
            with open(directory.plugins + "/text.so", "w") as file:
                file.write("just text\n")
            code, report = directory.report("steady.*")
            self.assertEqual(check_of(report, "steady.check")["status"], "pass")
            self.assertTrue(any("text.so is not used: not an ELF file" in f["message"]
                                for f in report["findings"]))

    def test_truncated_elf(self):
        with Directory("steady") as directory:
            with open(f"{PLUGINS}/steady.so", "rb") as whole:
                start = whole.read(2000)
            with open(directory.plugins + "/cut.so", "wb") as file:
                file.write(start)
            code, report = directory.report("steady.*")
            self.assertEqual(check_of(report, "steady.check")["status"], "pass")
            self.assertTrue(any("cut.so" in f["message"] for f in report["findings"]))

    def test_world_writable_directory(self):
        with Directory("steady") as directory, Directory("segfaults") as open_to_all:
            os.chmod(open_to_all.plugins, 0o777)
            code, report = directory.report("--plugin-dir", open_to_all.plugins, "steady.*")
            self.assertEqual(check_of(report, "steady.check")["status"], "pass")
            self.assertTrue(any("every user of this machine can write" in f["message"]
                                for f in report["findings"]))

    def test_world_writable_file(self):
        with Directory("steady", "aborts") as directory:
            os.chmod(directory.plugins + "/aborts.so", 0o666)
            code, report = directory.report("steady.*")
            self.assertTrue(any("every user of this machine can write" in f["message"]
                                for f in report["findings"]))

    def test_link_by_way_of_a_world_writable_directory(self):
        # What is between is of no importance: where it ends is judged, and is what is opened.
        with Directory("steady") as directory, Directory("waits") as open_to_all:
            os.chmod(open_to_all.plugins, 0o777)
            os.mkdir(directory.path + "/end")
            shutil.copy(f"{PLUGINS}/before_changes.so", directory.path + "/end/old.so")
            os.symlink(directory.path + "/end/old.so", open_to_all.plugins + "/middle.so")
            os.symlink(open_to_all.plugins + "/middle.so", directory.plugins + "/link.so")
            listing = json.loads(directory.host("list", "plugins", "--format", "json").stdout)
            self.assertIn(os.path.realpath(directory.path) + "/end/old.so",
                          {entry["file"] for entry in listing["plugins"]})

    def test_access_control_list(self):
        with Directory("steady") as directory:
            # Group bits of such a list are its mask: user 12345 may read, write and look.
            entry = lambda tag, rights, who=0xFFFFFFFF: struct.pack("<HHI", tag, rights, who)
            acl = (struct.pack("<I", 2) + entry(1, 7) + entry(2, 7, 12345) + entry(4, 5) + entry(16, 7) + entry(32, 5))
            try:
                os.setxattr(directory.plugins, "system.posix_acl_access", acl)
            except OSError as problem:
                self.skipTest(f"no access control lists here: {problem}")
            done = directory.host("run", "steady.*")
            self.assertEqual(done.returncode, 2)
            self.assertIn(b"whoever its access control list names can write to it", done.stderr)

    def test_link_into_a_world_writable_directory(self):
        with Directory("steady") as directory, Directory("segfaults") as open_to_all:
            os.chmod(open_to_all.plugins, 0o777)
            os.symlink(open_to_all.plugins + "/segfaults.so", directory.plugins + "/link.so")
            code, report = directory.report("steady.*")
            found = rejections(report, directory)
            self.assertEqual(len(found), 1, report["findings"])
            self.assertIn("every user of this machine can write", found[0]["message"])

    def test_world_writable_folder_above(self):
        with Directory("steady") as directory:
            os.chmod(directory.path, 0o777)
            done = directory.host("run", "steady.*")
            self.assertEqual(done.returncode, 2)
            self.assertIn(b"every user of this machine can write", done.stderr)

    def test_folder_above_of_somebody_else(self):
        if os.geteuid() != 0:
            self.skipTest("only root can give a folder to somebody else")
        with Directory("steady") as directory:
            os.chown(directory.path, 12345, 12345)
            done = directory.host("run", "steady.*")
            self.assertEqual(done.returncode, 2)
            self.assertIn(b"user 12345 owns " + directory.path.encode(), done.stderr)
            os.chown(directory.path, 0, 12345)
            os.chmod(directory.path, 0o775)
            done = directory.host("run", "steady.*")
            self.assertEqual(done.returncode, 2)
            self.assertIn(b"the group 12345 can write to " + directory.path.encode(), done.stderr)
            os.chmod(directory.path, 0o1775)
            self.assertEqual(directory.host("run", "steady.*").returncode, 0)

    def test_folder_above_of_who_can_replace_p2pdiag(self):
        if os.geteuid() != 0:
            self.skipTest("only root can give a folder to a group")
        with Directory("steady") as directory:
            # As in /usr/local on Debian, where both bin and lib belong to a group.
            for folder in ("bin", "lib"):
                os.mkdir(f"{directory.path}/{folder}")
                os.chown(f"{directory.path}/{folder}", 0, 12345)
                os.chmod(f"{directory.path}/{folder}", 0o2775)
            shutil.copy(HOST, directory.path + "/bin/p2pdiag")
            shutil.copytree(directory.plugins, directory.path + "/lib/plugins")
            os.chown(directory.path + "/lib/plugins", 0, 0)
            os.chmod(directory.path + "/lib/plugins", 0o755)
            os.chown(directory.path + "/lib/plugins/steady.so", 0, 0)
            done = subprocess.run([directory.path + "/bin/p2pdiag", "--plugin-dir", directory.path + "/lib/plugins",
                                   "list", "checks"], capture_output=True, timeout=PATIENCE)
            self.assertIn(b"steady.check", done.stdout)
            self.assertEqual(done.stderr, b"")

    def test_group_writable_file(self):
        if os.geteuid() != 0:
            self.skipTest("only root can give a file to another group")
        with Directory("steady", "aborts") as directory:
            os.chown(directory.plugins + "/aborts.so", 0, 12345)
            os.chmod(directory.plugins + "/aborts.so", 0o775)
            code, report = directory.report("steady.*")
            self.assertIn("the group 12345 can write", rejections(report, directory)[0]["message"])

    def test_not_a_file(self):
        with Directory("steady") as directory:
            os.mkfifo(directory.plugins + "/pipe.so")
            os.symlink("/nowhere", directory.plugins + "/lost.so")
            os.mkdir(directory.plugins + "/folder.so")
            code, report = directory.report("steady.*")
            self.assertEqual(check_of(report, "steady.check")["status"], "pass")
            self.assertEqual(len(rejections(report, directory)), 3)

    def test_unknown_check_of_a_rejected_plugin(self):
        with Directory("wrong_major") as directory:
            for command in (("run", "broken.check"), ("describe", "broken.check"), ("broken", "--anything")):
                done = directory.host(*command)
                self.assertEqual(done.returncode, 2)
                self.assertIn(b"wrong_major.so is not used: built for ABI major 2", done.stderr)


    def test_checks_of_a_rejected_plugin_beside_others(self):
        with Directory("steady", "wrong_major") as directory:
            profile = directory.path + "/p.toml"
            with open(profile, "w") as file:
                file.write('[run]\nchecks = ["steady.check", "gone.check"]\nskip = ["gone.other"]\n')
            for arguments in (("--profile", profile), ("steady.check", "gone.check")):
                done = directory.host("run", *arguments, "--format", "json")
                self.assertEqual(done.returncode, 4)
                report = json.loads(done.stdout)
                self.assertEqual(check_of(report, "steady.check")["status"], "pass")
                self.assertEqual(len(rejections(report, directory)), 1)
                self.assertIn(b"unknown check 'gone.check'", done.stderr)
            # That is no reason for a slip to pass.
            done = directory.host("run", "steady.check", "steady.chekc")
            self.assertEqual(done.returncode, 2)
            self.assertIn(b"did you mean 'steady.check'?", done.stderr)


class Many(unittest.TestCase):
    """What one plugin or directory has too much of takes nothing from the others."""

    def test_checks(self):
        with Directory("steady", "many_checks") as directory:
            done = directory.host("run", "many.*", "steady.*", "--format", "json", "--deadline", "300s",
                                  descriptors=320)
            checks = json.loads(done.stdout)["checks"]
            self.assertEqual({check["status"] for check in checks}, {"pass"})
            self.assertEqual(len(checks), 121)

    def test_files(self):
        with Directory("steady") as directory:
            for number in range(150):
                with open(f"{directory.plugins}/a{number}.so", "w") as file:
                    file.write("text")
            listing = directory.host("list", "plugins", descriptors=320).stdout.decode()
            self.assertIn("steady 1.0", listing)
            self.assertEqual(listing.count("not an ELF file"), 150)


class Misbehaving(unittest.TestCase):
    """A check that goes wrong while it runs: its status says how, what it had said is kept."""

    def expect(self, name, status, code_of_finding, *reasons, isolation="child"):
        with Directory("steady", name) as directory:
            code, report = directory.report("steady.*", "broken.*", "--isolation", isolation)
            self.assertEqual(check_of(report, "steady.check")["status"], "pass")
            self.assertEqual(check_of(report, "broken.check")["status"], status)
            messages = {f["code"]: f["message"] for f in report["findings"]
                        if f["check"] == "broken.check"}
            if code_of_finding:
                self.assertEqual(code, 4)
                self.assertIn("plugin broken: check broken.check", messages[code_of_finding])
                for reason in reasons:
                    self.assertIn(reason, messages[code_of_finding])
            if name != "throws_in_sdk":
                self.assertIn("net.port-in-use", messages)
            return report

    def test_throws(self):
        self.expect("throws", "crashed", "host.plugin-crashed", "SIGABRT")

    def test_throws_in_sdk(self):
        report = self.expect("throws_in_sdk", "error", None)
        self.assertIn("over the edge", check_of(report, "broken.check")["summary"])

    def test_throws_in_sdk_without_isolation(self):
        self.expect("throws_in_sdk", "error", None, isolation="none")

    def test_segfaults(self):
        self.expect("segfaults", "crashed", "host.plugin-crashed", "SIGSEGV")

    def test_aborts(self):
        self.expect("aborts", "crashed", "host.plugin-crashed", "SIGABRT")

    def test_outlives_deadline(self):
        self.expect("outlives_deadline", "timed_out", "host.plugin-timed-out", "deadline")

    def test_exits(self):
        self.expect("exits", "error", "host.plugin-crashed", "without a result")

    def test_floods_results(self):
        self.expect("floods_results", "error", "host.plugin-crashed", "more than it may")

    def test_floods_stdout(self):
        self.expect("floods_stdout", "pass", None)

    def test_emits_not_utf8(self):
        self.expect("emits_not_utf8", "error", "host.plugin-crashed", "not JSON in UTF-8")

    def test_emits_garbage(self):
        self.expect("emits_garbage", "error", "host.plugin-crashed", "not JSON in UTF-8")

    def test_unknown_status(self):
        self.expect("unknown_status", "error", "host.plugin-crashed", "does not know")

    def test_says_status(self):
        self.expect("says_status", "error", "host.plugin-crashed", "does not know")

    def test_says_returned(self):
        self.expect("says_returned", "timed_out", "host.plugin-timed-out", "deadline")

    def test_foreign_code(self):
        report = self.expect("foreign_code", "error", "host.plugin-crashed", "does not know")
        self.assertNotIn("it was not me", json.dumps(report))

    def test_says_oddly(self):
        for isolation in ("child", "none"):
            report = self.expect("says_oddly", "pass", None, isolation=isolation)
            self.assertEqual(check_of(report, "broken.check")["data"], {"answer": 42})

    def test_leaves_child(self):
        with Directory("leaves_child") as directory:
            _, report = directory.report("broken.*")
            self.assertEqual(check_of(report, "broken.check")["status"], "pass")
            # It is killed by then, but nobody waits for the kernel to take it away.
            end = time.monotonic() + PATIENCE
            while left := self.processes(directory.plugins):
                self.assertLess(time.monotonic(), end, f"{left} of the plugin outlived the run")
                time.sleep(0.01)

    @staticmethod
    def processes(word):
        """Running ones with this word in their command line."""
        return subprocess.run(["pgrep", "-f", word], capture_output=True, text=True).stdout.split()


class Cache(unittest.TestCase):
    def test_changed_file_is_read_again(self):
        with Directory("steady") as directory:
            self.assertIn(b"Works", directory.host("list", "plugins").stdout)
            self.assertIn(b"Works", directory.host("list", "plugins").stdout)
            shutil.copy(f"{PLUGINS}/wrong_major.so", directory.plugins + "/steady.so")
            self.assertIn(b"REJECTED", directory.host("list", "plugins").stdout)

    def test_hung_plugin_is_waited_for_once(self):
        with Directory("steady", "hangs_at_load") as directory:
            first = directory.host("list", "plugins")
            self.assertIn(b"hangs_at_load.so to load", first.stderr)
            second = directory.host("list", "plugins")
            self.assertEqual(second.stderr, b"")
            self.assertRegex(second.stdout, rb"hangs_at_load\.so +REJECTED: .*tried again in 10 min")
            self.assertIn(b"Works", second.stdout)
            shutil.copy(f"{PLUGINS}/waits.so", directory.plugins + "/hangs_at_load.so")
            self.assertNotIn(b"REJECTED", directory.host("list", "plugins").stdout)

    def test_broken_or_foreign_cache_is_ignored(self):
        with Directory("steady") as directory:
            directory.host("list")
            cache = directory.path + "/cache/p2pdiag/plugins.json"
            with open(cache, "w") as file:
                file.write("{ not json")
            self.assertIn(b"Works", directory.host("list", "plugins").stdout)
            os.chmod(cache, 0o666)
            with open(cache, "w") as file:
                file.write("[]")
            self.assertIn(b"Works", directory.host("list", "plugins").stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
