"""What happens in the lab of a scenario: break, look, mend, send, take back. It measures; judge.py says what is right."""
import contextlib
import errno
import glob
import json
import os
import re
import select
import subprocess
import sys
import tempfile
import time

import scenario as scenarios

sys.path.insert(0, str(scenarios.HERE.parent / "lab"))
import lab  # noqa: E402

# An address of the internet that nothing in the lab has or sends to, for the stranger.
STRANGER = "11.22.33.99"
PROBES = 5
# Seconds. What must arrive is sent again until then; nothing waits that long where all is well.
PATIENCE = 20.0


class Broken(Exception):
    """The scenario could not be made."""


def shell(program, step, file):
    """Runs the lines of a step on its host; what they leave in the background ends with the lab."""
    with tempfile.TemporaryFile("w+") as said:
        with lab.on(step.on):
            code = subprocess.run(["sh", "-euc", step.shell], stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                                  env={**os.environ, "SCENARIOS": str(scenarios.HERE), "P2PDIAG": program}, timeout=120).returncode
        said.seek(0)
        text = said.read()
    if code != 0:
        raise Broken(f"{file}: on {step.on}: exit code {code} of\n{step.shell}\n{text}")
    return text


def p2pdiag(program, *arguments):
    began = time.monotonic()
    done = subprocess.run([program, "--profile", "lab", *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=300)
    return {"command": "p2pdiag " + " ".join(arguments), "code": done.returncode, "out": done.stdout, "err": done.stderr,
            "seconds": time.monotonic() - began}


def document(done):
    """The JSON that a command has printed, or null."""
    with contextlib.suppress(json.JSONDecodeError):
        return json.loads(done["out"])
    return None


# ---- what the hosts' rules are

def without_learned(text):
    """Rules without counters, without what the kernel itself puts into sets that are said to be dynamic, and without the
    handles of ufw's rules, all of which ufw writes anew whenever one changes."""
    text = re.sub(r"packets \d+ bytes \d+", "packets N bytes N", text)
    text = re.sub(r"^\tchain ufw6?-.*?^\t\}", lambda chain: re.sub(r" # handle \d+", "", chain.group()), text,
                  flags=re.MULTILINE | re.DOTALL)
    block = re.compile(r"^\t(?:set|map) \S+ \{.*?^\t\}", re.MULTILINE | re.DOTALL)

    def learned(match):
        found = match.group()
        if not re.search(r"flags [^\n]*dynamic", found):
            return found
        return re.sub(r"\n\t\telements = \{.*?\}(?=\n)", "", found, flags=re.DOTALL)

    return block.sub(learned, text)


def without_counters(saved):
    """What iptables-save says, without its counters and the comments with the time of day."""
    return re.sub(r"\[\d+:\d+\]", "[N:N]", re.sub(r"^#.*\n", "", saved, flags=re.MULTILINE))


def tables(host, family):
    with lab.on(host), contextlib.suppress(FileNotFoundError):
        with open(f"/proc/thread-self/net/{family}_tables_names", encoding="ascii") as file:
            return file.read()
    return ""


def read(path):
    """Nothing where it is not there, or is root's: what cannot be read cannot be written."""
    with contextlib.suppress(FileNotFoundError, PermissionError):
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    return ""


def state():
    """Every rule and every forward there is, as text by name."""
    found = {}
    for host in sorted(os.listdir("/run/netns")):
        found[f"{host}: nft"] = without_learned(lab.output(host, "nft", "-a", "list", "ruleset"))
        for family in ("ip", "ip6"):
            found[f"{host}: {family}tables-nft"] = without_counters(lab.output(host, f"{family}tables-nft-save"))
            # Asking it where it has no tables would make some.
            if tables(host, family):
                found[f"{host}: {family}tables-legacy"] = without_counters(lab.output(host, f"{family}tables-legacy-save"))
    found["router: forwards"] = read("/run/p2pdiag-lab/upnp.leases")
    for path in sorted([*glob.glob("/etc/ufw/*.rules"), *glob.glob("/etc/firewalld/**/*.xml", recursive=True)]):
        found[path] = read(path)
    return found


def differences(before, after):
    """The names of what is not as it was, with both texts."""
    return {name: [before.get(name), after.get(name)] for name in sorted({*before, *after})
            if before.get(name) != after.get(name)}


# ---- a packet from a stranger

class Listener:
    """The program on the client's port: our own socket or, where the scenario has one that answers, the stranger's,
    which waits for the answer."""

    def __init__(self, port, stranger):
        self.stranger = stranger
        try:
            self.own = lab.udp("client", "0.0.0.0", port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            self.own = None

    def greet(self, friend):
        """Most programs have sent something before they are called; a NAT then knows them."""
        if self.own:
            self.own.sendto(b"hello", lab.endpoint(friend))

    def has(self, probe, seconds):
        made = self.own or self.stranger
        deadline = time.monotonic() + seconds
        while select.select([made], [], [], max(0.0, deadline - time.monotonic()))[0]:
            if made.recv(2048) == probe:
                return True
        return False

    def close(self):
        if self.own:
            self.own.close()


def alive(friend):
    """Returns when an answer of `friend` has come in: whatever was sent before it has had its time."""
    asking = lab.udp("client", "0.0.0.0")
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        asking.sendto(b"?", lab.endpoint(friend))
        if select.select([friend], [], [], 0.5)[0]:
            friend.sendto(b"!", friend.recvfrom(100)[1])
            if select.select([asking], [], [], 0.5)[0]:
                break
    asking.close()


def gets_in(wanted, expected):
    """Whether a UDP packet of a stranger, to whom the client never sent anything, reaches the program on its port."""
    stranger, friend = lab.udp("server", STRANGER), lab.udp("server", lab.SERVER)
    listener = Listener(wanted.port, stranger)
    try:
        listener.greet(friend)
        alive(friend)
        probe = os.urandom(8)
        deadline = time.monotonic() + (PATIENCE if expected else 0)
        while True:
            for _ in range(PROBES):
                stranger.sendto(probe, wanted.endpoint)
            if listener.has(probe, 0.5):
                return True
            if time.monotonic() >= deadline:
                alive(friend)
                return listener.has(probe, 0)
    finally:
        listener.close()
        for made in (stranger, friend):
            made.close()


# ---- all of it

def mended(program, wanted):
    lab.output("server", "ip", "address", "add", f"{STRANGER}/24", "dev", "eth0")
    open_before = gets_in(wanted, False)
    before = state()
    # With the checks of the run: a remedy may stand on one of them.
    deep = wanted.run if wanted.run[:1] == ["--deep"] and "--deadline" not in wanted.run else []
    fix = p2pdiag(program, "fix", "--yes", *deep, "--format", "json")
    arrived = gets_in(wanted, True)
    undo = p2pdiag(program, "undo", "--all", "--yes")
    return {"open_before": open_before, "fix": fix, "result": document(fix), "arrived": arrived, "undo": undo,
            "left": differences(before, state())}


def tried_in_vain(program):
    before = state()
    fix = p2pdiag(program, "fix", "--yes", "--format", "json")
    return {"fix": fix, "result": document(fix), "left": differences(before, state())}


def measure(program, path):
    wanted = scenarios.load(path)
    said = [shell(program, step, path) for step in wanted.broken]
    # A busy machine is no broken network; the checks' own deadlines hold besides.
    patient = [] if "--deadline" in wanted.run else ["--deadline", "60s"]
    run = p2pdiag(program, "run", "all", *wanted.run, *patient, "--format", "json")
    report = document(run)
    return {"said": said, "run": run, "report": report,
            "mended": mended(program, wanted) if wanted.fixable and report else None,
            "tried": tried_in_vain(program) if wanted.in_vain and report else None}


def main(program, path):
    try:
        print(json.dumps(measure(program, path)))
    except Broken as error:
        print(error, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
