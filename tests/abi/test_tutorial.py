"""Installs into an empty prefix and types what docs/plugin-author/tutorial.md says, from another directory."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE, BUILD = sys.argv[1], sys.argv[2]


class Tutorial(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.mkdtemp()
        self.prefix = self.place + "/prefix"
        self.environment = dict(os.environ, XDG_CACHE_HOME=self.place, XDG_CONFIG_HOME=self.place)
        subprocess.run(["cmake", "--install", BUILD, "--prefix", self.prefix], check=True,
                       stdout=subprocess.DEVNULL)

    def tearDown(self):
        shutil.rmtree(self.place)

    def type(self, commands):
        return subprocess.run(["sh", "-euc", commands], cwd=self.place, env=self.environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def test_every_block(self):
        with open(SOURCE + "/docs/plugin-author/tutorial.md") as file:
            page = file.read()
        blocks = re.findall(r"```(cpp|sh)\n(.*?)```", page, re.S)
        self.assertEqual([kind for kind, _ in blocks], ["cpp", "sh", "sh", "sh"])
        with open(self.place + "/load.cpp", "w") as file:
            file.write(blocks[0][1])
        said = []
        for _, commands in blocks[1:]:
            done = self.type(commands.replace("PREFIX", self.prefix))
            self.assertEqual(done.returncode, 0, done.stdout)
            said.append(done.stdout)
        self.assertIn('"id": "load.average"', said[1])
        self.assertIn("load.too-high\n\nMore processes want to run", said[2])
        self.assertIn("\n\nReads the load average", said[2])
        self.assertNotIn("##", said[2])
        os.remove(self.place + "/plugins/load.md")
        done = self.type(f"! {self.prefix}/bin/p2pdiag --plugin-dir plugins explain load.too-high")
        self.assertIn("unknown code 'load.too-high': plugin load has no page on it in", done.stdout)

    def test_template_builds_and_runs(self):
        shutil.copytree(self.prefix + "/share/p2pdiag/sdk/template", self.place + "/hello")
        done = self.type(f"cmake -S hello -B hello/build -DCMAKE_PREFIX_PATH={self.prefix} && "
                         f"cmake --build hello/build && "
                         f"{self.prefix}/bin/p2pdiag --plugin-dir hello/build run hello.greeting")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("Hello, network", done.stdout)

    def test_installed_tree_has_everything(self):
        listing = self.type(f"{self.prefix}/bin/p2pdiag list").stdout
        for expected in ("stun.nat", "lab", "default", "quick"):
            self.assertIn(expected, listing)
        self.assertNotIn("REJECTED", listing)
        self.assertIn("symmetric", self.type(f"{self.prefix}/bin/p2pdiag explain nat.symmetric").stdout)
        for file in ("man/man1/p2pdiag.1", "bash-completion/completions/p2pdiag", "zsh/site-functions/_p2pdiag",
                     "fish/vendor_completions.d/p2pdiag.fish", "doc/p2pdiag/docs/plugin-author/tutorial.md",
                     "doc/p2pdiag/docs/plugin-author/reference.md", "doc/p2pdiag/docs/user/diagnosis.md"):
            with open(f"{self.prefix}/share/{file}", encoding="utf-8") as content:
                self.assertIn("p2pdiag", content.read(), file)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
