"""scripts/build in a small project of its own: it says what it does, and nothing where there is nothing to do.
scripts/setup with a package manager that only pretends, on a /usr/sbin of its own: no service may start meanwhile, and
nothing of that is left, however it ends."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

SOURCE = sys.argv[1]
PROJECT = """cmake_minimum_required(VERSION 3.25)
project(small LANGUAGES C)
file(GLOB sources CONFIGURE_DEPENDS *.c)
add_executable(small ${sources})
"""
PRESETS = {"version": 6, "configurePresets": [
    {"name": "ci", "generator": "Ninja", "binaryDir": "${sourceDir}/build/dev"}]}


class Build(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.place)
        os.mkdir(self.place + "/scripts")
        shutil.copy(SOURCE + "/scripts/build", self.place + "/scripts")
        self.write("CMakeLists.txt", PROJECT)
        self.write("CMakePresets.json", json.dumps(PRESETS))
        self.write("main.c", "int other(void);\nint main(void) { return other(); }\n")
        self.write("other.c", "int other(void) { return 0; }\n")

    def write(self, name, text):
        with open(f"{self.place}/{name}", "w", encoding="ascii") as file:
            file.write(text)

    def build(self, *targets):
        return subprocess.run([self.place + "/scripts/build", "ci", *targets], capture_output=True, text=True)

    def test_quiet_when_there_is_nothing_to_do(self):
        first = self.build()
        self.assertEqual(first.returncode, 0, first.stderr)
        self.assertEqual([line.split(" build/dev")[0] for line in first.stderr.splitlines()],
                         ["build: configuring", "build: building"])
        for targets in ([], ["small"]):
            again = self.build(*targets)
            self.assertEqual((again.returncode, again.stdout, again.stderr), (0, "", ""))

    def test_a_new_file_is_something_to_do(self):
        self.build()
        os.remove(self.place + "/other.c")
        self.write("another.c", "int other(void) { return 0; }\n")
        done = self.build("small")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("build: building build/dev", done.stderr)

    def test_a_failure_is_shown_and_told_by_the_exit_code(self):
        self.write("main.c", "int main(void) { return undeclared; }\n")
        for _ in range(2):
            done = self.build()
            self.assertEqual(done.returncode, 1)
            self.assertIn("undeclared", done.stderr)
            self.assertIn("build: failed; the whole output is in build/dev/build.log", done.stderr)


APT = """#!/bin/sh
cp /usr/sbin/policy-rc.d "$PLACE/seen"
echo "$$" >"$PLACE/apt.pid"
exec sleep "$SLEEP"
"""
OWN = """mount --bind "$PLACE/sbin" /usr/sbin && exec "$0" "$@" """


class Setup(unittest.TestCase):
    """The machine's own policy-rc.d is there in some, and not in others."""

    def setUp(self):
        self.place = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.place)
        for folder in ("bin", "sbin"):
            os.mkdir(f"{self.place}/{folder}")
        self.write("bin/apt-get", APT)
        self.write("bin/dpkg-query", "#!/bin/sh\nexit 1\n")
        self.unshare = ["unshare", "-m"] if os.getuid() == 0 else ["unshare", "-rm"]
        if subprocess.run([*self.unshare, "true"], capture_output=True).returncode != 0:
            self.skipTest("no namespace can be made here")

    def write(self, name, text):
        with open(f"{self.place}/{name}", "w", encoding="ascii") as file:
            file.write(text)
        os.chmod(f"{self.place}/{name}", 0o755)

    def read(self, name):
        try:
            with open(f"{self.place}/{name}", encoding="ascii") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def start(self, sleep):
        self.write("apt.pid", "")
        environment = {**os.environ, "PLACE": self.place, "SLEEP": str(sleep),
                       "PATH": f"{self.place}/bin:{os.environ['PATH']}"}
        return subprocess.Popen([*self.unshare, "sh", "-c", OWN, SOURCE + "/scripts/setup"], env=environment,
                                stderr=subprocess.PIPE, text=True)

    def interrupted(self, with_signal):
        """Its exit code, ended by a signal while packages are installed; apt ends with it, as a terminal would have it."""
        process = self.start(1000)
        while not self.read("apt.pid"):
            time.sleep(0.05)
        process.send_signal(with_signal)
        os.kill(int(self.read("apt.pid")), signal.SIGKILL)
        process.communicate()
        return process.returncode

    def installs(self):
        process = self.start(0)
        said = process.communicate()[1]
        self.assertEqual(process.returncode, 0, said)
        self.assertIn("setup: installing g++", said)

    def test_no_service_starts_meanwhile(self):
        for theirs in (None, "#!/bin/sh\nexit 104\n"):
            if theirs:
                self.write("sbin/policy-rc.d", theirs)
            self.installs()
            self.assertIn("exit 101", self.read("seen"))
            self.assertEqual(self.read("sbin/policy-rc.d"), theirs)
            self.assertEqual(len(os.listdir(self.place + "/sbin")), 1 if theirs else 0)

    def test_an_interruption_leaves_nothing(self):
        for theirs in (None, "#!/bin/sh\nexit 104\n"):
            if theirs:
                self.write("sbin/policy-rc.d", theirs)
            for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
                self.assertEqual(self.interrupted(number), 128 + number)
                self.assertEqual(self.read("sbin/policy-rc.d"), theirs, number)

    def test_what_a_killed_run_left_is_put_right_by_the_next(self):
        for theirs in (None, "#!/bin/sh\nexit 104\n"):
            if theirs:
                self.write("sbin/policy-rc.d", theirs)
            self.interrupted(signal.SIGKILL)
            self.assertIn("exit 101", self.read("sbin/policy-rc.d"))
            self.installs()
            self.assertEqual(self.read("sbin/policy-rc.d"), theirs)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
