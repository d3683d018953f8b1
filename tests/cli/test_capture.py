"""run --capture: what the host does around a recorder, whatever the recorder does."""
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from warm_cache import warm

HOST, PLUGINS = sys.argv[1], sys.argv[2]
# How long what must happen may take on a busy machine, in seconds. Nothing waits that long where all is well.
PATIENCE = 120


class Case(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.mkdtemp()
        warm(HOST, self.place + "/cache")
        self.plugin_dir = self.place + "/plugins"
        os.mkdir(self.plugin_dir)
        for name in ("records", "hangs"):
            shutil.copy(f"{PLUGINS}/{name}.so", self.plugin_dir)
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("P2P")}
        self.environment.update(XDG_CACHE_HOME=self.place + "/cache", XDG_CONFIG_HOME=self.place + "/config")
        self.file = self.place + "/run.pcapng"

    def tearDown(self):
        shutil.rmtree(self.place)

    def command(self, *arguments):
        return [HOST, "--plugin-dir", self.plugin_dir, "run", *arguments]

    def run_host(self, *arguments, recorder="", **environment):
        return subprocess.run(self.command(*arguments), env=dict(self.environment, RECORDER=recorder, **environment),
                              capture_output=True, text=True, timeout=PATIENCE)

    def recorded(self):
        """The notes of the host, and the recorder's input."""
        with open(self.file) as file:
            first, *lines = file.read().splitlines()
        self.assertEqual(first, "recorded")
        return [json.loads(line) for line in lines[:-1]], json.loads(lines[-1])

    def left(self):
        """Everything beside what the test itself made."""
        return sorted(set(os.listdir(self.place)) - {"plugins", "cache", "config", "old"})


class Recording(Case):
    def test_the_recorder_is_told_whose_packets_are_whose(self):
        done = self.run_host("a-recorder.check", "--capture", self.file, "--port", "4321", "--format", "json")
        self.assertEqual(done.returncode, 0, done.stderr)
        notes, told = self.recorded()
        self.assertEqual([note["type"] for note in notes], ["started", "flow", "finished"])
        self.assertEqual({note["check"] for note in notes}, {"a-recorder.check"})
        self.assertEqual((notes[1]["local"], notes[1]["text"]), ("0.0.0.0:40000", "as told"))
        times = [note["time_ns"] for note in notes]
        self.assertEqual(times, sorted(times))
        self.assertLess(abs(time.time() - times[-1] / 1e9), PATIENCE)
        self.assertEqual((told["checks"], told["target"]["port"]), (["a-recorder.check"], 4321))
        self.assertIn("stun", told["servers"])
        recording = json.loads(done.stdout)["run"]["recording"]
        self.assertEqual((recording["file"], recording["reason"], recording["data"]), (self.file, None, {"packets": 3}))
        self.assertIn("recorded: 3 packets", done.stderr)
        # Not a check of the run, and so in no count of any.
        self.assertEqual([check["id"] for check in json.loads(done.stdout)["checks"]], ["a-recorder.check"])

    def test_the_recorder_is_told_no_secret(self):
        done = self.run_host("a-recorder.check", "--capture", self.file, P2P_TURN_SERVER="turn.example.org:3478",
                             P2P_TURN_USERNAME="somebody", P2P_TURN_PASSWORD="swordfish")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.recorded()[1]["servers"]["turn"], {"server": "turn.example.org:3478"})

    def test_the_file_is_the_users_alone_and_appears_whole(self):
        os.mkdir(self.place + "/old")
        target = self.place + "/old/file"
        with open(target, "w") as file:
            file.write("what was there before")
        os.chmod(target, 0o644)
        os.symlink(target, self.file)
        self.assertEqual(self.run_host("a-recorder.check", "--capture", self.file).returncode, 0)
        self.assertTrue(os.path.islink(self.file))
        self.assertEqual(stat.S_IMODE(os.stat(target).st_mode), 0o600)
        self.recorded()
        self.assertEqual(os.listdir(self.place + "/old"), ["file"])

    def test_kept_only_on_failure(self):
        done = self.run_host("a-recorder.check", "--capture", self.file, "--capture-on-failure", "--format", "json")
        self.assertEqual((done.returncode, self.left()), (0, []))
        self.assertEqual(json.loads(done.stdout)["run"]["recording"], {"file": None, "reason": "not-wanted"})
        done = self.run_host("a-recorder.fails", "--capture", self.file, "--capture-on-failure")
        self.assertEqual((done.returncode, self.left()), (1, ["run.pcapng"]))

    def test_without_permission_the_run_goes_on(self):
        for more in ([], ["--capture-on-failure"]):
            done = self.run_host("a-recorder.check", "--capture", self.file, *more, "--format", "json",
                                 recorder="not-permitted")
            self.assertEqual((done.returncode, self.left()), (0, []), done.stderr)
            self.assertIn("nothing was recorded: the test does not permit it", done.stderr)
            report = json.loads(done.stdout)
            self.assertIn(("capture.not-permitted", "warning"),
                          {(finding["code"], finding["severity"]) for finding in report["findings"]})
            self.assertEqual((report["run"]["recording"]["file"], report["run"]["recording"]["reason"]), (None, "skip"))
            self.assertEqual(report["checks"][0]["status"], "pass")
        lines = self.run_host("a-recorder.check", "--capture", self.file, "--format", "jsonl",
                              recorder="not-permitted").stdout.splitlines()
        parsed = [json.loads(line) for line in lines]
        self.assertEqual([line["code"] for line in parsed if line["type"] == "finding"].count("capture.not-permitted"), 1)
        self.assertEqual(parsed[-1]["recording"]["reason"], "skip")

    def test_a_recorder_that_goes_wrong_leaves_no_file_and_is_an_error(self):
        for recorder in ("fails", "crashes"):
            done = self.run_host("a-recorder.check", "--capture", self.file, "--format", "json", recorder=recorder)
            self.assertEqual((done.returncode, self.left()), (4, []), (recorder, done.stderr))
            self.assertIsNone(json.loads(done.stdout)["run"]["recording"]["file"])

    def test_a_recorder_that_says_much_goes_on_recording(self):
        done = self.run_host("a-recorder.waits", "--capture", self.file, "--format", "json", recorder="chatty",
                             RECORDER_MARK=self.place + "/old")
        self.assertEqual((done.returncode, self.left()), (0, ["run.pcapng"]), done.stderr)
        self.assertEqual(json.loads(done.stdout)["checks"][0]["status"], "pass")
        self.assertTrue(os.path.exists(self.place + "/old"))

    def test_disk_full(self):
        unshare = ["unshare", "--mount", "--map-root-user"]
        if subprocess.run([*unshare, "true"], capture_output=True).returncode != 0:
            self.skipTest("no namespaces here")
        script = ('mount -t tmpfs -o size=8k none "$0" && head -c 8k /dev/zero > "$0/filler"; "$@" > /dev/null; code=$?; '
                  'ls "$0"; exit $code')
        os.mkdir(self.place + "/old")
        done = subprocess.run([*unshare, "sh", "-c", script, self.place + "/old",
                               *self.command("a-recorder.check", "--capture", self.place + "/old/file")],
                              env=self.environment, capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual((done.returncode, done.stdout.split()), (4, ["filler"]), done.stderr)
        self.assertIn("disk full", done.stderr)


class BadInput(Case):
    def expect(self, *arguments, says):
        done = self.run_host("a-recorder.check", *arguments)
        self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
        self.assertIn(says, done.stderr)

    def test_files_that_cannot_be_written(self):
        self.expect("--capture", "/nowhere/file", says="/nowhere/file: cannot be written")
        self.expect("--capture", self.place, says="is a directory")
        os.mkdir(self.place + "/closed", 0o500)
        if os.geteuid() != 0:
            self.expect("--capture", self.place + "/closed/file", says="cannot be written")

    def test_no_file_for_two(self):
        self.expect("--capture", self.file, "--output", "json=" + self.file, says="goes to the same file")
        self.assertEqual(self.left(), [])

    def test_on_failure_needs_a_file(self):
        self.expect("--capture-on-failure", says="--capture")


class Interrupted(Case):
    def start(self, *checks, recorder=""):
        """A run of which the recorder records, and whose first check has ended."""
        process = subprocess.Popen([HOST, "--plugin-dir", self.plugin_dir, "--verbose", "run", *checks, "--capture", self.file,
                                    "--format", "jsonl"], env=dict(self.environment, RECORDER=recorder),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        watchdog = threading.Timer(PATIENCE, process.kill)
        watchdog.start()
        self.addCleanup(self.end, process)
        self.addCleanup(watchdog.cancel)
        # One that is told to end before it has begun has nothing to keep.
        self.assertTrue(any("it records now" in line for line in process.stderr))
        self.read_until(process, "a-recorder.check")
        return process

    @staticmethod
    def end(process):
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()

    def read_until(self, process, check):
        self.assertTrue(any(json.loads(line).get("id") == check for line in process.stdout), f"{check} did not end")

    def interrupt(self, process):
        """Returns when the host knows: of two signals that wait, the kernel would keep one."""
        process.send_signal(signal.SIGINT)
        end = time.monotonic() + PATIENCE
        while self.waits(process, signal.SIGINT):
            self.assertLess(time.monotonic(), end, "nobody takes the signal")
            time.sleep(0.01)

    @staticmethod
    def waits(process, number):
        with open(f"/proc/{process.pid}/status") as file:
            pending = next(line.split()[1] for line in file if line.startswith("ShdPnd:"))
        return bool(int(pending, 16) >> number - 1 & 1)

    def expect(self, process, left, reason=None):
        lines = [json.loads(line) for line in process.communicate(timeout=PATIENCE)[0].splitlines()]
        self.assertEqual((process.returncode, self.left()), (130, left))
        # "timed_out" would be one that was waited for.
        self.assertIn(reason, (None, lines[-1]["recording"]["reason"]))
        self.assertNotIn("host.plugin-timed-out", {line.get("code") for line in lines})

    def test_ctrl_c_keeps_what_was_recorded(self):
        process = self.start("a-recorder.check", "broken.check")
        process.send_signal(signal.SIGINT)
        self.expect(process, ["run.pcapng"])
        self.recorded()

    def test_a_second_one_does_not_wait_for_the_recorder(self):
        process = self.start("a-recorder.check", "broken.check", recorder="hangs")
        self.interrupt(process)
        # The first one ends the check, and with it the run; what is left to wait for is the recorder.
        self.read_until(process, "broken.check")
        process.send_signal(signal.SIGINT)
        self.expect(process, [], reason="cancelled")

    def test_nor_does_one_that_comes_while_the_checks_end(self):
        process = self.start("a-recorder.check", "broken.check", recorder="hangs")
        self.interrupt(process)
        process.send_signal(signal.SIGINT)
        self.expect(process, [], reason="cancelled")

    def test_who_does_not_wait_after_a_whole_run_has_interrupted_it(self):
        process = self.start("a-recorder.check", recorder="hangs")
        self.interrupt(process)
        process.send_signal(signal.SIGINT)
        self.expect(process, [], reason="cancelled")

    def test_an_interrupted_run_is_no_error_of_the_recorder(self):
        for recorder in ("fails", "crashes"):
            process = self.start("a-recorder.check", "broken.check", recorder=recorder)
            process.send_signal(signal.SIGINT)
            self.expect(process, [])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
