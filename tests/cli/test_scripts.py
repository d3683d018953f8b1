"""scripts/build in a small project of its own: it says what it does, and nothing where there is nothing to do."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
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


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
