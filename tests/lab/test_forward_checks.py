"""What the checks and the diagnosis make of forwards, with a real router daemon; and that upnp.mapping leaves none behind."""
import contextlib
import json
import os
import re
import signal
import socket
import subprocess

import lab
from forward_lab import (
    Cases, PORT, REMOVAL, add, caught, check, p2pdiag, readdress, records, restart, restart_daemon, rules,
    set_spy, undo_all, wait_for, words)
from lab import CLIENT, HOME, equal, on, output, true


# ---- inside

def long_list():
    """A router is asked for all that it forwards, however many questions that takes."""
    ports = range(9000, 9030)
    output("client", "upnpc", "-r", *(word for port in ports for word in (str(port), "udp")))
    listed = json.loads(p2pdiag("forward", "list", "--format", "json").stdout)
    equal(sorted(row["external_port"] for row in listed["forwards"]), list(ports), words(listed["notes"]))


def gateways():
    found, codes = check("upnp.gateways")
    # Where two protocols have answered at once, UPnP has a second; on a busy machine the router may need longer.
    for _ in range(9):
        if "portmap.upnp" in codes or not found["data"]["ended_early"]:
            break
        found, codes = check("upnp.gateways")
    equal(found["status"], "pass", words(found))
    equal(codes, {"portmap.upnp", "portmap.natpmp", "portmap.pcp"}, "codes")
    equal((found["data"]["outside"], found["data"]["nat_layers"]), ("same-as-stun", 1), "outside")
    equal(found["data"]["devices"][0]["control_url"], "http://192.168.7.1:5000/ctl/IPConn", "control URL")


def mapping():
    output("client", "upnpc", "-a", "192.168.7.2", str(PORT), str(PORT), "udp", "600")
    # On a busy machine the router may not say in time what it lists, which is "unknown", or answers be too late to count.
    for _ in range(5):
        found, codes = check("upnp.mapping")
        trials = found["data"]["trials"]
        if [trial["read_back"] for trial in trials][:1] == ["yes"] and all(trial["packet"] == "arrived" for trial in trials):
            break
    equal(found["status"], "pass", words(found))
    equal([trial["protocol"] for trial in trials], ["upnp", "pcp", "natpmp"], "protocols")
    for trial in trials:
        # The one that was there is not touched.
        equal(trial["asked"]["external_port"], PORT + 1, "the port")
        equal(trial["removed"], True, "removed")
        equal(trial["packet"], "arrived", "a packet from outside")
    equal(trials[0]["read_back"], "yes", "read back")
    equal(rules(), [(socket.IPPROTO_UDP, PORT)], "what is left")


def lose_removals(protocol, table, sockets):
    """What the first so many sockets send that ask for a removal never arrives, and what later ones send does.

    It stays: the kernel repeats what a socket had to send after its process is gone.
    """
    layer = "tcp" if protocol == "upnp" else "udp"
    set_spy(f"""set asking {{ type inet_service; size {sockets}; flags dynamic; }}
        chain asked {{
            {REMOVAL[protocol]} add @asking {{ {layer} sport }}
        }}
        chain input {{
            type filter hook input priority filter - 10
            jump asked
            {layer} sport @asking counter name caught drop
        }}""", table)


def start_mapping(protocol, sockets):
    """A run of upnp.mapping whose first requests to remove its mapping are lost, just after that."""
    table = f"spy{len(re.findall('spy', output('router', 'nft', 'list', 'tables')))}"
    lose_removals(protocol, table, sockets)
    with on("client"):
        process = subprocess.Popen([lab.P2PDIAG, "--profile", "lab", "run", "upnp.mapping", "--skip", "stun.*"],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   text=True, start_new_session=True)
    wait_for(lambda: caught(table) > 0 or process.poll() is not None, "nothing was to be removed")
    return process, table


@contextlib.contextmanager
def mapping_stands(protocol, sockets=1):
    """A run of upnp.mapping, at the point where the router has its mapping and it is about to be removed.

    It asks a second time within two seconds; where the machine was too slow to look in between, it is run again.
    """
    before = rules()
    for _ in range(5):
        process, table = start_mapping(protocol, sockets)
        try:
            if process.poll() is None and rules() != before:
                yield process
                # New ones get through.
                output("router", "nft", "flush", "chain", "inet", table, "asked")
                return
            process.communicate(timeout=60)
        finally:
            process.kill()
            process.communicate(timeout=60)
    raise AssertionError(f"never seen before its mapping by {protocol} was removed")


def mapping_interrupted():
    """F1: Ctrl-C while a test mapping stands leaves none."""
    for protocol in ("upnp", "pcp", "natpmp"):
        for _ in range(5):
            with mapping_stands(protocol) as process:
                process.send_signal(signal.SIGINT)
                said, _ = process.communicate(timeout=60)
                equal(rules(), [], f"after Ctrl-C while one by {protocol} stood")
            if process.returncode == 130:  # else it had ended before that
                break
        equal(process.returncode, 130, said)


def processes_on_client():
    """Of p2pdiag, but for the lab's own."""
    here, found = os.stat("/run/netns/client").st_ino, []
    for entry in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if entry.isdigit() and os.stat(f"/proc/{entry}/ns/net").st_ino == here:
                with open(f"/proc/{entry}/cmdline", encoding="utf-8", errors="replace") as file:
                    words_of_it = file.read().split("\0")
                if words_of_it[0] == lab.P2PDIAG and "lab" not in words_of_it[1:2]:
                    found.append(words_of_it)
    return found


def mapping_killed():
    """F1: after a kill -9 while a test mapping stands, whoever runs next removes it, and nothing else."""
    output("client", "upnpc", "-a", CLIENT, str(PORT), str(PORT), "udp", "600")
    foreign = [(socket.IPPROTO_UDP, PORT)]
    state = os.environ["P2PDIAG_STATE_DIR"] + "/mapping-tests"

    def kill(protocol):
        # Whatever it sends before it is killed, and however late that is.
        with mapping_stands(protocol, sockets=100) as process:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate(timeout=60)
            wait_for(lambda: not any("upnp.mapping" in one for one in processes_on_client()), "it goes on")
        left = [rule for rule in rules() if rule not in foreign]
        equal((len(left), len(rules())), (1, 2), f"what the kill of {protocol} left")
        equal(len([name for name in os.listdir(state) if name.endswith(".json")]), 1, "records")
        return left

    for protocol, name in (("upnp", "UPnP"), ("pcp", "PCP"), ("natpmp", "NAT-PMP")):
        left = kill(protocol)
        found, _ = check("upnp.mapping", "--skip", "stun.*")
        equal(found["status"], "pass", words(found))
        (leftover,) = found["data"]["leftovers"]
        true(leftover["removed"] and f"UDP port {left[0][1]} by {name}" in leftover["what"], words(found))
        equal(rules(), foreign, f"after the next run, {protocol}")
        equal(os.listdir(state), [], "the records")
    ((_, port),) = kill("upnp")
    # The same port: the plan knows whose it is, and what is planned finds it free.
    done = json.loads(p2pdiag("forward", "add", "--port", str(port), "--yes", "--format", "json").stdout)
    equal(done["status"], "applied", words(done))
    equal(len(records()), 1, "the journal")
    undo_all()
    equal((rules(), os.listdir(state)), (foreign, []), "after the next forward")


def in_report(*options):
    """The whole report, once the router has been heard: on a busy machine a search may end before that."""
    for _ in range(9):
        report = json.loads(p2pdiag("run", "stun.nat", "upnp.gateways", *options, "--format", "json", expect=None).stdout)
        data = next(one for one in report["checks"] if one["id"] == "upnp.gateways")["data"] or {}
        heard = any((gateway["pcp"] or {}).get("works") for gateway in data.get("gateways", []))
        if data.get("complete") and (heard or any(device["usable"] for device in data["devices"])):
            break
    return report, {finding["code"]: finding["evidence"] for finding in report["findings"]}


def add_patiently(*options):
    """A plan waits for no router longer than three seconds, and a busy machine may need more."""
    done = []
    wait_for(lambda: done.append(add(*options, expect=None)) or done[-1]["status"] == "applied", "applied")


def known_to_the_diagnosis(protocol):
    """A forward is in force, then lost, and renewed by the remedy; behind a symmetric NAT it makes the verdict direct."""
    before, codes = in_report()
    true("portmap.forwarded" not in codes and before["verdict"]["status"] != "direct", words(before["verdict"]))
    add_patiently("--via", protocol)
    after, codes = in_report()
    equal((codes["portmap.forwarded"]["verified"], codes["portmap.forwarded"]["external"], codes["portmap.forwarded"]["via"]),
          ("packet", f"{HOME}:{PORT}", protocol), words(after["checks"]))
    equal(after["verdict"]["status"], "direct", words(after["verdict"]))
    true(f"Peers reach UDP port {PORT} of this machine at {HOME}:{PORT}" in after["verdict"]["headline"], words(after["verdict"]))
    # Of another port it is not.
    other, codes = in_report("--port", "8001")
    true("portmap.forwarded" in codes and other["verdict"]["status"] != "direct", words(other["verdict"]))
    restart_daemon()
    lost, codes = in_report()
    true("portmap.forwarded" not in codes, words(codes))
    true(lost["verdict"]["status"] != "direct", words(lost["verdict"]))
    # PCP: a daemon that is restarted when it is a few seconds old may be told by nothing but that its epoch is odd.
    if protocol == "upnp" or "portmap.forward-lost" in codes:
        cause = next(one for one in lost["causes"] if one["code"] == "cause.forward-lost")
        remedy = cause["remedies"][0]
        equal((remedy["id"], remedy["verb"], remedy["arguments"]), ("renew", "forward add", {"port": PORT, "protocol": "udp"}),
              words(cause))
    add_patiently("--via", protocol)
    equal(in_report()[0]["verdict"]["status"], "direct", "after the remedy")
    undo_all()
    true("portmap.forwarded" not in in_report()[1], "after undo")


def known_by_upnp():
    known_to_the_diagnosis("upnp")


def known_by_pcp():
    known_to_the_diagnosis("pcp")


def known_as_stale():
    """This machine has another address: the forward leads to nobody, and the remedy removes it."""
    restart(secure_mode="no")  # else the router removes a forward for nobody but whom it leads to
    add_patiently("--via", "upnp")
    readdress()
    report, codes = in_report()
    equal((codes["portmap.forward-stale"]["reason"], codes["portmap.forward-stale"]["leads_to"]),
          ("other-address", f"{CLIENT}:{PORT}"), words(codes))
    true("portmap.forwarded" not in codes and report["verdict"]["status"] != "direct", words(report["verdict"]))
    remedy = next(one for one in report["causes"] if one["code"] == "cause.forward-stale")["remedies"][0]
    equal((remedy["verb"], remedy["arguments"]), ("forward remove", {"port": PORT, "protocol": "udp"}), words(remedy))
    p2pdiag(*remedy["command"].split()[1:], "--yes")
    equal((rules(), records()), ([], []), "after the remedy")
    true("portmap.forward-stale" not in in_report()[1], "after the remedy")


CASES = [long_list, gateways, mapping, mapping_interrupted, mapping_killed, known_by_upnp, known_by_pcp,
         known_as_stale]


# ---- outside

class Checks(Cases):
    def test_known_to_the_diagnosis(self):
        self.inside((known_by_upnp, "--igd", "upnp"), (known_by_pcp, "--igd", "pcp"), (known_as_stale, "--igd", "upnp"),
                    nat=("--nat", "symmetric"))

    def test_checks(self):
        self.inside((long_list, "--igd", "upnp"), (gateways, "--igd", "upnp,natpmp,pcp"), (mapping, "--igd", "upnp,natpmp,pcp"),
                    (mapping_interrupted, "--igd", "upnp,natpmp,pcp"), (mapping_killed, "--igd", "upnp,natpmp,pcp"),
                    side_by_side=2)  # they look at what stands for a second or two


if __name__ == "__main__":
    lab.main(CASES)
