"""The statistical promise: stun.nat, many times per NAT kind, without and with loss. `scripts/test --long`.

Right: every field is what the lab's NAT does. Honest: some field is null, none is wrong. Wrong: a field says something
else, with confidence. Without loss and at 10 % loss at least 99 % must be right; a wrong one is a failure at any loss.
"""
import collections
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile
import time

ANY_FILTERING = (None, "address-and-port-dependent")
EIM, ADM, APDM = "endpoint-independent", "address-dependent", "address-and-port-dependent"

# NAT kind -> mapping, the filterings that are no error, nat_type. With a mapping that varies, filtering may be null.
TRUTH = {
    "open": (EIM, (EIM,), "open"),
    "full-cone": (EIM, (EIM,), "full-cone"),
    "restricted-cone": (EIM, (ADM,), "restricted-cone"),
    "port-restricted-cone": (EIM, (APDM,), "port-restricted-cone"),
    "address-dependent": (ADM, ANY_FILTERING, "symmetric"),
    "symmetric": (APDM, ANY_FILTERING, "symmetric"),
    "symmetric-sequential": (APDM, ANY_FILTERING, "symmetric"),
}


def judge(kind, family):
    """right, honest or wrong."""
    mapping, filterings, nat_type = TRUTH[kind]
    if family is None:
        return "honest"
    said = (family["mapping"], family["filtering"], family["nat_type"])
    if said[0] == mapping and said[1] in filterings and said[2] == nat_type:
        return "right"
    fits = said[0] in (mapping, None) and said[1] in (*filterings, None) and said[2] in (nat_type, None)
    return "honest" if fits else "wrong"


def inside(host, kind, runs):
    """Runs in the lab's client; prints one line of JSON."""
    verdicts, times, examples = collections.Counter(), [], []
    for _ in range(runs):
        began = time.monotonic()
        done = subprocess.run([host, "--profile", "lab", "run", "stun.nat", "--format", "json"],
                              stdout=subprocess.PIPE)
        times.append(time.monotonic() - began)
        check = next(c for c in json.loads(done.stdout)["checks"] if c["id"] == "stun.nat")
        family = check["data"]["ipv4"]
        verdict = judge(kind, family)
        verdicts[verdict] += 1
        if verdict != "right" and len(examples) < 5:
            shown = ("mapping", "filtering", "nat_type", "controls")
            examples.append({name: family[name] for name in family if name.startswith(shown)}
                            if family else check["summary"])
    times.sort()
    print(json.dumps({"verdicts": verdicts, "median": times[len(times) // 2], "slowest": times[-1],
                      "examples": examples}))


def one_lab(host, kind, loss, runs):
    command = [host, "lab", "run", "--nat", kind, "--loss", str(loss), "--command", "--", sys.executable, __file__,
               "--inside", host, kind, str(runs)]
    with tempfile.TemporaryDirectory() as cache:
        done = subprocess.run(command, stdout=subprocess.PIPE, env=dict(os.environ, XDG_CACHE_HOME=cache))
    if done.returncode != 0:
        raise RuntimeError(f"{kind}, loss {loss}: exit code {done.returncode}")
    return json.loads(done.stdout)


def main(host, runs, losses):
    failed = False
    print(f"{'NAT':22} loss  right honest wrong   median  slowest")
    # Each lab waits far more than it computes.
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        jobs = {(kind, loss): pool.submit(one_lab, host, kind, loss, runs) for loss in losses for kind in TRUTH}
        for (kind, loss), job in jobs.items():
            result = job.result()
            count = collections.Counter(result["verdicts"])
            enough = loss > 10 or count["right"] >= 0.99 * runs
            bad = count["wrong"] > 0 or not enough
            failed = failed or bad
            print(f"{kind:22} {loss:3} %  {count['right']:5} {count['honest']:6} {count['wrong']:5} "
                  f"{result['median']:7.3f}s {result['slowest']:7.3f}s{'   FAILED' if bad else ''}", flush=True)
            for example in result["examples"] if bad else []:
                print("    ", json.dumps(example))
    return 1 if failed else 0


if __name__ == "__main__":
    if sys.argv[1] == "--inside":
        inside(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        wanted = [int(loss) for loss in sys.argv[3:]] or [0, 10, 20]
        sys.exit(main(os.path.abspath(sys.argv[1]), int(sys.argv[2]), wanted))
