"""Whether what p2pdiag said of a scenario is right. Pure: numbers and texts in, complaints out."""

# Above it a cause is likely (docs/user/diagnosis.md).
LIKELY = 0.5


# What stands on time alone, and on a busy machine may be true of the machine itself.
BUSY_CAUSES = ("cause.dns-slow", "cause.latency", "cause.loss")
BUSY_FINDINGS = ("net.dns-slow", "net.latency-high", "net.loss-high", "host.plugin-timed-out")


def without_time(wanted, report):
    """The report as it would be of a machine that has time; what is wanted stays."""
    named_here = (wanted.cause, *wanted.also, *wanted.likely)
    return {**report, "causes": [cause for cause in report["causes"]
                                 if cause["code"] not in BUSY_CAUSES or cause["code"] in named_here],
            "findings": [finding for finding in report["findings"] if finding["code"] not in BUSY_FINDINGS]}


def out_of_time(report, mended=None):
    """Whether a check was not done or could not tell, which time may be the reason of; or a fix did not help, since a router
    that answers late is not waited for."""
    if mended and not mended["arrived"]:
        return True
    return report["run"]["interrupted"] or any(check["status"] in ("timed_out", "cancelled", "unknown")
                                               for check in report["checks"])


def percent(confidence):
    return f"{round(100 * confidence)} %"


def named(report):
    """The first cause and how sure, or None."""
    causes = report["causes"]
    return (causes[0]["code"], causes[0]["confidence"]) if causes else None


def judge_healthy(wanted, report):
    for cause in report["causes"]:
        yield f"{cause['code']} ({percent(cause['confidence'])}) is named, and nothing is wrong"
    for finding in report["findings"]:
        if finding["severity"] != "info" and finding["code"] not in wanted.findings:
            yield f"{finding['severity']} {finding['code']}, and nothing is wrong: {finding['message']}"


def judge_broken(wanted, report):
    found = {cause["code"]: cause["confidence"] for cause in report["causes"]}
    first = named(report)
    if first is None or first[0] != wanted.cause:
        yield f"the first cause is {first[0] if first else 'none'}, not {wanted.cause}"
    for code, confidence in found.items():
        if code not in (wanted.cause, *wanted.also, *wanted.likely) and confidence > LIKELY:
            yield f"{code} is stated with {percent(confidence)}, and is wrong"
    for code in wanted.likely:
        if found.get(code, 0) <= LIKELY:
            yield f"{code} is not likely, and has to be"


def judge_mended(mended):
    if mended["open_before"]:
        yield "a stranger's packet arrives before anything was mended: the scenario proves nothing"
    if not mended["arrived"]:
        yield "after fix a stranger's packet does not arrive"
    if mended["undo"]["code"] != 0:
        yield f"undo ends with exit code {mended['undo']['code']}: {mended['undo']['out']}{mended['undo']['err']}"
    for name, (before, after) in mended["left"].items():
        yield f"after undo {name} is not as before.\n--- before\n{before}\n--- after\n{after}"


def judge_tried(wanted, tried):
    result = tried["result"]
    if result is None or result["after"] is None:
        yield f"fix did nothing (exit code {tried['fix']['code']}): {tried['fix']['out']}{tried['fix']['err']}"
        return
    became = {remedy["id"]: remedy["status"] for remedy in result["remedies"]}
    if not set(became.values()) & {"not-helped", "not-done"}:
        yield f"fix was not in vain: {became}"
    verdict = result["after"]["verdict"]["status"]
    if verdict != wanted.in_vain:
        yield f"after what fix did in vain the verdict is {verdict}, not {wanted.in_vain}"
    for name, (before, after) in tried["left"].items():
        yield f"after fix in vain {name} is not as before.\n--- before\n{before}\n--- after\n{after}"


def only_missed(wanted, report):
    """Nothing wrong was said; what is there was not seen, which where chance has a hand in it may happen."""
    return not wanted.healthy and not report["causes"] and bool(list(judge_broken(wanted, report)))


def judge(wanted, measured):
    """What is wrong, in words; empty where all is right."""
    report = measured["report"]
    if report is None:
        run = measured["run"]
        return [f"run printed no report (exit code {run['code']}): {run['out']}{run['err']}"]
    complaints = list(judge_healthy(wanted, report) if wanted.healthy else judge_broken(wanted, report))
    verdict = report["verdict"]["status"]
    if wanted.verdict and verdict != wanted.verdict:
        complaints.append(f"the verdict is {verdict}, not {wanted.verdict}")
    if measured["mended"]:
        complaints += judge_mended(measured["mended"])
    if measured["tried"]:
        complaints += judge_tried(wanted, measured["tried"])
    return complaints
