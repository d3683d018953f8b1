"""p2pdiag forward add --keep with a real router daemon: forwards that are kept up while addresses and routers change."""
import contextlib
import json
import os
import re
import select
import signal
import socket
import subprocess
import time

import lab
from forward_lab import (
    CLIENT6, Cases, NEW_ADDRESS, PORT, PROTOCOLS, add, open_to_strangers, p2pdiag, pinholes, readdress, records,
    restart, restart_daemon, rules, undo_all, wait_for, words)
from lab import CLIENT, HOME, SERVER, equal, on, output, true, udp


# ---- inside

def keep():
    """A restart of the router's daemon loses the forward; --keep makes it again, and removes it at the end."""
    with on("client"):
        process = subprocess.Popen([lab.P2PDIAG, "--profile", "lab", "forward", "add", "--port", str(PORT), "--keep",
                                    "--yes"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True)
    try:
        wait_for(lambda: len(rules()) == 1, "the forward is not there")
        # The kept part begins after the verification.
        for line in process.stdout:
            if "kept up" in line:
                break
        restart_daemon()
        wait_for(lambda: len(rules()) == 1, "the forward was not made again")
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
        true("is made again" in rest, rest)
    finally:
        process.kill()
    equal(rules(), [], "at the end")


def keep_what_is_there():
    """--keep after a plain add takes up the forward that is in force, and removes it at the end."""
    add()
    before = records()
    with on("client"):
        process = subprocess.Popen([lab.P2PDIAG, "--profile", "lab", "forward", "add", "--port", str(PORT), "--keep",
                                    "--yes"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True)
    try:
        for line in process.stdout:
            if "kept up" in line:
                break
        equal(records(), before, "the journal")
        # A third one leaves it to the process that keeps it.
        nothing = json.loads(p2pdiag("forward", "add", "--port", str(PORT), "--yes", "--format", "json").stdout)
        equal(nothing["status"], "nothing", words(nothing))
        true(f"process {process.pid}" in words(nothing), words(nothing))
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        equal(process.returncode, 0, "the exit code")
    finally:
        process.kill()
    equal((rules(), records()), ([], []), "at the end")


def router_elsewhere():
    """C10: undo after the router's restart, at another port, with another address and another network card."""
    by_upnp = ("--via", "upnp")
    add(*by_upnp)
    restart(forget=False, http_port="5001")
    equal(rules(), [(socket.IPPROTO_UDP, PORT)], "after the restart")
    undo_all()
    equal((rules(), records()), ([], []), "after undo at another port")

    add(*by_upnp)
    move_router("192.168.7.1", "02:00:00:00:00:97")
    restart(forget=False, http_port="5001")
    undo_all()
    equal((rules(), records()), ([], []), "after undo with another network card")

    add(*by_upnp)
    move_router("192.168.7.99", "02:00:00:00:00:99")
    restart(forget=False, http_port="5002")
    equal(rules(), [(socket.IPPROTO_UDP, PORT)], "after the move")
    undo_all()
    equal((rules(), records()), ([], []), "after undo at another address")

    # Another device with the router's address says that there is nothing, and is not believed.
    add(*by_upnp)
    move_router("192.168.7.99", "02:00:00:00:00:98")
    restart(http_port="5002", uuid="5d1c1bb4-0f2c-4c5e-9d0c-000000000000")
    refused = p2pdiag("undo", "--all", "--yes", "--format", "json", expect=None)
    true("another router has its address" in refused.stdout, refused.stdout + refused.stderr)
    equal(len(records()), 1, "the journal")
    # … and the plan does not take it for the router that it was.
    again = words(add(*by_upnp))
    true("was forwarded before by UPnP" in again and "not among those that answer here" in again, again)


def move_router(address, hardware):
    output("router", "sh", "-c", "ip address flush dev lan0 scope global; "
           f"ip link set lan0 address {hardware} && ip address add {address}/24 dev lan0")
    output("client", "sh", "-c", f"ip neighbour flush dev eth0; ip route replace default via {address}")


def keep_elsewhere():
    """C10: a router that comes back at another port has lost the forward, and gets it again there."""
    with kept("--via", "upnp") as process:
        restart(http_port="5001")
        read_until(process, "is asked for at the router's new address http://192.168.7.1:5001/")
        wait_for(lambda: len(rules()) == 1, "the forward was not made again")
    equal((rules(), records()), ([], []), "at the end")


@contextlib.contextmanager
def kept(*options, code=0):
    """A forward while it is kept up; ended with Ctrl-C."""
    with on("client"):
        process = subprocess.Popen([lab.P2PDIAG, "--profile", "lab", "forward", "add", "--port", str(PORT), "--keep",
                                    "--yes", *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True)
    try:
        read_until(process, "kept up")
        yield process
        process.send_signal(signal.SIGINT)
        process.said, _ = process.communicate(timeout=60)
        true(code in (None, process.returncode), f"{process.returncode}: {process.said}")
    finally:
        process.kill()


def read_until(process, mark, patience=60):
    """The rest stays for the next who reads."""
    said = b""
    deadline = time.monotonic() + patience
    while mark.encode() not in said or not said.endswith(b"\n"):
        left = max(deadline - time.monotonic(), 0)
        true(select.select([process.stdout], [], [], left)[0], f"no {mark!r}:\n{said.decode(errors='replace')}")
        byte = os.read(process.stdout.fileno(), 1)
        true(byte, f"it ended without {mark!r}:\n{said.decode(errors='replace')}")
        said += byte


def targets():
    """Where the router leads to, as (address, port)."""
    text = output("router", "nft", "list", "chain", "inet", "igd", "prerouting_miniupnpd")
    return sorted(re.findall(r"dnat ip to ([0-9.]+):(\d+)", text))


def keep_follows():
    """This machine gets another address while a forward is kept up: it is made for that one, the old one goes."""
    restart(secure_mode="no")  # else the router removes a forward for nobody but whom it leads to
    with kept("--via", "upnp") as process:
        readdress()
        read_until(process, f"leads to {NEW_ADDRESS} now")
        equal(targets(), [(NEW_ADDRESS, str(PORT))], "where it leads")
        stranger, program = udp("server", SERVER), udp("client", NEW_ADDRESS, PORT)
        stranger.sendto(b"hello", (HOME, PORT))
        equal(program.recvfrom(100)[0], b"hello", "at the new address")
    equal((rules(), records()), ([], []), "at the end")


def keep_follows_in_part(protocol):
    """Routers that listen to the old address alone about the old forward: it stays, and that is said."""
    with kept("--via", protocol, code=1) as process:
        readdress()
        read_until(process, "stays behind in the router")
        true(NEW_ADDRESS in {address for address, _ in targets()}, targets())
    equal(targets(), [(CLIENT, str(PORT))], "at the end")
    equal(len(records()), 1, "the journal")
    # Once it has the old address again it can be taken back.
    output("client", "ip", "address", "add", f"{CLIENT}/24", "dev", "eth0")
    undo_all()
    equal((rules(), records()), ([], []), "after undo")


def keep_follows_by_upnp():
    keep_follows_in_part("upnp")


def keep_follows_by_pcp():
    keep_follows_in_part("pcp")


def keep_follows_by_natpmp():
    keep_follows_in_part("natpmp")


MOVED = "11.22.33.199"


def keep_notices():
    """The router's outside address changes and the daemon goes on: the new one is told."""
    for protocol in PROTOCOLS:
        with kept("--via", protocol) as process:
            # UPnP and NAT-PMP do not tell it with the grant, so that a change before the first look is none.
            true(any(is_told(process, *move) for move in ((HOME, MOVED), (MOVED, HOME), (HOME, MOVED))), protocol)
        equal((rules(), records()), ([], []), f"{protocol}: at the end")
        readdress_router(MOVED, HOME)


def is_told(process, before, after):
    readdress_router(before, after)
    with contextlib.suppress(AssertionError):
        read_until(process, after, patience=10)
        return True
    return False


def readdress_router(before, after):
    if before in output("router", "ip", "address", "show", "dev", "wan0"):
        output("router", "ip", "address", "del", f"{before}/24", "dev", "wan0")
        output("router", "ip", "address", "add", f"{after}/24", "dev", "wan0")


def told_as_it_is(done_or_said):
    """What is said to be gone is gone. miniupnpd 2.3.1 forgets whose a pinhole is that was renewed, or that was asked for again
    since the answer took its time, and then refuses to remove it."""
    true(bool(pinholes()) == ("may still be there" in done_or_said), f"{pinholes()}: {done_or_said}")


def pinhole_kept():
    """--keep over IPv6: a restart of the router's daemon loses the pinhole; it is made again, and closed at the end."""
    with kept("--via", "pcp", code=None) as process:
        equal(open_to_strangers(), True, "through the pinhole")
        restart_daemon()
        equal(pinholes(), [], "after the daemon's end")
        # The forward over IPv4 is kept up beside it, and has a rule there as well.
        address = "0x" + socket.inet_pton(socket.AF_INET6, CLIENT6).hex()
        wait_for(lambda: any(address in line for line in pinholes()), "the pinhole was not made again")
        equal(open_to_strangers(), True, "after the restart")
    told_as_it_is(process.said)
    equal((process.returncode, len(records())), (1, 1) if pinholes() else (0, 0), process.said)
    equal((rules(), open_to_strangers()), ([], bool(pinholes())), "at the end")


def pinhole_renewed():
    """What the router keeps though it was to be removed is no success, and stays in the journal until its time is over."""
    for _ in range(2):
        wait_for(lambda: add("--via", "pcp", expect=None)["status"] == "applied", "applied")
    done = p2pdiag("undo", "--all", "--yes", expect=None)
    told_as_it_is(done.stdout + done.stderr)
    equal((done.returncode, len(records())), (1, 1) if pinholes() else (0, 0), done.stdout + done.stderr)


CASES = [keep, keep_what_is_there, router_elsewhere, keep_elsewhere, keep_follows, keep_follows_by_upnp,
         keep_follows_by_pcp, keep_follows_by_natpmp, keep_notices, pinhole_kept, pinhole_renewed]


# ---- outside

class Keep(Cases):
    def test_keep(self):
        self.inside(*((keep, "--igd", protocol) for protocol in PROTOCOLS),
                    (keep_what_is_there, "--igd", "upnp"), (keep_what_is_there, "--igd", "natpmp"))

    def test_other_addresses(self):
        self.inside((keep_elsewhere, "--igd", "upnp"), (router_elsewhere, "--igd", "upnp"),
                    (keep_follows, "--igd", "upnp"), (keep_follows_by_upnp, "--igd", "upnp"),
                    (keep_follows_by_pcp, "--igd", "pcp"), (keep_follows_by_natpmp, "--igd", "natpmp"),
                    (keep_notices, "--igd", "upnp,natpmp,pcp"))

    def test_ipv6(self):
        self.inside((pinhole_kept, "--ipv6", "--igd", "pcp"), (pinhole_renewed, "--ipv6", "--igd", "pcp"))


if __name__ == "__main__":
    lab.main(CASES)
