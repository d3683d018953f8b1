"""How the lab begins and ends: exit codes, signals, a terminal, bad input; and that nothing is left of it, ever."""
import os
import pty
import re
import select
import signal
import subprocess
import tempfile
import time
import unittest

import lab

QUIET = ("--nat", "full-cone", "--no-servers")


def run(*program, options=(), **keywords):
    return lab.lab("run", *QUIET, *options, "--command", "--", *program, **keywords)


def machine():
    """What a lab could leave behind on the machine itself."""
    def output(*argv):
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines()

    return {
        "named": sorted(os.listdir("/run/netns")) if os.path.isdir("/run/netns") else [],
        "links": sorted(line.split()[0] for line in output("ip", "-br", "link")),
        "mounts": sorted(output("cat", "/proc/self/mounts")),
        "files": sorted(name for name in os.listdir("/tmp") + os.listdir("/run") if name.startswith("p2pdiag-lab")),
    }


# In the environment of whatever these tests start, and so of all that comes of it: another lab on the machine is not
# taken for ours.
MARK = f"mark-{os.getpid()}"
os.environ["P2PDIAG_TEST_MARK"] = MARK


def processes():
    """Whatever runs that came of a lab of these tests. A namespace lives by its processes, or by a mount."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                ours = f"P2PDIAG_TEST_MARK={MARK}".encode() in file.read().split(b"\0")
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
                zombie = file.read().rsplit(")", 1)[1].split()[0] == "Z"
        except OSError:
            continue
        # This process got the mark only after it began; its own environ does not show it.
        if ours and not zombie:
            found.append(int(pid))
    return found


# Stays until it is told to go.
WAITS = ["sh", "-c", "echo ready; while :; do sleep 1000; done"]


def until(condition, what):
    """Polls, as there is nothing to wait on: the processes in question are not our children."""
    deadline = time.monotonic() + lab.PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(what)
        time.sleep(0.01)


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


class Waiting:
    """A lab whose command waits, as a context."""

    def __init__(self, *options, **keywords):
        self.process = subprocess.Popen(
            lab.command("run", *QUIET, *options, "--command", "--", *WAITS, **keywords),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.first = self.process.stdout.readline()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()


class ExitCodes(unittest.TestCase):
    def test_code_and_output_are_the_commands(self):
        self.assertEqual(run("true").returncode, 0)
        result = run("sh", "-c", "echo out; echo err >&2; exit 7")
        self.assertEqual((result.returncode, result.stdout, result.stderr), (7, "out\n", "err\n"))
        self.assertEqual(run("sh", "-c", "kill -TERM $$").returncode, 128 + signal.SIGTERM)

    def test_program_that_is_not_there(self):
        result = run("/no/such/program")
        self.assertEqual(result.returncode, 127)
        self.assertIn("/no/such/program", result.stderr)

    def test_stdin_and_directory_are_the_callers(self):
        with tempfile.TemporaryDirectory() as folder:
            made = subprocess.run(lab.command("run", *QUIET, "--command", "--", "sh", "-c", "cat > from-inside"),
                                  input="through", text=True, cwd=folder, timeout=600, check=True)
            self.assertEqual(made.returncode, 0)
            with open(os.path.join(folder, "from-inside"), encoding="ascii") as file:
                self.assertEqual(file.read(), "through")

    def test_p2pdiag_inside(self):
        result = lab.lab("run", *QUIET, "--", "--version")
        self.assertEqual((result.returncode, result.stdout.split()[0]), (0, "p2pdiag"), result.stderr)
        result = lab.lab("run", *QUIET, "--", "run", "no-such-check")
        self.assertEqual(result.returncode, 2)
        self.assertIn("no-such-check", result.stderr)

    def test_p2pdiag_by_its_name(self):
        """As docs/user/lab.md has it typed in a shell of the lab, wherever p2pdiag is installed."""
        result = run("sh", "-c", "p2pdiag --version")
        self.assertEqual((result.returncode, result.stdout.split()[0]), (0, "p2pdiag"), result.stderr)

    def test_a_daemon_that_dies_is_told(self):
        done = lab.lab("run", "--nat", "full-cone", "--command", "--", "sh", "-c", "pkill -x -9 turnserver; sleep 0.2")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("lab: turnserver (in server) ended while the command ran, by signal 9", done.stderr)

    def test_usage(self):
        wrong = {
            ("run", "--nat", "cone", "--", "run"): "port-restricted-cone",
            ("run", "--", "run"): "nat",
            ("run", "--nat", "open"): "nothing to run",
            ("run", "--nat", "open", "--loss", "91", "--", "run"): "90",
            ("run", "--nat", "open", "--loss", "many", "--", "run"): "loss",
            ("run", "--nat", "open", "--mtu", "100", "--", "run"): "576",
            ("run", "--nat", "open", "--igd", "upnp", "--", "run"): "router",
            ("run", "--nat", "full-cone", "--igd", "telnet", "--", "run"): "natpmp",
            ("run", "--nat", "full-cone", "--igd", "none,pcp", "--", "run"): "none",
            ("run", "--nat", "open", "--hairpin", "--", "run"): "router",
            ("run", "--nat", "open", "--mapping-lifetime", "5", "--", "run"): "NAT",
            ("run", "--nat", "full-cone", "--mapping-lifetime", "0", "--", "run"): "mapping-lifetime",
            ("run", "--nat", "full-cone", "--ipv6", "--mtu", "1000", "--", "run"): "1280",
            ("run", "--nat", "full-cone", "--block", "tcp", "--", "run"): "tcp-high",
            ("run", "--nat", "full-cone", "--on", "peer", "--", "run"): "client",
            ("run", "--nat", "open", "--host-firewall", "/dev/zero", "--", "run"): "no regular file",
            ("run", "--nat", "open", "--host-firewall", "/no/file", "--", "run"): "No such file",
            ("run", *QUIET, "--listen", "udp:9.9.9.9:80", "--command", "--", "true"): "udp:9.9.9.9:80",
        }
        for arguments, word in wrong.items():
            with self.subTest(arguments):
                result = lab.lab(*arguments)
                self.assertEqual(result.returncode, 2, result.stderr)
                self.assertIn(word, result.stderr)
                self.assertEqual(result.stdout, "")

    def test_check(self):
        said = lab.lab("check")
        self.assertEqual((said.returncode, said.stderr), (0, ""))
        # The second column begins in the same place in all lines.
        columns = {len(re.match(r"\S+ +", line).group()) for line in said.stdout.splitlines()}
        self.assertEqual(len(columns), 1, said.stdout)
        with open("/dev/full", "w", encoding="ascii") as full:
            lost = subprocess.run(lab.command("check"), stdout=full, stderr=subprocess.PIPE, text=True, timeout=600)
        self.assertEqual(lost.returncode, 4)
        self.assertIn("cannot write the result", lost.stderr)

    def test_check_without_a_server(self):
        """What only the servers need is told as that: coturn is in /usr/bin, the others where everybody looks."""
        said = lab.lab("check", env={**os.environ, "PATH": "/nonexistent"})
        self.assertEqual(said.returncode, 77, said.stderr)
        self.assertIn("only labs with --no-servers can run here", said.stderr)
        self.assertIn("turnserver", said.stderr)

    def test_missing_program(self):
        with tempfile.TemporaryDirectory() as folder:
            # An nft that fails: the step and its words are told.
            fake = os.path.join(folder, "nft")
            with open(fake, "w", encoding="ascii") as file:
                file.write("#!/bin/sh\necho no nftables here >&2\nexit 1\n")
            os.chmod(fake, 0o755)
            result = run("true", env={**os.environ, "PATH": folder + ":" + os.environ["PATH"]})
            self.assertEqual(result.returncode, 4)
            self.assertIn("no nftables here", result.stderr)
            self.assertIn("--nat full-cone", result.stderr)

    def test_no_namespaces(self):
        """Neither privileged nor allowed a user namespace: 77 with the reason."""
        script = 'echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --bounding-set=-all "$@"'
        for arguments in (("run", *QUIET, "--command", "--", "true"), ("check",)):
            result = subprocess.run(["unshare", "-U", "-r", "sh", "-c", script, "sh", *lab.command(*arguments)],
                                    capture_output=True, text=True, timeout=600)
            self.assertEqual(result.returncode, 77, result.stderr)
            self.assertIn("max_user_namespaces", result.stderr)


class Endings(unittest.TestCase):
    def setUp(self):
        self.before = machine()

    def tearDown(self):
        until(lambda: not processes(), "processes are left")
        # The kernel takes namespaces apart a moment after their last process.
        until(lambda: not self.left(), "something is left behind")

    def left(self):
        """What others took away meanwhile, or was on its way out when the test began, is no concern of ours."""
        now = machine()
        return [(kind, name) for kind in now for name in set(now[kind]) - set(self.before[kind])]

    def test_after_every_end_nothing_is_left(self):
        for options, rest in (((), "true"), ((), "false"), (("--ipv6", "--igd", "upnp,natpmp,pcp"), "exit 3"),
                              ((), "sleep 1000 & setsid sleep 1000 & exit 3"), ((), "kill -KILL $$")):
            with self.subTest(rest):
                run("sh", "-c", rest, options=options)
                until(lambda: not processes(), "processes are left")

    def test_kill(self):
        """SIGKILL of each process of p2pdiag's own, from the outermost to the lab's first."""
        for depth in range(4):
            with self.subTest(depth=depth), Waiting("--igd", "upnp,natpmp,pcp") as waiting:
                self.assertEqual(waiting.first, "ready\n")
                self.assertGreaterEqual(len(processes()), 6)
                victim = waiting.process.pid
                for _ in range(depth):
                    victim = children(victim)[0]
                os.kill(victim, signal.SIGKILL)
                until(lambda: set(processes()) <= {waiting.process.pid}, "processes are left")

    def test_kill_unprivileged(self):
        with Waiting(unprivileged=True) as waiting:
            self.assertEqual(waiting.first, "ready\n")
            self.assertGreaterEqual(len(processes()), 5)
            os.kill(children(waiting.process.pid)[0], signal.SIGKILL)
            until(lambda: set(processes()) <= {waiting.process.pid}, "processes are left")

    def test_kill_while_it_is_built(self):
        for _ in range(10):
            process = subprocess.Popen(lab.command("run", "--nat", "symmetric", "--command", "--", *WAITS),
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            until(lambda: children(process.pid), "it did not start")
            process.kill()
            process.wait()
            until(lambda: not processes(), "processes are left")

    def test_terminate(self):
        """The command gets SIGTERM and may end in its own way; one that does not listen ends all the same."""
        with Waiting() as waiting:
            waiting.process.send_signal(signal.SIGTERM)
            self.assertEqual(waiting.process.wait(600), 128 + signal.SIGTERM)
        polite = ["sh", "-c", 'trap "exit 9" TERM; echo ready; while :; do sleep 0.1; done']
        process = subprocess.Popen(lab.command("run", *QUIET, "--command", "--", *polite), stdout=subprocess.PIPE,
                                   text=True)
        self.assertEqual(process.stdout.readline(), "ready\n")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(600), 9)
        process.stdout.close()

    def test_terminate_the_stubborn(self):
        """One that ignores SIGTERM, and has children ending all the time."""
        stubborn = ["sh", "-c", 'trap "" TERM; echo ready; while :; do sleep 0.01; done']
        process = subprocess.Popen(lab.command("run", *QUIET, "--command", "--", *stubborn), stdout=subprocess.PIPE,
                                   text=True)
        self.assertEqual(process.stdout.readline(), "ready\n")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(600), 128 + signal.SIGTERM)
        process.stdout.close()

    def test_hosts_descriptors_stay_outside(self):
        result = run("sh", "-c", "ls /proc/self/fd")
        # 3 is the directory that ls itself has open.
        self.assertEqual(result.stdout.split(), ["0", "1", "2", "3"])


class Terminal(unittest.TestCase):
    def start(self, *arguments):
        pid, terminal = pty.fork()
        if pid == 0:
            environment = {**os.environ, "SHELL": "/bin/sh", "PS1": "lab> ", "ENV": ""}
            os.execvpe(lab.P2PDIAG, [lab.P2PDIAG, "lab", *arguments], environment)
        self.addCleanup(os.close, terminal)
        return pid, terminal

    def read_until(self, terminal, pattern):
        text = ""
        while not re.search(pattern, text):
            if not select.select([terminal], [], [], lab.PATIENCE)[0]:
                raise AssertionError(f"{pattern!r} is not in {text!r}")
            try:
                text += os.read(terminal, 1000).decode()
            except OSError:
                raise AssertionError(f"{pattern!r} is not in {text!r}") from None
        return text

    def test_ctrl_c_reaches_the_command(self):
        program = ["sh", "-c", 'trap "echo got it; exit 5" INT; echo ready; while :; do sleep 0.1; done']
        pid, terminal = self.start("run", *QUIET, "--command", "--", *program)
        self.read_until(terminal, "ready")
        os.write(terminal, b"\x03")
        self.read_until(terminal, "got it")
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 5)

    def test_shell(self):
        pid, terminal = self.start("shell", *QUIET)
        self.read_until(terminal, "lab> ")
        os.write(terminal, b"hostname; ip netns exec router hostname -I 2>/dev/null; tty >/dev/null && echo t$((1+1))\n")
        self.read_until(terminal, r"client\r\n(.*\r\n)*t2")
        os.write(terminal, b"exit 6\n")
        while True:
            try:
                if not os.read(terminal, 1000):
                    break
            except OSError:
                break
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 6)


if __name__ == "__main__":
    lab.main([])
