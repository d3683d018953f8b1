"""What tests of changes share: the plugin "box" puts files into a folder, and the journal is one of its own."""
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
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
        self.box, self.plugins, self.state = (f"{self.place}/{name}" for name in ("box", "plugins", "state"))
        os.mkdir(self.box)
        os.mkdir(self.plugins)
        shutil.copy(f"{PLUGINS}/box.so", self.plugins)
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(("P2P", "BOX_"))}
        self.environment.update(XDG_CACHE_HOME=self.place + "/cache", XDG_CONFIG_HOME=self.place + "/config",
                                XDG_STATE_HOME=self.state, BOX_DIR=self.box, TERM="dumb")

    def tearDown(self):
        shutil.rmtree(self.place)

    def command(self, *arguments):
        return [HOST, "--plugin-dir", self.plugins, *arguments]

    def host(self, *arguments, **wishes):
        """Runs to the end; BOX_… variables as keyword arguments. Nothing that a plugin wrote may steer a terminal."""
        done = subprocess.run(self.command(*arguments), env=dict(self.environment, **wishes), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=PATIENCE)
        self.assertNotIn("\x1b", done.stdout + done.stderr)
        return done

    def put(self, *names, **wishes):
        words = [word for name in names for word in ("--name", name)]
        return self.host("box", "put", *words, "--yes", **wishes)

    def document(self, *arguments, code, **wishes):
        done = self.host(*arguments, "--format", "json", **wishes)
        self.assertEqual(done.returncode, code, done.stderr)
        return json.loads(done.stdout)

    def start(self, *arguments, **wishes):
        process = subprocess.Popen(self.command(*arguments), env=dict(self.environment, **wishes),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.end, process)
        return process

    def interrupt(self, process, number=signal.SIGINT):
        """Returns when the host has heard it."""
        process.send_signal(number)
        for line in process.stderr:
            if line.startswith("Stopping"):
                return
        self.fail("it ended without a word")

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def wait_for(self, what, condition):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.01)

    def files(self):
        return sorted(name for name in os.listdir(self.box) if not name.startswith("."))

    def calls(self, function=""):
        try:
            with open(self.box + "/.log") as log:
                return [line for line in log.read().splitlines() if line.startswith(function)]
        except FileNotFoundError:
            return []

    def record_files(self):
        return sorted(glob.glob(self.state + "/p2pdiag/changes/*.json"))

    def records(self):
        """What the journal holds, newest first."""
        found = []
        for name in self.record_files():
            with open(name) as file:
                found.append(json.load(file))
        return sorted(found, key=lambda record: -record["sequence"])

    def states(self):
        return [f"{record['step']['name']} {record['state']}" for record in self.records()]
