"""A large report diagnosed by five hundred rules: how long that alone takes, as p2pdiag itself tells with --verbose."""
import glob
import json
import os
import re
import statistics
import subprocess
import tempfile

RULES, CHECKS, FINDINGS = 500, 100, 1000


def codes_of(source):
    """All that have a page."""
    text = "".join(open(page).read() for page in sorted(glob.glob(source + "/docs/codes/*.md")))
    return [code for code in re.findall(r"^## (\S+)$", text, re.M) if not code.startswith("cause.")]


def write_rules(path, codes, count):
    """Each looks at four codes and at values of the evidence; half of them hold, and each explains a code."""
    with open(path, "w") as file:
        for number in range(count):
            a, b, c, d = (codes[(number * step + step) % len(codes)] for step in (1, 3, 5, 7))
            wanted = f'{{ above = {number % 2 * 100} }}'
            file.write(f'[[cause]]\nid = "cause.bench-{number}"\ntitle = "T"\nplace = "you"\nimpact = "quality"\n'
                       f'explanation = ["{{{a}}}", "{{{b}|deep.n}}"]\n[[cause.when]]\nconfidence = 0.6\n'
                       f'all = [{{ code = "{a}", evidence = {{ "deep.n" = {wanted} }} }}]\n'
                       f'any = [{{ code = "{b}" }}, {{ code = "{c}", severity = "error" }}]\n'
                       f'none = [{{ code = "{d}", evidence = {{ "list.port" = 70000 }} }}]\n')


def write_report(path, codes):
    checks = [{"id": f"bench.c{n}", "plugin": "bench", "title": "T", "status": "warn", "summary": "s", "duration_ms": 1,
               "data": {"list": list(range(50))}} for n in range(CHECKS)]
    findings = [{"code": codes[n % len(codes)], "severity": ("info", "warning", "error")[n % 3],
                 "check": f"bench.c{n % CHECKS}", "message": "message " * 10,
                 "evidence": {"family": ("ipv4", "ipv6")[n % 2], "deep": {"n": n % 50},
                              "list": [{"port": port} for port in range(10)]}} for n in range(FINDINGS)]
    with open(path, "w") as file:
        json.dump({"format_version": "1.0", "tool": {"name": "p2pdiag", "version": "0", "plugins": []},
                   "run": {"id": "0", "started": "2026-01-31T12:34:56.789Z", "duration_ms": 1, "interrupted": False,
                           "profile": "default", "target": {"port": 8000}},
                   "verdict": {"status": "unknown", "headline": ""}, "checks": checks, "findings": findings,
                   "causes": []}, file)


def diagnosis(host, source, rounds):
    codes = codes_of(source)
    with tempfile.TemporaryDirectory() as place:
        environment = dict(os.environ, XDG_CONFIG_HOME=place)
        report = place + "/report.json"
        write_report(report, codes)
        shipped = len(glob.glob(source + "/profiles/diagnosis/*.toml")) and sum(
            open(file).read().count("[[cause]]") for file in glob.glob(source + "/profiles/diagnosis/*.toml"))
        os.makedirs(place + "/p2pdiag/diagnosis")
        write_rules(place + "/p2pdiag/diagnosis/bench.toml", codes, RULES - shipped)
        times = []
        for _ in range(rounds):
            done = subprocess.run([host, "--verbose", "run", "--offline", report, "--format", "json"], env=environment,
                                  capture_output=True, text=True)
            rules, us = re.search(r"diagnosis by (\d+) rules took (\d+) us", done.stderr).groups()
            times.append(int(us) / 1000)
        print(f"diagnosis of {FINDINGS} findings by {rules} rules, median of {rounds}")
        print(f"  {statistics.median(times):.1f} ms, {len(json.loads(done.stdout)['causes'])} causes")
