"""Broken networks, one lab each: does p2pdiag name what is broken, mend it where it can, and leave nothing behind?

`scripts/test --scenarios` calls it; README.md says how to add one.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import inside
import judge
import scenario as scenarios

import lab  # found by inside

PYTHON = "/usr/bin/python3"
# Labs at the same time: more, and checks miss their deadlines on a small machine.
AT_ONCE = 2
# Runs of a scenario in which chance has a hand, until the cause is named; and of one that ran out of time.
CHANCES = 4


def measure(program, wanted, path):
    """Runs the lab, with a configuration of its own. Returns what was measured, or complaints."""
    command = [program, "lab", "run", *wanted.lab, "--command", "--", PYTHON, inside.__file__, program, path]
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=900,
                              env={**os.environ, "XDG_CONFIG_HOME": home, "PYTHONDONTWRITEBYTECODE": "1"})
    if done.returncode != 0:
        return None, [f"the lab ended with exit code {done.returncode}: {done.stdout}{done.stderr}"]
    return json.loads(done.stdout), []


class Outcome:
    def __init__(self, wanted, measured, complaints, skipped=""):
        self.wanted, self.measured, self.complaints, self.skipped = wanted, measured, complaints, skipped

    @property
    def right(self):
        return not self.complaints and not self.skipped

    def cause(self):
        report = self.measured and self.measured["report"]
        return (judge.named(report) or ("none", None)) if report else ("?", None)

    def fixed(self):
        """By what it was mended, or why there is nothing to say."""
        mended = self.measured and self.measured["mended"]
        if not mended:
            return "–"
        used = [each["verb"] for each in (mended["result"] or {}).get("remedies", []) if each["status"] in ("verified", "unproven")]
        return ("yes: " + ", ".join(used)) if mended["arrived"] and used else "yes" if mended["arrived"] else "no"

    def line(self):
        if self.skipped:
            return f"{self.wanted.name:34} skipped: {self.skipped}"
        code, confidence = self.cause()
        said = code if confidence is None else f"{code} {judge.percent(confidence)}"
        seconds = f"{self.measured['run']['seconds']:5.1f} s" if self.measured else ""
        mended = "" if self.fixed() == "–" else f"  fixed: {self.fixed()}"
        return f"{self.wanted.name:34} {'right' if self.right else 'WRONG'}  {said:40} {seconds}{mended}"


def one(program, wanted, path, busy):
    """One scenario. `busy`: time is no matter on this machine; what ran out of it is done again."""
    if wanted.root and os.geteuid() != 0:
        return Outcome(wanted, None, [], "needs root")
    for _ in range(CHANCES):
        measured, complaints = measure(program, wanted, path)
        if measured is None:
            return Outcome(wanted, None, complaints)
        report = measured["report"]
        if report and busy:
            report = measured["report"] = judge.without_time(wanted, report)
        complaints = judge.judge(wanted, measured)
        again = complaints and report and (wanted.chance and judge.only_missed(wanted, report)
                                           or busy and judge.out_of_time(report, measured["mended"]))
        if not again:
            break
    return Outcome(wanted, measured, complaints)


def show(program, outcome):
    """All that was said, for whoever looks at one scenario."""
    if outcome.measured is None:
        return
    for text in outcome.measured["said"]:
        print(text, end="")
    run, mended = outcome.measured["run"], outcome.measured["mended"]
    print(f"$ {run['command']}")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(run["out"])
        file.flush()
        print(subprocess.run([program, "run", "--offline", file.name], capture_output=True, text=True).stdout)
    print(run["err"], end="")
    tried = outcome.measured["tried"]
    for done in (mended["fix"], mended["undo"]) if mended else (tried["fix"],) if tried else ():
        print(f"$ {done['command']}\n{done['out']}{done['err']}")


HEAD = """# What p2pdiag says of broken networks

Each row is a network of the lab (`p2pdiag lab`) that is broken in a known way, p2pdiag in it, and the first cause that it names.
`scripts/test --scenarios` builds them all, judges what is said, and writes this table; it does so only where everything is right: the
first cause is the one that was broken, no wrong cause is more than 50 % sure, and where nothing is wrong, nothing is said. Where a
fix is named, `p2pdiag fix --yes` was run, a UDP packet from a stranger outside then arrived at the port, and after
`p2pdiag undo --all` every rule of every host and the router's forwards were as before. To add one: `tests/scenarios/README.md`.

| scenario | what is broken | cause named | how sure | fixed |
|---|---|---|---|---|
"""


def table(outcomes):
    rows = []
    for outcome in outcomes:
        code, confidence = outcome.cause()
        sure = "" if confidence is None else judge.percent(confidence)
        rows.append(f"| {outcome.wanted.name} | {outcome.wanted.title} | {code} | {sure} | {outcome.fixed()} |\n")
    broken = sum(not outcome.wanted.healthy for outcome in outcomes)
    return HEAD + "".join(rows) + f"\n{broken} broken networks, {len(outcomes) - broken} healthy ones.\n"


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/test --scenarios", description=__doc__.splitlines()[0])
    parser.add_argument("program", help="p2pdiag")
    parser.add_argument("names", nargs="*", help="these alone, with all that is said")
    parser.add_argument("--sample", action="store_true", help="those that are marked as the sample")
    parser.add_argument("--busy", action="store_true",
                        help="on a machine without time: slowness is not held against p2pdiag, and a check that was not done is done again")
    parser.add_argument("--table", help="where the table of all goes")
    return parser.parse_intermixed_args()


def main():
    options = arguments()
    program = os.path.abspath(options.program)
    lab.P2PDIAG = program
    possible = lab.lab("check")
    if possible.returncode == 77:
        print("skipped:", possible.stderr.strip(), file=sys.stderr)
        return 77
    try:
        wanted = scenarios.load_all(options.names)
    except scenarios.Mistake as error:
        print(f"scenarios: {error}", file=sys.stderr)
        return 2
    paths = [name if name.endswith(".toml") else str(scenarios.HERE / f"{name}.toml")
             for name in options.names or [each.name for each in wanted]]
    jobs = [(each, os.path.abspath(path)) for each, path in zip(wanted, paths) if each.sample or not options.sample]
    outcomes, began = [], time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        started = [pool.submit(one, program, each, path, options.busy) for each, path in jobs]
        for job in started:
            outcome = job.result()
            outcomes.append(outcome)
            if options.names:
                show(program, outcome)
            print(outcome.line(), flush=True)
            for complaint in outcome.complaints:
                print("    " + complaint.replace("\n", "\n    "), flush=True)
    wrong = sum(not outcome.right and not outcome.skipped for outcome in outcomes)
    skipped = sum(bool(outcome.skipped) for outcome in outcomes)
    print(f"{len(outcomes)} scenarios in {time.monotonic() - began:.0f} s: {len(outcomes) - wrong - skipped} right, {wrong} wrong"
          + (f", {skipped} skipped" if skipped else ""))
    if options.table and not wrong and not skipped:
        pathlib.Path(options.table).write_text(table(outcomes), encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
