"""Completion in bash, zsh and fish, by the shells themselves, and the man page: both tell of every command there is."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HOST, PLUGINS = sys.argv[1], sys.argv[2]
PATIENCE = 120


class Case(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.place)
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("P2P")}
        self.environment.update(XDG_CACHE_HOME=self.place + "/cache", XDG_CONFIG_HOME=self.place + "/config",
                                HOME=self.place, PATH=os.path.dirname(HOST) + ":" + os.environ["PATH"])

    def run_it(self, *command, **more):
        return subprocess.run(command, env=self.environment, cwd=self.place, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=PATIENCE, **more)

    def host(self, *arguments):
        return self.run_it(HOST, *arguments)

    def commands(self):
        """Every command of the program as a tuple of words, with its help."""
        found, waiting = {}, [()]
        while waiting:
            words = waiting.pop()
            done = self.host(*words, "--help")
            self.assertEqual(done.returncode, 0, words)
            found[words] = done.stdout
            if "Subcommands:" in done.stdout:
                below = done.stdout.split("Subcommands:")[1].split("\n\n")[0]
                waiting += [(*words, name) for name in re.findall(r"^  (\S+)", below, re.M)]
        return found


class Asked(Case):
    """The host's side, `__complete`: words, and marks for names of files."""

    def offered(self, *words):
        done = self.host("__complete", *words)
        self.assertEqual((done.returncode, done.stderr), (0, ""), words)
        return [line.split("\t")[0] for line in done.stdout.splitlines()]

    def test_commands_of_host_and_plugins(self):
        offered = self.offered("")
        for name in ("run", "list", "explain", "lab", "forward", "completion"):
            self.assertIn(name, offered)
        self.assertEqual(self.offered("expl"), ["explain"])
        self.assertEqual(self.offered("lab", "r"), ["run"])
        self.assertIn("Run checks", self.host("__complete", "ru").stdout)

    def test_every_option_of_every_command(self):
        for words, page in self.commands().items():
            offered = self.offered(*words, "--")
            for option in re.findall(r"^  (?:-\w,)?(--[a-z0-9-]+)", page, re.M):
                self.assertIn(option, offered, words)

    def test_values(self):
        self.assertEqual(self.offered("run", "--fail-on", ""), ["warn", "fail", "unknown"])
        self.assertEqual(self.offered("run", "--format=js"), ["--format=json", "--format=jsonl"])
        self.assertIn("port-restricted-cone", self.offered("lab", "run", "--nat", "port"))
        self.assertEqual(self.offered("list", "p"), ["plugins", "profiles"])
        self.assertIn("quick", self.offered("run", "all", "--profile", "q"))
        self.assertIn(":files", self.offered("--profile", ""))
        self.assertEqual(self.offered("--plugin-dir", "nowh"), [":directories"])
        self.assertEqual(self.offered("lab", "run", "--host-firewall", "x"), [":files"])
        self.assertEqual(self.offered("run", "--port", ""), [])

    def test_checks_and_codes(self):
        self.assertEqual(self.offered("run", "stun.n"), ["stun.nat"])
        self.assertIn("stun.nat", self.offered("run", "network.interfaces", "--deep", ""))
        self.assertIn("nat.symmetric", self.offered("explain", "nat.s"))
        self.assertNotIn("all", self.offered("describe", ""))
        self.assertEqual(self.offered("describe", "stun.nat", "st"), [])

    def test_plugins_of_another_directory(self):
        os.mkdir(self.place + "/plugins")
        shutil.copy(PLUGINS + "/steady.so", self.place + "/plugins")
        self.assertIn("steady.check", self.offered("--plugin-dir", self.place + "/plugins", "run", "st"))

    def test_nonsense(self):
        for words in (["--nonsense", ""], ["nonsense", "x"], ["run", "--format"], ["--"], ["\x1b", "\n"], ["run", "--=x"],
                      ["lab", "run", "--", "x"], [""] * 100, ["-"], ["--profile=", ""], ["x" * 100000]):
            self.assertEqual(self.host("__complete", *words).returncode, 0, words)

    def test_unknown_shell(self):
        done = self.host("completion", "csh")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("bash", done.stderr)


class Shells(Case):
    """What each shell itself makes of the script."""

    LINES = {  # what is typed -> all that is offered
        "p2pdiag expl": {"explain"},
        "p2pdiag run --fail-on ": {"warn", "fail", "unknown"},
        "p2pdiag lab run --peer-nat full": {"full-cone"},
        "p2pdiag validate plu": {"plugin.so"},
        "p2pdiag --plugin-dir fol": {"folder"},
        "p2pdiag describe stun.n": {"stun.nat"},
    }

    def setUp(self):
        super().setUp()
        os.mkdir(self.place + "/folder")
        with open(self.place + "/plugin.so", "w", encoding="ascii"):
            pass

    def script(self, shell):
        done = self.host("completion", shell)
        self.assertEqual(done.returncode, 0, done.stderr)
        path = f"{self.place}/script.{shell}"
        with open(path, "w", encoding="utf-8") as file:
            file.write(done.stdout)
        return path

    def test_bash(self):
        script = self.script("bash")
        lines = {**self.LINES, "p2pdiag run --format=mark": {"markdown"}, "p2pdiag run --format mark": {"markdown"}}
        for line, wanted in lines.items():
            done = self.run_it("bash", "--norc", "-euc", 'source "$1"; COMP_LINE=$2; COMP_POINT=${#2}; _p2pdiag p2pdiag; '
                               'printf "%s\\n" "${COMPREPLY[@]}"', "bash", script, line)
            self.assertEqual((set(done.stdout.split()), done.stderr), (wanted, ""), line)

    def test_fish(self):
        script = self.script("fish")
        for line, wanted in {**self.LINES, "p2pdiag run --format=mark": {"--format=markdown"}}.items():
            done = self.run_it("fish", "--no-config", "-c", f"source {script}; complete -C '{line}'")
            offered = {text.split("\t")[0].rstrip("/") for text in done.stdout.splitlines()}
            self.assertEqual((offered, done.stderr), (wanted, ""), line)

    def test_zsh(self):
        script = self.script("zsh")
        # Without a terminal: what the script hands to the completion system, whose parts stand in here.
        around = ('compdef() { :; }; _describe() { printf "%s\\n" "${(@P)2}"; }; '
                  '_files() { if [[ $1 == -/ ]]; then echo folder; else echo plugin.so; fi; }; '
                  'source "$1"; words=("${(@s: :)2}"); CURRENT=$#words; _p2pdiag')
        for line, wanted in {**self.LINES, "p2pdiag run --format=mark": {"--format=markdown"}}.items():
            done = self.run_it("zsh", "-f", "-c", around, "zsh", script, line)
            offered = {text.split(":")[0] for text in done.stdout.splitlines()}
            self.assertEqual((offered, done.stderr), (wanted, ""), line)

    def test_zsh_finds_it_by_its_name(self):
        os.mkdir(self.place + "/functions")
        shutil.copy(self.script("zsh"), self.place + "/functions/_p2pdiag")
        done = self.run_it("zsh", "-f", "-c", "fpath=($PWD/functions $fpath); autoload -Uz compinit; compinit -u -D; "
                           "echo $_comps[p2pdiag]")
        self.assertEqual((done.stdout, done.stderr), ("_p2pdiag\n", ""))


class ManPage(Case):
    def shown(self):
        page = self.host("man")
        self.assertEqual(page.returncode, 0, page.stderr)
        done = self.run_it("man", "--warnings", "-E", "UTF-8", "-l", "-", input=page.stdout)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        # Words are as they are in the terminal, broken anywhere.
        return re.sub(r".\x08|\x1b\[\d*m", "", done.stdout)

    def test_every_command_and_option_is_there(self):
        page = " ".join(self.shown().split())
        for words, text in self.commands().items():
            self.assertIn(" ".join(("p2pdiag", *words)), page)
            for option in re.findall(r"^  (?:-\w,)?(--[a-z0-9-]+)", text, re.M):
                self.assertIn(option, page)
        for word in ("P2P_STUN_SERVERS", "P2P_SIGNALING_PORT", "servers.turn.password", "P2PDIAG_PLUGIN_PATH"):
            self.assertIn(word, page)

    def test_sections(self):
        headings = re.findall(r"^([A-Z]+)$", self.shown(), re.M)
        self.assertEqual(headings, ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "COMMANDS", "ENVIRONMENT", "FILES"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
