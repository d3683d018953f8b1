"""For tests of forwards in a lab: what the router leads inside, what the journal has, and the router daemon with other settings."""
import concurrent.futures
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import time
import unittest

import lab
from lab import CLIENT, arrives, endpoint, equal, mapped, on, output, true, udp

# ---- inside

PORT = 8000


def p2pdiag(*arguments, expect=0, host="client"):
    with on(host):
        done = subprocess.run([lab.P2PDIAG, "--profile", "lab", *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=120)
    true(expect is None or done.returncode == expect, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def add(*options, expect=0):
    done = p2pdiag("forward", "add", "--port", str(PORT), "--yes", "--format", "json", *options, expect=expect)
    return json.loads(done.stdout)


def records():
    listed = json.loads(p2pdiag("undo", "--list", "--format", "json").stdout)["changes"]
    return sorted(change["id"] for change in listed if change["state"] == "applied")


def undo_all():
    p2pdiag("undo", "--all", "--yes")


def rules():
    """The ports that the router leads inside, as (layer 4 protocol, port)."""
    text = output("router", "nft", "list", "chain", "inet", "igd", "prerouting_miniupnpd")
    found = re.findall(r"@nh,72,8 0x([0-9a-f]+) th dport (\d+) dnat ip to", text)
    return sorted((int(number, 16), int(port)) for number, port in found)


def words(result):
    return json.dumps(result)


def wait_for(condition, what):
    deadline = time.monotonic() + 3 * lab.PATIENCE
    while not condition():
        true(time.monotonic() < deadline, what)
        time.sleep(0.05)


def age(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        started = int(file.read().rsplit(")", 1)[1].split()[19]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started


def has_ended(pid):
    with contextlib.suppress(ChildProcessError):  # the lab's own is no child of ours
        os.waitpid(pid, os.WNOHANG)
    return not os.path.exists(f"/proc/{pid}")


CONFIG = "/run/p2pdiag-lab/miniupnpd.conf"


def restart_daemon(forget=True, aged=True, **lines):
    """As after a reboot: all state is gone, and the epoch begins anew. `lines` of its configuration are others."""
    with open("/run/p2pdiag-lab/miniupnpd.pid", encoding="ascii") as file:
        pid = int(file.read())
    # RFC 6887 section 8.5 forgives a clock that is a second or two off.
    if aged:
        wait_for(lambda: age(pid) > 6, "the daemon does not age")
    os.kill(pid, signal.SIGKILL)
    # A second one will not start beside it.
    wait_for(lambda: has_ended(pid), "the daemon does not end")
    with open(CONFIG, encoding="ascii") as file:
        before = file.read().splitlines()
    with open(CONFIG, "w", encoding="ascii") as file:
        for line in before:
            name, mark, _ = re.split("([= ])", line, maxsplit=1)
            file.write((name + mark + lines[name] if name in lines else line) + "\n")
    if forget:
        for chain in ("miniupnpd", "prerouting_miniupnpd", "postrouting_miniupnpd"):
            output("router", "nft", "flush", "chain", "inet", "igd", chain)
        with contextlib.suppress(FileNotFoundError):
            os.unlink("/run/p2pdiag-lab/upnp.leases")
        equal(rules(), [], "after the daemon's end")
    with on("router"):
        subprocess.Popen(["miniupnpd", "-d", "-f", CONFIG, "-P",
                          "/run/p2pdiag-lab/miniupnpd.pid"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL, start_new_session=True)


def restart(**lines):
    """The daemon, and waits until it listens."""
    restart_daemon(aged=False, **lines)
    port = lines.get("http_port", "5000")
    wait_for(lambda: f":{port} " in output("router", "ss", "-Hltn"), "the daemon does not listen")


NEW_ADDRESS = "192.168.7.50"


def readdress():
    output("client", "sh", "-c", f"ip address del {CLIENT}/24 dev eth0 && ip address add {NEW_ADDRESS}/24 dev eth0 && "
           "ip route replace default via 192.168.7.1")


def check(identifier, *more):
    report = json.loads(p2pdiag("run", identifier, *more, "--format", "json", expect=None).stdout)
    found = next(one for one in report["checks"] if one["id"] == identifier)
    return found, {finding["code"] for finding in report["findings"] if finding["check"] == identifier}


# What a request to remove a mapping looks like to nft. UPnP: the bytes up to the name of the action. PCP (RFC 6887
# section 7.1) and NAT-PMP (RFC 6886 section 3.3): version, opcode, and a lifetime of 0.
UPNP_REQUEST = ('POST /ctl/IPConn HTTP/1.1\r\nHost: 192.168.7.1:5000\r\nUser-Agent: Linux UPnP/1.1 p2pdiag/1\r\n'
                'Connection: close\r\nContent-Type: text/xml; charset="utf-8"\r\n'
                'SOAPAction: "urn:schemas-upnp-org:service:WANIPConnection:1#')
REMOVAL = {"upnp": f"tcp dport 5000 @ih,{8 * len(UPNP_REQUEST)},48 0x{b'Delete'.hex()}",
           "pcp": "udp dport 5351 @th,64,8 2 @th,72,8 1 @th,96,32 0",
           "natpmp": "udp dport 5351 @th,64,8 0 @th,72,8 1 @th,128,32 0"}


def set_spy(rules_of_spy, table="spy"):
    """A table of the router's beside the daemon's, with a counter `caught`."""
    with on("router"):
        subprocess.run(["nft", "-f", "-"], check=True, text=True,
                       input=f"table inet {table} {{\ncounter caught {{ }}\n{rules_of_spy}\n}}\n")


def caught(table="spy"):
    listed = output("router", "nft", "list", "counter", "inet", table, "caught")
    return int(re.search(r"packets (\d+)", listed).group(1))


CLIENT6 = "2001:db8:7::2"


def open_to_strangers():
    """Whether what a host of the internet that was never sent to sends over IPv6 comes in. A flow that came in once is known to
    the router from then on, so it is another one each time."""
    stranger, friend = (udp("server", "2001:db8:33::10", 0, socket.AF_INET6) for _ in range(2))
    program = udp("client", CLIENT6, PORT, socket.AF_INET6)
    with contextlib.closing(stranger), contextlib.closing(friend), contextlib.closing(program):
        equal(mapped(program, friend), endpoint(program), "no translation")
        return arrives(stranger, endpoint(program), program, friend, endpoint(program))


def pinholes():
    """The rules of the router that let the port in, over IPv6 and after the translation of IPv4."""
    return [line for line in output("router", "nft", "list", "chain", "inet", "igd", "miniupnpd").splitlines()
            if str(PORT) in line]


# ---- outside

NAT = ("--nat", "port-restricted-cone")
PROTOCOLS = ("upnp", "natpmp", "pcp")


class Cases(unittest.TestCase):
    """Most of the time is waiting, so the labs of one test run side by side."""

    def inside(self, *cases, nat=NAT, side_by_side=4):
        os.environ["P2PDIAG"] = lab.P2PDIAG
        with concurrent.futures.ThreadPoolExecutor(side_by_side) as pool:
            started = [(case, pool.submit(lab.inside, case[0], *nat, *case[1:], servers=True)) for case in cases]
            for case, future in started:
                with self.subTest(case[0].__name__, options=case[1:]):
                    future.result()
