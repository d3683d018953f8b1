"""For tests of the lab: start it from outside, and look at it from inside.

A test file is both. Outside, unittest runs its cases; `inside(case, options)` starts the lab and, in it, the same file
again with the name of a function, which measures and raises when something is not as it should be.
"""
import contextlib
import ctypes
import os
import select
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

P2PDIAG = os.environ.get("P2PDIAG", "")
PYTHON = "/usr/bin/python3"
CLONE_NEWNET = 0x40000000
ETH_P_ALL = 3
LINUX_SLL2 = 276
# How long a packet that must come may take on a busy machine. Nothing waits that long where all is well.
PATIENCE = 60.0

SERVER, OTHER_SERVER, HOME, PEER_HOME, CARRIER = (
    "11.22.33.10", "11.22.33.11", "11.22.33.7", "11.22.33.8", "11.22.33.77")
CLIENT = "192.168.7.2"


# ---- outside

def command(*arguments, unprivileged=False):
    """The argument vector of p2pdiag lab. Whoever is not root is unprivileged as it is."""
    prefix = []
    if unprivileged and os.geteuid() == 0:
        prefix = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "env", "HOME=/nonexistent"]
    return [*prefix, P2PDIAG, "lab", *arguments]


def lab(*arguments, unprivileged=False, timeout=600, **keywords):
    """Runs p2pdiag lab to its end."""
    return subprocess.run(command(*arguments, unprivileged=unprivileged), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=timeout, **keywords)


def inside(case, *options, unprivileged=False, servers=False):
    """Runs the function `case` of the calling test file on the client of a lab."""
    more = [] if servers else ["--no-servers"]
    result = lab("run", *options, *more, "--command", "--", PYTHON, os.path.abspath(sys.argv[0]), "inside",
                 case.__name__, unprivileged=unprivileged)
    if result.returncode != 0:
        raise AssertionError(f"{case.__name__} with {' '.join(options)}:\n{result.stdout}{result.stderr}")
    return result.stdout


@contextlib.contextmanager
def firewall(rule):
    """A file for --host-firewall with one rule for what comes in."""
    with tempfile.NamedTemporaryFile("w", suffix=".nft") as file:
        file.write("table inet host {\n chain input {\n type filter hook input priority filter; policy accept;\n"
                   f" {rule}\n }}\n}}\n")
        file.flush()
        yield file.name


def main(cases):
    """`cases`: the functions that may run inside."""
    if len(sys.argv) > 2 and sys.argv[1] == "inside":
        {case.__name__: case for case in cases}[sys.argv[2]]()
        return
    global P2PDIAG
    P2PDIAG = os.path.abspath(sys.argv.pop(1))
    os.environ["P2PDIAG"] = P2PDIAG  # for what runs inside
    possible = lab("check")
    if possible.returncode == 77:
        print("skipped:", possible.stderr.strip(), file=sys.stderr)
        sys.exit(77)
    unittest.main()


# ---- inside

_libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def on(host):
    """What opens a socket or starts a program in this block does so on `host`."""
    with open("/proc/thread-self/ns/net") as here, open(f"/run/netns/{host}") as there:
        if _libc.setns(there.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        try:
            yield
        finally:
            _libc.setns(here.fileno(), CLONE_NEWNET)


def udp(host, address, port=0, family=socket.AF_INET):
    with on(host):
        made = socket.socket(family, socket.SOCK_DGRAM)
    made.bind((address, port))
    made.settimeout(PATIENCE)
    return made


def endpoint(made):
    return made.getsockname()[:2]


def mapped(client, server):
    """The source that `server` sees when `client` sends to it."""
    return mapped_at(client, server, endpoint(server))


def mapped_at(client, server, address):
    mark = os.urandom(8)
    client.sendto(mark, address)
    while True:
        data, source = server.recvfrom(2048)
        if data == mark:
            return source[:2]


def arrives(sender, address, receiver, sentinel, sentinel_address, sentinel_receiver=None):
    """Whether a packet from `sender` to `address` reaches `receiver`.

    Nothing is timed: after it `sentinel` sends one that must arrive, on the same way, and so not earlier.
    """
    probe, end = os.urandom(8), os.urandom(8)
    last = sentinel_receiver or receiver
    sender.sendto(probe, address)
    sentinel.sendto(end, sentinel_address)
    seen = False
    while True:
        ready, _, _ = select.select([receiver, last], [], [], PATIENCE)
        if not ready:
            raise AssertionError("the packet that had to arrive did not")
        ended = False
        for made in set(ready):
            data = made.recv(2048)
            seen = seen or data == probe
            ended = ended or data == end
        if ended:
            # What came before the sentinel may lie in the other socket.
            if last is not receiver:
                receiver.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    while True:
                        seen = (receiver.recv(2048) == probe) or seen
                receiver.settimeout(PATIENCE)
            return seen


def equal(got, wanted, what=""):
    if got != wanted:
        raise AssertionError(f"{what}: {got!r} is not {wanted!r}")


def true(condition, what):
    if not condition:
        raise AssertionError(what)


def output(host, *argv):
    with on(host):
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


class Recorder:
    """Writes what passes the interfaces of `host` as a pcap of the kind that the device "any" gives."""

    def __init__(self, host, path):
        with on(host):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        self.socket.settimeout(0.1)
        self.file = open(path, "wb")
        self.file.write(struct.pack("<IHHIIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, LINUX_SLL2))
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while True:
            try:
                data, (_, protocol, kind, hardware, address) = self.socket.recvfrom(65535)
            except TimeoutError:
                if self.over.is_set():
                    return
                continue
            seconds, rest = divmod(time.time_ns(), 1_000_000_000)
            packet = struct.pack(">HHIHBB8s", protocol, 0, 1, hardware, kind, len(address), address) + data
            self.file.write(struct.pack("<IIII", seconds, rest, len(packet), len(packet)) + packet)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.file.close()
