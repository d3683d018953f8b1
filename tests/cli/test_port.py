"""p2pdiag port move: another port in the user's configuration, and the file as it was after undo."""
import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import unittest

HOST = sys.argv[1]
# How long what must happen may take on a busy machine, in seconds.
PATIENCE = 120
CONFIG = "# m\u00fc\n[run]\ndeep = false\n\n[target]\nport = {port} # of the game\r\npeer = \"192.0.2.1:9\"\n# no line break behind this"


class Case(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.mkdtemp()
        self.file = self.place + "/config/p2pdiag/config.toml"
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("P2P")}
        self.environment.update(XDG_CACHE_HOME=self.place + "/cache", XDG_CONFIG_HOME=self.place + "/config",
                                XDG_STATE_HOME=self.place + "/state", TERM="dumb")

    def tearDown(self):
        shutil.rmtree(self.place)

    def host(self, *arguments, code=0):
        done = subprocess.run([HOST, *arguments], env=self.environment, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def move(self, *options, code=0):
        return json.loads(self.host("port", "move", "--yes", "--format", "json", *options, code=code).stdout)

    def write(self, text, mode=0o640):
        os.makedirs(os.path.dirname(self.file), exist_ok=True)
        with open(self.file, "wb") as file:
            file.write(text.encode())
        os.chmod(self.file, mode)

    def read(self):
        with open(self.file, "rb") as file:
            return file.read().decode()

    def taken(self):
        """A port that somebody has, with the next one free a moment ago."""
        for _ in range(100):
            holder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.addCleanup(holder.close)
            holder.bind(("0.0.0.0", 0))
            port = holder.getsockname()[1]
            if port < 65000:
                return port
        raise AssertionError("no port")

    def target_port(self):
        report = json.loads(self.host("run", "network.limits", "--format", "json").stdout)
        return report["run"]["target"]["port"]

    def test_there_and_back(self):
        """The next free one, the one line, the mode; then as it was, byte by byte."""
        old = self.taken()
        before = CONFIG.format(port=old)
        self.write(before)
        planned = json.loads(self.host("port", "move", "--dry-run", "--format", "json").stdout)
        self.assertEqual((planned["status"], self.read()), ("planned", before))
        self.host("port", "move", code=5)
        self.assertEqual(self.read(), before)
        done = self.move()
        new = done["steps"][0]["match"]["to"]
        self.assertGreater(new, old)
        self.assertEqual((done["status"], done["steps"][0]["verify"]["status"]), ("applied", "pass"))
        self.assertEqual(self.read(), before.replace(str(old), str(new)))
        self.assertEqual(stat.S_IMODE(os.stat(self.file).st_mode), 0o640)
        self.assertEqual(self.target_port(), new)
        self.host("undo", "--yes")
        self.assertEqual(self.read(), before)
        self.assertEqual(stat.S_IMODE(os.stat(self.file).st_mode), 0o640)
        self.assertEqual(os.listdir(os.path.dirname(self.file)), ["config.toml"])

    def test_without_a_file(self):
        self.move()
        self.assertIn("[target]\nport = 80", self.read())
        self.host("undo", "--yes")
        self.assertFalse(os.path.exists(self.file))

    def test_without_a_section(self):
        self.write("[run]\ndeep = false")
        self.move()
        self.assertGreater(self.target_port(), 8000)
        self.host("undo", "--yes")
        self.assertEqual(self.read(), "[run]\ndeep = false")

    def test_link(self):
        """Where the file really lies it is changed, and the link stays one."""
        self.write(CONFIG.format(port=8000))
        elsewhere = self.place + "/dotfiles.toml"
        os.rename(self.file, elsewhere)
        os.symlink(elsewhere, self.file)
        self.move()
        self.assertTrue(os.path.islink(self.file))
        self.assertNotIn("port = 8000", self.read())
        self.host("undo", "--yes")
        self.assertEqual(self.read(), CONFIG.format(port=8000))

    def test_named_port(self):
        taken = self.taken()
        said = self.move("--to", str(taken), code=1)
        self.assertEqual(said["status"], "impossible")
        self.assertIn("cannot be had", said["plan"]["summary"])
        self.assertEqual(self.move("--to", "8000")["status"], "nothing")
        self.assertFalse(os.path.exists(self.file))
        self.host("port", "move", "--to", "70000", code=2)

    def test_edited_since(self):
        """Our line alone is put back; one that somebody has changed again is theirs."""
        self.write(CONFIG.format(port=8000))
        self.move()
        mine = self.read()
        self.write("# new\n" + mine)
        self.host("undo", "--yes")
        self.assertEqual(self.read(), "# new\n" + CONFIG.format(port=8000))
        self.move()
        theirs = CONFIG.format(port=9999)
        self.write(theirs)
        self.assertIn("left as it is", self.host("undo", "--yes", "--format", "json").stdout)
        self.assertEqual(self.read(), theirs)

    def test_what_would_not_help(self):
        """A profile that was asked for says the port itself."""
        said = self.move("--profile", "lab", code=1)
        self.assertEqual(said["status"], "impossible")
        self.assertIn("lab.toml", said["plan"]["summary"])
        self.write("target.peer = \"192.0.2.1:9\"\n")
        said = self.move(code=1)
        self.assertIn("by hand", said["plan"]["summary"])
        self.assertEqual(self.read(), "target.peer = \"192.0.2.1:9\"\n")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
