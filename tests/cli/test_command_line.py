"""The command line as people and scripts meet it: exit codes, messages, one JSON document, signals, bad input."""
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HOST, PLUGINS = sys.argv[1], sys.argv[2]
# How long what must happen may take on a busy machine, in seconds. Nothing waits that long where all is well.
PATIENCE = 120


class Case(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.mkdtemp()
        self.plugin_dir = self.place + "/plugins"
        os.mkdir(self.plugin_dir)
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("P2P")}
        self.environment.update(XDG_CACHE_HOME=self.place + "/cache", XDG_CONFIG_HOME=self.place + "/config")

    def tearDown(self):
        shutil.rmtree(self.place)

    def with_plugins(self, *names):
        for name in names:
            shutil.copy(f"{PLUGINS}/{name}.so", self.plugin_dir)

    def command(self, *arguments):
        return [HOST, "--plugin-dir", self.plugin_dir, *arguments]

    def host(self, *arguments, **more):
        environment = dict(self.environment, **more.pop("environment", {}))
        return subprocess.run(self.command(*arguments), env=environment, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=PATIENCE, **more)

    def write(self, name, content, mode="w"):
        path = f"{self.place}/{name}"
        with open(path, mode) as file:
            file.write(content)
        return path


class BadInput(Case):
    """Exit code 2, a message that names the culprit, and nothing on stdout but, with JSON, one document."""

    def expect(self, *arguments, says, environment={}):
        done = self.host(*arguments, environment=environment)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(done.stdout, "")
        for text in [says] if isinstance(says, str) else says:
            self.assertIn(text, done.stderr)

    def test_no_command(self):
        self.expect(says="Usage: p2pdiag")

    def test_unknown_command(self):
        self.expect("rnu", "all", says="unknown command 'rnu': did you mean 'run'?")
        self.expect("lab", "shel", says="unknown command 'shel': did you mean 'shell'?")

    def test_unknown_option(self):
        self.expect("run", "--colour", says="unknown option '--colour': did you mean '--color'?")
        self.expect("run", "--dead-line=5s", says="unknown option '--dead-line': did you mean '--deadline'?")
        self.expect("lab", "run", "--nta", "symmetric", says="unknown option '--nta': did you mean '--nat'?")
        self.expect("run", "--no-such-thing", says="unknown option '--no-such-thing'\n")

    def test_help_on_something_unknown(self):
        self.expect("rnu", "--help", says="unknown command 'rnu': did you mean 'run'?")
        self.expect("lab", "shel", "--help", says="unknown command 'shel': did you mean 'shell'?")
        self.expect("list", "plugins", "x", "--help", says="nothing is expected where 'x' stands")
        self.expect("list", "plugins", "x", says="nothing is expected where 'x' stands")
        self.expect("run", "--dead-line", "--help", says="unknown option '--dead-line': did you mean '--deadline'?")

    def test_unknown_check(self):
        self.expect("run", "stun.nta", says="unknown check 'stun.nta': did you mean 'stun.nat'?")

    def test_unknown_check_in_only_and_skip(self):
        self.expect("run", "--only", "nothing.*", says="unknown check 'nothing.*'")
        self.expect("run", "--skip", "nothing.*", says="unknown check 'nothing.*'")

    def test_everything_skipped(self):
        self.expect("run", "--skip", "*", says="no check is left to run")

    def test_unknown_profile(self):
        self.expect("--profile", "defualt", "run", says=["defualt", "default"])

    def test_unknown_plugin_directory(self):
        self.expect("--plugin-dir", "/nowhere", "list", says="/nowhere: no such directory")

    @unittest.skipIf(os.geteuid() == 0, "root may read everything")
    def test_plugin_directory_that_may_not_be_read(self):
        with tempfile.TemporaryDirectory() as place:
            os.chmod(place, 0)
            self.expect("--plugin-dir", place, "list", says="Permission denied")

    def test_ports(self):
        for port in ("0", "70000", "-1"):
            self.expect("run", "--port", port, says="--port")
        self.expect("run", "--port", "http", says="http")

        for port in ("0x50", " 80", "99999999999999999999"):
            self.expect("run", "--port", port, says="--port: ")

    def test_empty_values(self):
        """As when a script's variable is not set: no wish at all is something else."""
        for option in ("--offline", "--baseline", "--watch", "--deadline", "--capture", "--output", "--port", "--stun",
                       "--only", "--fail-on"):
            self.expect("run", "steady.check", option, "", says=option)
        self.expect("validate", "", says="the value is empty")
        self.expect("--profile", "", "run", says="--profile")

    def test_forgotten_dashes(self):
        self.expect("lab", "run", "--nat", "open", "run", "stun.nat", says="Write -- before 'run'")

    def test_paths_that_cannot_be_looked_at(self):
        long = "x" * 300
        self.expect("--plugin-dir", long, "list", says="File name too long")
        self.expect("validate", long, says="File name too long")
        self.expect("validate", self.place, says="is no regular file")
        self.expect("run", "--output", "json=" + long, says="File name too long")

    def test_deadline(self):
        self.expect("run", "--deadline", "soon", says="--deadline")

    def test_stun_server(self):
        self.expect("run", "--stun", "no port here", says="no port here")
        self.expect("run", "--peer", "no-port.example", says=["--peer", "no port"])

    def test_format_and_output(self):
        self.expect("run", "--format", "jsn", says="jsn")
        self.expect("run", "--output", "json", says="expected FORMAT=PATH")
        self.expect("run", "--output", "jsn=x", says="did you mean 'json'?")
        self.expect("run", "--output", "json=/nowhere/report.json", says="/nowhere/report.json: cannot be written")
        self.expect("run", "--output", "json=" + self.place, says="is a directory")

    def test_output_twice_to_one_file(self):
        report = self.place + "/report"
        os.symlink(self.place, self.place + "/here")
        self.write("old", "old")
        os.symlink("old", self.place + "/link")
        for other in (report, self.place + "/plugins/../report", self.place + "/here/report"):
            self.expect("run", "--output", "json=" + report, "--output", "markdown=" + other,
                        says=f"--output markdown={other}: --output json={report} goes to the same file")
        self.expect("run", "--output", f"json={self.place}/old", "--output", f"json={self.place}/link", says="same file")
        self.assertEqual(set(os.listdir(self.place)), {"cache", "here", "link", "old", "plugins"})

    def test_profile_file(self):
        path = self.write("p.toml", "[target]\nprot = 8000\n")
        self.expect("--profile", path, "run", says=[f"{path}:2:1: ", "prot", "port"])
        self.expect("--profile", self.place + "/none.toml", "run", says="none.toml")
        self.expect("--profile", self.write("b.toml", os.urandom(500), "wb"), "run", says="b.toml:")

    def test_profile_with_an_unknown_check(self):
        path = self.write("p.toml", '[run]\nchecks = ["stun.*", "stun.nta"]\nskip = ["stun.zzzzzzzz"]\n')
        self.expect("--profile", path, "run",
                    says=[f"{path}:2:21: checks: unknown check 'stun.nta': did you mean 'stun.nat'?",
                          f"{path}:3:9: skip: unknown check 'stun.zzzzzzzz'"])

    def test_environment(self):
        self.expect("run", environment={"P2P_SIGNALING_PORT": "70000"}, says=["P2P_SIGNALING_PORT", "70000"])
        for servers in ("a:1,,b:2", ",", "a:1,nonsense"):
            self.expect("run", environment={"P2P_STUN_SERVERS": servers}, says="P2P_STUN_SERVERS")

    def test_describe_and_explain(self):
        self.expect("describe", "stun.nta", says="did you mean 'stun.nat'?")
        self.expect("explain", "nat.symetric", says="did you mean 'nat.symmetric'?")
        self.expect("explain", "../../etc/passwd", says="unknown code")

    def test_validate(self):
        self.expect("validate", "/nowhere.so", says="/nowhere.so: no such file")

    def test_nothing_may_follow_dashes(self):
        self.expect("lab", "check", "--", "run", says="nothing may follow --, such as 'run'")
        self.expect("run", "all", "--", "--deep", says="nothing may follow --, such as '--deep'")

    def test_firewall(self):
        allow = ("firewall", "allow", "--port", "4000")
        for source in ("10.9.0.1/24", "0.0.0.0/0", "192.0.2.0/33", "192.0.2.0/", "224.0.0.1", "example.org", "", "; reboot"):
            for more in (["--yes"], ["--dry-run"]):
                self.expect(*allow, "--source", source, *more, says="--source: ")
        self.expect(*allow, "--protocol", "icmp", says="icmp")
        self.expect("firewall", "allow", "--port", "0", says="0 is not a port")
        check = ("firewall", "check", "--port", "4000")
        self.expect(*check, "--from", "nobody", says="--from: nobody is no IP address")
        self.expect(*check, "--interface", "none0", says="--interface: there is no none0")
        self.expect(*check, "--ruleset", self.place + "/none", says="No such file")
        with open(self.place + "/large", "wb") as file:
            file.truncate(100 << 20)
        self.expect(*check, "--ruleset", self.place + "/large", says="larger than the 64 MiB")
        windows = self.write("windows.json", json.dumps({
            "format": "p2pdiag-windows-firewall", "version": 1, "profiles": [], "rules": [],
            "connections": [{"InterfaceAlias": "Ethernet", "NetworkCategory": 1}],
            "ip": [{"InterfaceAlias": "Ethernet", "IPAddress": "192.0.2.7", "PrefixLength": 24, "AddressState": 4}]}))
        self.expect(*check, "--ruleset", windows, "--interface", "Wi-Fi",
                    says="--interface: there is no Wi-Fi; there are: Ethernet")

    def test_json_is_one_document(self):
        for words, culprit in ((("run", "nonsense"), "nonsense"),
                               (("firewall", "allow", "--port", "1", "--yes", "--source", "nobody"), "--source"),
                               (("firewall", "check", "--from", "nobody"), "nobody"),
                               (("firewall", "check", "--ruleset", self.place + "/none"), "No such file"),
                               (("firewall", "check", "--ruleset", self.write("x.json", "{")), "x.json")):
            done = self.host(*words, "--format", "json")
            self.assertEqual(done.returncode, 2, words)
            document = json.loads(done.stdout)
            self.assertEqual((document["format_version"], document["error"]["exit_code"]), ("1.0", 2))
            self.assertIn(culprit, document["error"]["message"])


class Nagios(Case):
    """With --format nagios the exit code is the state, 0 to 3, whatever happens."""

    def expect(self, code, *arguments, says):
        done = self.host("run", *arguments, "--format", "nagios")
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        state = ("OK", "WARNING", "CRITICAL", "UNKNOWN")[code]
        self.assertTrue(done.stdout.startswith(f"P2PDIAG {state} - "), done.stdout)
        self.assertIn(says, done.stdout)

    def test_states(self):
        self.with_plugins("steady", "throws")
        self.expect(0, "steady.check", says=" | duration=")
        self.expect(3, "broken.check", says=" errors=1;;;0")

    def test_the_deadline(self):
        self.with_plugins("hangs")
        self.expect(3, "broken.check", "--deadline", "1s", says="The run was ended early.")

    def test_nothing_was_run(self):
        self.with_plugins("steady")
        self.expect(3, "nonsense", says="unknown check 'nonsense'")
        self.expect(3, "steady.check", "--port", "70000", says="--port")
        self.expect(3, "--no-such-option", says="unknown option")

    def test_a_result_that_cannot_be_written(self):
        self.with_plugins("steady")
        with open("/dev/full", "w") as full:
            done = subprocess.run(self.command("run", "steady.check", "--format=nagios"), env=self.environment, stdout=full)
        self.assertEqual(done.returncode, 3)

    def test_a_file_that_cannot_be_written(self):
        self.with_plugins("steady")
        done = self.host("run", "steady.check", "--format=nagios", "--output", "json=/dev/full")
        self.assertEqual((done.returncode, done.stdout), (3, "P2PDIAG UNKNOWN - a report could not be written\n"))


class Output(Case):
    def test_version(self):
        done = self.host("--version")
        self.assertRegex(done.stdout, r"^p2pdiag \d+\.\d+\.\d+\n$")
        self.assertEqual(done.returncode, 0)

    def test_help_of_every_command(self):
        for command in ([], ["run"], ["list"], ["describe"], ["explain"], ["validate"], ["lab"], ["lab", "run"]):
            done = self.host(*command, "--help")
            self.assertEqual(done.returncode, 0, command)
            self.assertIn("Usage", done.stdout)

    def test_files_beside_stdout(self):
        self.with_plugins("steady")
        report = self.place + "/report"
        done = self.host("run", "steady.check", "--format", "json", "--output", f"json={report}.json", "--output",
                         f"markdown={report}.md", "--output", f"junit={report}.xml")
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(report + ".json") as file:
            self.assertEqual(json.load(file), json.loads(done.stdout))
        self.assertEqual(sorted(name for name in os.listdir(self.place) if name.startswith("report")),
                         ["report.json", "report.md", "report.xml"])

    def test_every_format_on_stdout_and_in_a_file(self):
        self.with_plugins("steady")
        starts = {"tap": "TAP version 14\n1..1\n", "sarif": "{\n", "prometheus": "# HELP p2pdiag_info ",
                  "html": "<!DOCTYPE html>\n"}
        for name, start in starts.items():
            file = f"{self.place}/report.{name}"
            done = self.host("run", "steady.check", "--format", name, "--output", f"{name}={file}")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertTrue(done.stdout.startswith(start), done.stdout)
            with open(file, encoding="utf-8") as written:
                self.assertEqual(written.read(), done.stdout)

    def test_a_metrics_file_is_replaced_whole(self):
        """A collector that reads at any time finds the old file or the new one, and no other that ends as it does."""
        self.with_plugins("hangs")
        file = self.write("p2pdiag.prom", "old 1\n")
        process = subprocess.Popen(self.command("run", "broken.check", "--output", f"prometheus={file}"),
                                   env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while len([name for name in os.listdir(self.place) if name.startswith("p2pdiag.prom")]) < 2:
            self.assertIsNone(process.poll())
            time.sleep(0.02)
        with open(file, encoding="utf-8") as old:
            self.assertEqual(old.read(), "old 1\n")
            self.assertEqual([name for name in os.listdir(self.place) if name.endswith(".prom")], ["p2pdiag.prom"])
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE)
            old.seek(0)
            self.assertEqual(old.read(), "old 1\n")  # whoever had it open keeps it
        with open(file, encoding="utf-8") as new:
            self.assertIn("p2pdiag_run_interrupted 1\n", new.read())

    def test_streamed_lines_name_a_rejected_plugin(self):
        self.with_plugins("steady", "no_entry")
        done = self.host("run", "steady.check", "--format", "jsonl")
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([line["type"] for line in lines][:3], ["run", "finding", "check"])
        self.assertEqual(lines[1]["code"], "host.plugin-rejected")
        self.assertEqual(done.returncode, 4)

    def test_closed_stdout(self):
        self.with_plugins("steady")
        done = subprocess.run(f"{' '.join(self.command('run', 'steady.check'))} | true", shell=True,
                              env=self.environment, capture_output=True, text=True)
        self.assertEqual(done.stderr, "")

    def test_a_word_that_is_none_of_the_choices(self):
        for command, says in ((("run", "--fail-on", "fial"), "--fail-on: 'fial' is none of warn, fail, unknown: did you mean 'fail'?"),
                              (("run", "--format", ""), "--format: '' is none of console, json"),
                              (("list", "check"), "'check' is none of plugins, checks, verbs, profiles: did you mean 'checks'?")):
            done = self.host(*command)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn(says, done.stderr)

    def test_full_disk(self):
        self.with_plugins("steady")
        with open("/dev/full", "w") as full:
            done = subprocess.run(self.command("run", "steady.check"), env=self.environment, stdout=full)
        self.assertEqual(done.returncode, 4)

    def test_lost_output_is_never_success(self):
        self.with_plugins("steady")
        for command in (["list"], ["list", "--format", "json"], ["--version"], ["--help"], ["lab", "run", "--help"],
                        ["list", "--version"], ["man"], ["completion", "fish"], ["explain", "nat.symmetric"],
                        ["describe", "steady.check"], ["validate", self.plugin_dir + "/steady.so"]):
            with open("/dev/full", "w") as full:
                done = subprocess.run([HOST, *command] if "--version" in command else self.command(*command),
                                      env=self.environment, stdout=full, stderr=subprocess.PIPE, text=True)
            self.assertEqual(done.returncode, 4, command)
            self.assertIn("cannot write the result", done.stderr)

    def test_a_home_that_is_not_there_is_not_made(self):
        self.with_plugins("steady")
        environment = {"HOME": self.place + "/nobody", "XDG_CACHE_HOME": ""}
        self.assertEqual(self.host("run", "steady.check", environment=environment).returncode, 0)
        self.assertFalse(os.path.exists(self.place + "/nobody"))

    def test_output_through_a_link_to_nothing(self):
        self.with_plugins("steady")
        os.symlink("later.json", self.place + "/link.json")
        self.assertEqual(self.host("run", "steady.check", "--output", f"json={self.place}/link.json").returncode, 0)
        self.assertTrue(os.path.islink(self.place + "/link.json"))
        with open(self.place + "/later.json") as file:
            self.assertEqual(json.load(file)["checks"][0]["id"], "steady.check")

    def test_output_through_a_link(self):
        self.with_plugins("steady")
        os.symlink("target.json", self.place + "/link.json")
        self.write("target.json", "old")
        self.assertEqual(self.host("run", "steady.check", "--output", f"json={self.place}/link.json").returncode, 0)
        self.assertTrue(os.path.islink(self.place + "/link.json"))
        with open(self.place + "/target.json") as file:
            json.load(file)

    def test_what_a_killed_run_left_is_in_nobodys_way(self):
        self.with_plugins("steady")
        done = subprocess.run(["sh", "-c", ': > "$REPORT.p2pdiag-$$"; exec "$@"', "sh",
                               *self.command("run", "steady.check", "--output", f"json={self.place}/report")],
                              env=dict(self.environment, REPORT=self.place + "/report"), stdout=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(sorted(name for name in os.listdir(self.place) if name.startswith("report")), ["report"])

    def test_one_device_may_be_named_twice(self):
        self.with_plugins("steady")
        done = self.host("run", "steady.check", "--output", "json=/dev/null", "--output", "markdown=/dev/null")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_pipe_without_a_reader_is_no_place_for_output(self):
        self.with_plugins("steady")
        os.mkfifo(self.place + "/pipe")
        self.assertEqual(self.host("run", "steady.check", "--output", f"json={self.place}/pipe").returncode, 2)

    def test_notes_are_shown(self):
        self.with_plugins("steady")
        profile = self.write("p.toml", "[plugins.nosuch]\nx = 1\n")
        self.assertIn("nosuch", self.host("--profile", profile, "run", "steady.check").stderr)

    def test_ignored_children_of_the_caller(self):
        self.with_plugins("steady")
        done = self.host("run", "steady.check", "--format", "json",
                         preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_no_colour_and_no_progress_without_terminal(self):
        self.with_plugins("steady")
        done = self.host("run", "steady.check")
        self.assertNotIn("\x1b", done.stdout + done.stderr)
        self.assertEqual(done.stderr, "")

    def test_terminal_gets_colour_unless_told_not_to(self):
        self.with_plugins("steady")
        for more, coloured in (({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False)):
            main, terminal = pty.openpty()
            process = subprocess.Popen(self.command("run", "steady.check"), env=dict(self.environment, **more),
                                       stdout=terminal, stderr=subprocess.DEVNULL)
            process.wait(timeout=PATIENCE)
            os.close(terminal)
            shown = os.read(main, 100000).decode()
            os.close(main)
            self.assertIn("steady.check", shown)
            self.assertEqual("\x1b[" in shown, coloured)

    def test_colour_may_be_forced_and_forbidden(self):
        self.with_plugins("steady")
        for wish, more, coloured in (("always", {}, True), ("always", {"NO_COLOR": "1"}, True), ("never", {}, False)):
            done = self.host("--color", wish, "run", "steady.check", environment=more)
            self.assertEqual("\x1b[" in done.stdout, coloured, (wish, more))

    def test_plugin_directories_by_flag_and_environment(self):
        for name in ("steady", "waits", "before_changes"):
            os.mkdir(f"{self.place}/{name}")
            shutil.copy(f"{PLUGINS}/{name}.so", f"{self.place}/{name}")
        path = f"{self.place}/waits:{self.place}/before_changes"
        done = self.host("--plugin-dir", self.place + "/steady", "list", "checks",
                         environment={"P2PDIAG_PLUGIN_PATH": path})
        self.assertEqual(done.returncode, 0, done.stderr)
        for check in ("steady.check", "waiting.check", "old.check"):
            self.assertIn(check, done.stdout)

    def test_profiles_in_layers(self):
        self.with_plugins("steady")
        profile = self.write("p.toml", "[target]\nport = 5000\n")

        def port(*arguments, **more):
            done = self.host(*arguments, "run", "steady.check", "--format", "json", **more)
            return json.loads(done.stdout)["run"]["target"]["port"]

        self.assertEqual(port(), 8000)
        os.makedirs(self.place + "/config/p2pdiag")
        self.write("config/p2pdiag/config.toml", "[target]\nport = 4000\n")
        self.assertEqual(port(), 4000)
        self.assertEqual(port("--profile", profile), 5000)
        self.assertEqual(port("--profile", "default"), 8000)
        done = self.host("--profile", profile, "run", "steady.check", "--port", "6000", "--format", "json")
        self.assertEqual(json.loads(done.stdout)["run"]["target"]["port"], 6000)


class Interrupted(Case):
    """A run ends bounded and still prints what is known."""

    def interrupt(self, *signals):
        self.with_plugins("steady", "hangs", "waits", "dies_of_cancel")
        command = self.command("--verbose", "run", "steady.*", "broken.*", "dying.*", "waiting.*", "--format", "jsonl")
        process = subprocess.Popen(command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True)
        watchdog = threading.Timer(PATIENCE, process.kill)
        watchdog.start()
        with process:
            lines = self.read_until(process.stdout, '"steady.check"')
            # Both must have begun: one that is stopped before does nothing any more.
            waited_for = {"it hangs now", "it waits now"}
            while waited_for:
                line = process.stderr.readline()
                self.assertNotEqual(line, "", waited_for)
                waited_for = {text for text in waited_for if text not in line}
            for number in signals:
                process.send_signal(number)
            lines += process.stdout.readlines()
        watchdog.cancel()
        report = [json.loads(line) for line in lines]
        checks = {line["id"]: line for line in report if line["type"] == "check"}
        self.assertEqual({name: check["status"] for name, check in checks.items()},
                         {"steady.check": "pass", "broken.check": "cancelled", "dying.check": "cancelled",
                          "waiting.check": "cancelled"})
        # Neither the one that did not stop when it was asked to nor the one that died of it.
        self.assertEqual([line for line in report if str(line.get("code")).startswith("host.plugin-")], [])
        self.assertIsNone(checks["waiting.check"]["started_ms"])
        self.assertGreaterEqual(checks["broken.check"]["started_ms"], 0)
        self.assertEqual(report[-1]["type"], "end")
        return process.returncode

    def read_until(self, stream, text):
        """The lines up to the first that holds the text, which must come."""
        lines = []
        while not lines or text not in lines[-1]:
            lines.append(stream.readline())
            self.assertNotEqual(lines[-1], "", f"{text!r} is not in {lines}")
        return lines

    def test_ctrl_c(self):
        self.assertEqual(self.interrupt(signal.SIGINT), 130)

    def test_ctrl_c_twice(self):
        self.assertEqual(self.interrupt(signal.SIGINT, signal.SIGINT), 130)

    def test_terminated(self):
        self.assertEqual(self.interrupt(signal.SIGTERM), 143)

    def test_a_child_that_is_cancelled_before_it_begins_runs_no_check(self):
        self.with_plugins("hangs")
        # Descriptor 5 is hung up already, as after a cancellation.
        hung_up, writer = os.pipe()
        os.close(writer)
        done = subprocess.run(["sh", "-c", 'exec "$@" 3>&1 4</dev/null 5<&0', "sh", HOST, "__check",
                               self.plugin_dir + "/hangs.so", "broken.check", "0"], env=self.environment,
                              stdin=hung_up, stdout=subprocess.PIPE, text=True, timeout=PATIENCE)
        os.close(hung_up)
        self.assertEqual((done.returncode, done.stdout), (1, ""))

    def test_deadline_of_the_run(self):
        self.with_plugins("steady", "hangs")
        # As long as the steady one may take on a busy machine: the hanging one takes it all.
        done = self.host("run", "steady.*", "broken.*", "--deadline", "8s", "--format", "json")
        self.assertEqual(done.returncode, 124, done.stderr)
        statuses = {check["id"]: check["status"] for check in json.loads(done.stdout)["checks"]}
        self.assertEqual(statuses, {"steady.check": "pass", "broken.check": "cancelled"})

    def test_without_isolation_the_deadline_holds_between_checks(self):
        # The slow one comes first and cannot be stopped in this process; after it nothing more may start.
        self.with_plugins("slow", "steady")
        done = self.host("run", "broken.*", "steady.*", "--isolation", "none", "--deadline", "1s", "--format", "json")
        self.assertEqual(done.returncode, 124, done.stderr)
        statuses = {check["id"]: check["status"] for check in json.loads(done.stdout)["checks"]}
        self.assertEqual(statuses, {"broken.check": "pass", "steady.check": "cancelled"})

    def test_children_die_with_the_host(self):
        self.with_plugins("hangs")
        process = subprocess.Popen(self.command("run", "broken.*"), env=self.environment, stdout=subprocess.PIPE)
        pattern = f"__check {self.plugin_dir}/hangs.so"

        def children():
            found = subprocess.run(["pgrep", "-f", pattern], capture_output=True, text=True).stdout.split()
            return [pid for pid in found if int(pid) != process.pid]

        deadline = time.monotonic() + PATIENCE
        while not children() and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertTrue(children())
        process.kill()
        process.communicate()
        while children() and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertEqual(children(), [])


class Offline(Case):
    def test_machine_without_a_network(self):
        unshare = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--net"]
        if subprocess.run([*unshare, "true"], capture_output=True).returncode != 0:
            self.skipTest("no network namespace can be made here")
        for arguments in ([], ["--profile", "quick"]):
            # Of a machine that is busy otherwise, the profile's own deadline would say nothing.
            command = self.command(*arguments, "run", "all", "--deadline", f"{PATIENCE // 2}s", "--format", "json")
            done = subprocess.run([*unshare, *command],
                                  env=self.environment, capture_output=True, text=True, timeout=PATIENCE)
            report = json.loads(done.stdout)
            self.assertEqual(report["verdict"]["status"], "offline")
            self.assertIn("net.no-link", {finding["code"] for finding in report["findings"]})
            self.assertEqual(done.returncode, 1)
            self.assertNotIn("error", {check["status"] for check in report["checks"]})


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
