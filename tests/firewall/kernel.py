"""The kernel's own word on a firewall: two fresh network namespaces, a ruleset, a real packet, and what became of it.

    peer  10.9.0.1, 10.9.0.9, fd09::1  --va-----vb--  host  10.9.0.2, 10.9.0.3, fd09::2
                                       --vd-----vc--        10.8.0.2, fd08::2;  behind it 10.8.0.77, fd08::77

Nothing here waits for time to pass. All packets of a network are handled by one CPU, which takes them in the order in which
they were sent; so when a marker frame has come through behind a packet, the packet has been dealt with. Markers are seen by
packet sockets, which stand before every hook of the firewall.
"""
import contextlib
import ctypes
import ipaddress
import json
import multiprocessing
import os
import shutil
import socket
import struct
import subprocess
import sys
import time
import unittest

PEER, PEER_OTHER, HOST, HOST_OTHER, HOST_BEHIND = "10.9.0.1", "10.9.0.9", "10.9.0.2", "10.9.0.3", "10.8.0.2"
PEER6, HOST6 = "fd09::1", "fd09::2"
# Where the host would forward to. Nobody is there, but what is sent there is seen.
BEHIND, BEHIND6 = "10.8.0.77", "fd08::77"
# What opens and closes sockets in the host unless a test says otherwise: both protocols, on every address.
PORTS = (4000, 5000)

# A packet that must arrive does so at once, or, on a machine in trouble, within these seconds.
PATIENCE = 20.0

_CLONE_NEWNET, _CLONE_NEWUSER = 0x40000000, 0x10000000
_ETH_P_ALL, _MARKER, _TRIAL = 0x0003, 0x88B5, 0x88B6  # IEEE 802, local experimental ethertypes
_SOL_PACKET, _PACKET_QDISC_BYPASS, _PACKET_OUTGOING = 263, 20, 4
_IP_PKTINFO, _IP_TRANSPARENT, _IPV6_TRANSPARENT, _TCP_SYNCNT = 8, 19, 75, 7

_ICMP_REJECT = {0: "net-unreachable", 1: "host-unreachable", 2: "prot-unreachable", 3: "port-unreachable",
                9: "net-prohibited", 10: "host-prohibited", 13: "admin-prohibited"}
_ICMP6_REJECT = {0: "no-route", 1: "admin-prohibited", 3: "addr-unreachable", 4: "port-unreachable",
                 5: "policy-fail", 6: "reject-route"}

_libc = ctypes.CDLL(None, use_errno=True)


class Unavailable(Exception):
    """This machine lets us make no network namespace."""


class Refused(Exception):
    """A tool did not take a ruleset."""


def _unshare(flags):
    if _libc.unshare(flags) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def _enter(fd):
    if _libc.setns(fd, _CLONE_NEWNET) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def _here():
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def _own_lock():
    """The usual lock file of iptables is root's alone, and one for the whole machine."""
    os.environ["XTABLES_LOCKFILE"] = f"/proc/{os.getpid()}/fd/{os.memfd_create('lock')}"


def is_real_root():
    """And not that of a user namespace."""
    with open("/proc/self/uid_map", encoding="ascii") as file:
        return os.geteuid() == 0 and file.read().split()[2] == "4294967295"


def isolate():
    """Moves this process where it may make network namespaces. Once, and before any thread or socket."""
    for tool in ("nft", "ip", "iptables-nft-restore", "iptables-legacy-restore"):
        if shutil.which(tool, path=_PATH) is None:
            raise Unavailable(f"{tool} is not installed")
    os.environ["PATH"] = _PATH
    _own_lock()
    try:
        _unshare(_CLONE_NEWNET)
        return
    except PermissionError:
        pass
    uid, gid = os.geteuid(), os.getegid()
    try:
        _unshare(_CLONE_NEWUSER | _CLONE_NEWNET)
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    except OSError as error:
        raise Unavailable(f"neither root nor allowed to make a user namespace: {error.strerror}") from error


_PATH = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/local/sbin:/usr/sbin:/sbin"


def run(argv, text=""):
    """A tool with `text` on its standard input; its output."""
    done = subprocess.run(argv, input=text, capture_output=True, text=True)
    if done.returncode != 0:
        raise Refused(f"{' '.join(argv)}: exit code {done.returncode}: {done.stderr.strip()}")
    return done.stdout


class Network:
    """A pair of fresh namespaces. Anonymous: gone with the last descriptor, so with the process at the latest."""

    def __init__(self, listeners=None):
        self._home = _here()
        self._sockets = []
        self.peer, self.host = self._namespace(), self._namespace()
        try:
            self._connect()
            self._listen([(address, port) for port in PORTS for address in ("0.0.0.0", "::")]
                         if listeners is None else listeners)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        _enter(self._home)
        for made in self._sockets:
            made.close()
        for fd in (self._home, self.peer, self.host):
            os.close(fd)

    def _namespace(self):
        _unshare(_CLONE_NEWNET)
        made = _here()
        # No address of its own choosing, whose announcement would be one packet more.
        _write("/proc/sys/net/ipv6/conf/default/addr_gen_mode", "1")
        # A refusal that is held back looks like silence.
        _write("/proc/sys/net/ipv4/icmp_ratelimit", "0")
        _write("/proc/sys/net/ipv6/icmp/ratelimit", "0")
        _enter(self._home)
        return made

    @contextlib.contextmanager
    def on(self, where):
        """What is opened or started in this block is so in the namespace `where`."""
        before = _here()
        _enter(where)
        try:
            yield
        finally:
            _enter(before)
            os.close(before)

    def tool(self, *argv, text=""):
        with self.on(self.host):
            return run(argv, text)

    def _connect(self):
        macs = {"va": "02:00:00:00:00:01", "vb": "02:00:00:00:00:02", "vc": "02:00:00:00:00:03"}
        # Neighbours are known beforehand: the firewall under test may well drop their discovery.
        with self.on(self.host):
            run(["ip", "-batch", "-"], f"""
link set lo up
link add vb address {macs['vb']} type veth peer name va address {macs['va']} netns /proc/{os.getpid()}/fd/{self.peer}
link add vc address {macs['vc']} type veth peer name vd netns /proc/{os.getpid()}/fd/{self.peer}
addr add {HOST}/24 dev vb
addr add {HOST_OTHER}/24 dev vb
addr add {HOST6}/64 dev vb nodad
addr add {HOST_BEHIND}/24 dev vc
addr add fd08::2/64 dev vc nodad
link set vb up
link set vc up
neigh add {PEER} lladdr {macs['va']} dev vb
neigh add {PEER_OTHER} lladdr {macs['va']} dev vb
neigh add {PEER6} lladdr {macs['va']} dev vb
neigh add {BEHIND} lladdr 02:00:00:00:00:04 dev vc
neigh add {BEHIND6} lladdr 02:00:00:00:00:04 dev vc
""")
        with self.on(self.peer):
            run(["ip", "-batch", "-"], f"""
link set lo up
addr add {PEER}/24 dev va
addr add {PEER_OTHER}/24 dev va
addr add {PEER6}/64 dev va nodad
link set va up
link set vd up
neigh add {HOST} lladdr {macs['vb']} dev va
neigh add {HOST_OTHER} lladdr {macs['vb']} dev va
neigh add {HOST6} lladdr {macs['vb']} dev va
route add 10.8.0.0/24 via {HOST}
route add fd08::/64 via {HOST6}
""")
        self._peer_wire = self._wire(self.peer, "va")
        self._host_wire = self._wire(self.host, "vb")
        for where, address in ((self.host, HOST6), (self.host, "fd08::2"), (self.peer, PEER6)):
            self._until_own(where, address)
        self._behind_wire, self._host_behind_wire = self._wire(self.peer, "vd"), self._wire(self.host, "vc")
        self._until_carrying(self._host_behind_wire, self._behind_wire)
        self._until_carrying(self._peer_wire, self._host_wire)
        self._until_carrying(self._host_wire, self._peer_wire)

    def _until_carrying(self, sender, receiver):
        """A new link drops what is sent until a worker of the kernel has seen its carrier."""
        for _ in range(int(PATIENCE / 0.001)):
            sender.setsockopt(_SOL_PACKET, _PACKET_QDISC_BYPASS, 0)
            sender.send(_frame(sender, _TRIAL))
            sender.setsockopt(_SOL_PACKET, _PACKET_QDISC_BYPASS, 1)
            if any(ethertype == _TRIAL for ethertype, _ in self._pass(sender, receiver)):
                return
            time.sleep(0.001)
        raise AssertionError("the new link carries nothing")

    def _until_own(self, where, address):
        """It is a worker of the kernel, too, that makes an IPv6 address the machine's own."""
        entry = ipaddress.ip_address(address).packed.hex() + " 80 "
        with self.on(where):
            for _ in range(int(PATIENCE / 0.001)):
                if entry in _read("/proc/thread-self/net/ipv6_route"):
                    return
                time.sleep(0.001)
        raise AssertionError(f"{address} does not become an address")

    def rename(self, new):
        """Gives the host's link to the peer another name."""
        # Before Linux 6.2 only a link that is down can be renamed.
        with self.on(self.host):
            run(["ip", "-batch", "-"], f"""
link set vb down
link set vb name {new}
link set {new} up
neigh replace {PEER} lladdr 02:00:00:00:00:01 dev {new}
""")
        self._host_wire.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)  # that the link was down
        self._until_carrying(self._peer_wire, self._host_wire)
        self._until_carrying(self._host_wire, self._peer_wire)

    def _wire(self, where, name):
        with self.on(where):
            wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        # Else a chain at netdev egress would have a say over markers.
        wire.setsockopt(_SOL_PACKET, _PACKET_QDISC_BYPASS, 1)
        wire.bind((name, _ETH_P_ALL))
        wire.settimeout(PATIENCE)
        self._sockets.append(wire)
        return wire

    def _socket(self, where, family, kind, address=None, port=0, listening=False):
        with self.on(where):
            made = socket.socket(family, kind)
        self._sockets.append(made)
        made.setblocking(False)
        # A probe may have a source address that is not the peer's.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            made.setsockopt(socket.IPPROTO_IPV6, _IPV6_TRANSPARENT, 1)
        else:
            made.setsockopt(socket.IPPROTO_IP, _IP_TRANSPARENT, 1)
        if address is not None:
            made.bind((address, port))
        if listening:
            made.listen()
        return made

    def _listen(self, listeners):
        self.listeners = listeners
        self._udp, self._tcp = [], []
        for address, port in listeners:
            family = _family(address)
            udp = self._socket(self.host, family, socket.SOCK_DGRAM, address, port)
            # The answer has to come from the address that was asked.
            if family == socket.AF_INET6:
                udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
            else:
                udp.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
            self._udp.append(udp)
            self._tcp.append(self._socket(self.host, family, socket.SOCK_STREAM, address, port, True))

    # ---- rulesets

    def load(self, ruleset):
        """`ruleset`: (tool, text) in the order of loading; tools: nft; ip, lines of a batch, those for IPv6 begun by "-6"; sysctl; and the iptables kind by name, as in
        iptables-legacy, ip6tables-nft, with "+" at the end to keep what is there."""
        for tool, text in ruleset:
            if tool == "nft":
                self.tool("nft", "-f", "-", text=text)
            elif tool == "ip":
                for family in ("-4", "-6"):
                    lines = [line.removeprefix("-6 ") for line in text.splitlines()
                             if line.startswith("-6 ") == (family == "-6")]
                    self.tool("ip", family, "-batch", "-", text="".join(line + "\n" for line in lines))
            elif tool == "sysctl":
                with self.on(self.host):
                    for line in text.split():
                        name, value = line.split("=")
                        _write("/proc/sys/" + name.replace(".", "/"), value)
            else:
                # A refused table must not be committed in part.
                self.tool(f"{tool.rstrip('+')}-restore", *(["--noflush"] if tool.endswith("+") else []), text=text)

    def record(self):
        """What a program with all rights can read of the host: the firewall and the world around it."""
        with self.on(self.host):
            recorded = {"nft": _nft_json(), "nft_text": run(["nft", "list", "ruleset"])}
            for name in ("iptables", "ip6tables"):
                recorded[name] = run([f"{name}-nft-save"])
                legacy = _read(f"/proc/thread-self/net/{name.removesuffix('tables')}_tables_names")
                recorded[f"{name}_legacy"] = run([f"{name}-legacy-save"]) if legacy else ""
            recorded["world"] = self._world()
        return recorded

    def links(self, program):
        """Routes and rules of the host, as the plugin's own reader takes them (firewall_evaluate)."""
        return json.loads(self.tool(program, "--links"))

    def _world(self):
        names = ["net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"]
        names += [f"net.ipv4.conf.{name}.{what}" for name in os.listdir("/proc/sys/net/ipv4/conf")
                  for what in ("rp_filter", "src_valid_mark", "arp_filter")]
        return {
            "interfaces": [{"name": link["ifname"], "index": link["ifindex"], "mac": link["address"],
                            "addresses": [f"{a['local']}/{a['prefixlen']}" for a in link["addr_info"]]}
                           for link in json.loads(run(["ip", "-j", "addr"]))],
            "routes": [route for family, everything in (("-4", "0.0.0.0/0"), ("-6", "::/0"))
                       for route in _routes(family, everything)],
            "sysctls": {name: _read("/proc/sys/" + name.replace(".", "/")).strip() for name in names},
            "listeners": [{"protocol": protocol, "address": address, "port": port}
                          for protocol in ("udp", "tcp") for address, port in self.listeners],
        }

    # ---- packets

    def _pass(self, sender, receiver):
        """Returns what reached `receiver` before a marker that is sent now."""
        nonce = os.urandom(16)
        sender.send(_frame(sender, _MARKER, nonce))
        frames = []
        while True:
            try:
                frame, address = receiver.recvfrom(4096)
            except TimeoutError:
                raise AssertionError("the marker did not come through") from None
            if address[2] == _PACKET_OUTGOING:
                continue
            ethertype, = struct.unpack_from("!H", frame, 12)
            if ethertype != _MARKER:
                frames.append((ethertype, frame[14:]))
            elif frame[14:30] == nonce:
                return frames

    def to_host(self):
        """Until all that the peer has sent was dealt with."""
        return self._pass(self._peer_wire, self._host_wire)

    def to_peer(self):
        return self._pass(self._host_wire, self._peer_wire)

    def probe(self, protocol="udp", port=4000, source_port=7000, source=PEER, to=HOST, plainly=False):
        """A new connection from outside; what became of its first packet. With `plainly` a UDP answer is sent as most
        programs do, without naming the address that was asked."""
        if protocol == "udp":
            return self._probe_udp(source, source_port, to, port, plainly)
        return self._probe_tcp(source, source_port, to, port)

    def _probe_udp(self, source, source_port, to, port, plainly=False):
        sender = self._socket(self.peer, _family(to), socket.SOCK_DGRAM, source, source_port)
        payload = os.urandom(8)
        sender.sendto(payload, (to, port))
        self.to_host()
        delivered = None
        for udp in self._udp:
            with contextlib.suppress(BlockingIOError):
                data, control, _, asker = udp.recvmsg(64, 128)
                if data == payload:
                    delivered = udp.getsockname()[1]
                    with contextlib.suppress(OSError):  # a firewall that lets no answer out says EPERM
                        udp.sendmsg([payload], [] if plainly else _from_there(control), 0, asker)
        answer = _answer(self.to_peer(), to, port, source, source_port)
        sender.close()
        return {"delivered": delivered or self._forwarded(lambda rest: rest[8:] == payload), "answer": answer}

    def _probe_tcp(self, source, source_port, to, port):
        sender = self._socket(self.peer, _family(to), socket.SOCK_STREAM, source, source_port)
        sender.setsockopt(socket.IPPROTO_TCP, _TCP_SYNCNT, 1)
        with contextlib.suppress(BlockingIOError):
            sender.connect((to, port))
        self.to_host()
        answer = _answer(self.to_peer(), to, port, source, source_port)
        half_open = self._half_open(_family(to))
        self.to_host()
        delivered = half_open
        for tcp in self._tcp:
            with contextlib.suppress(BlockingIOError):
                accepted, _ = tcp.accept()
                delivered = tcp.getsockname()[1]
                accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                accepted.close()
        sender.close()
        # A SYN alone, and not what answers one.
        return {"delivered": delivered or self._forwarded(lambda rest: rest[13] & 0x12 == 2), "answer": answer}

    def _forwarded(self, is_it):
        """Where the packet went that the host forwarded, address and port as text."""
        for ethertype, packet in self._pass(self._host_behind_wire, self._behind_wire):
            _, protocol, rest = _network_layer(ethertype, packet)
            if protocol in (socket.IPPROTO_UDP, socket.IPPROTO_TCP) and is_it(rest):
                to = ipaddress.ip_address(packet[16:20] if ethertype == 0x0800 else packet[24:40])
                return f"{to} {struct.unpack_from('!H', rest, 2)[0]}"
        return None

    def _half_open(self, family):
        """The port of a connection whose first packet came in and that is not yet made."""
        with self.on(self.host):
            table = _read("/proc/thread-self/net/tcp6" if family == socket.AF_INET6 else "/proc/thread-self/net/tcp")
        for line in table.splitlines()[1:]:
            words = line.split()
            if words[3] == "03":  # TCP_SYN_RECV
                return int(words[1].rpartition(":")[2], 16)
        return None

    def contact(self, port=4000, to=PEER, to_port=7000, answer_from=None):
        """The host sends first, by UDP, from `port`; the peer answers, from `answer_from` or the asked port.
        Returns the source port that the peer saw, or None, and whether the answer reached the asking socket."""
        asking = next(u for u in self._udp if u.getsockname()[1] == port and u.family == _family(to))
        payload = os.urandom(8)
        with contextlib.suppress(PermissionError):
            asking.sendto(payload, (to, to_port))
        seen = None
        for ethertype, packet in self.to_peer():
            source, ports, data = _udp(ethertype, packet)
            if data == payload:
                seen = (source, ports[0])
        if seen is None:
            return {"seen": None, "answered": False}
        answering = self._socket(self.peer, _family(to), socket.SOCK_DGRAM, to, answer_from or to_port)
        answering.sendto(payload, seen)
        self.to_host()
        answering.close()
        answered = False
        with contextlib.suppress(BlockingIOError):
            answered = asking.recv(64) == payload
        return {"seen": seen[1], "answered": answered}


def _from_there(control):
    """That an answer shall be from the address that was asked, by whatever link."""
    for level, kind, data in control:
        if kind == _IP_PKTINFO:  # struct in_pktinfo: index, address
            yield level, kind, bytes(4) + data[4:]
        elif kind == socket.IPV6_PKTINFO:  # struct in6_pktinfo: address, index
            yield level, kind, data[:16] + bytes(4)


def _nft_json():
    """What `nft -j list ruleset` would print. With a dormant table nft 1.0.6 prints flags out of memory that it gave up:
    some other word, or bytes at which the JSON breaks off. Then the tables are listed one by one, without those."""
    whole = subprocess.run(["nft", "-j", "list", "ruleset"], capture_output=True)
    with contextlib.suppress(ValueError):
        json.loads(whole.stdout)
        return whole.stdout.decode()
    objects = []
    lines = run(["nft", "list", "ruleset"]).splitlines()
    for line, following in zip(lines, lines[1:]):
        if line.startswith("table ") and following != "\tflags dormant":
            _, family, name, _ = line.split()
            objects += json.loads(run(["nft", "-j", "list", "table", family, name]))["nftables"]
    return json.dumps({"nftables": objects})


def _routes(family, everything):
    for route in json.loads(run(["ip", "-j", family, "route"])):
        to = everything if route["dst"] == "default" else route["dst"]
        yield {"to": to if "/" in to else f"{to}/{32 if family == '-4' else 128}", "interface": route.get("dev", ""),
               "metric": route.get("metric", 0)}


def _family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _write(path, text):
    with open(path, "w") as file:
        file.write(text)


def _read(path):
    try:
        with open(path) as file:
            return file.read()
    except FileNotFoundError:
        return ""


def _frame(wire, ethertype, content=b""):
    return b"\xff" * 6 + wire.getsockname()[4] + struct.pack("!H", ethertype) + content.ljust(46, b"\0")


def _network_layer(ethertype, packet):
    """source, protocol, what follows; None for what is no IP."""
    if ethertype == 0x0800:
        return str(ipaddress.ip_address(packet[12:16])), packet[9], packet[(packet[0] & 15) * 4:]
    if ethertype == 0x86DD:
        return str(ipaddress.ip_address(packet[8:24])), packet[6], packet[40:]
    return None, None, b""


def _udp(ethertype, packet):
    source, protocol, rest = _network_layer(ethertype, packet)
    if protocol != socket.IPPROTO_UDP:
        return None, None, None
    ports = struct.unpack_from("!HH", rest)
    return source, ports, rest[8:struct.unpack_from("!H", rest, 4)[0]]


def _answer(frames, to, port, source, source_port):
    """What the asker got: reply, tcp reset, the name of an ICMP refusal, or None."""
    for ethertype, packet in frames:
        origin, protocol, rest = _network_layer(ethertype, packet)
        if protocol == socket.IPPROTO_ICMP and rest[0] == 3:
            return _ICMP_REJECT.get(rest[1], f"code {rest[1]}")
        if protocol == socket.IPPROTO_ICMPV6 and rest[0] == 1:
            return _ICMP6_REJECT.get(rest[1], f"code {rest[1]}")
        if protocol not in (socket.IPPROTO_UDP, socket.IPPROTO_TCP):
            continue
        if origin != to or struct.unpack_from("!HH", rest) != (port, source_port):
            continue
        if protocol == socket.IPPROTO_TCP and rest[13] & 4:
            return "tcp reset"
        return "reply"
    return None


# ---- many at once

_CPUS = sorted(os.sched_getaffinity(0))


def pin(number=0):
    os.sched_setaffinity(0, {_CPUS[number % len(_CPUS)]})


def _start_worker(counter):
    with counter.get_lock():
        number = counter.value
        counter.value += 1
    pin(number)
    _own_lock()


def each(function, jobs, timeout=300):
    """Yields function(job) for every job, in their order; one worker for each CPU."""
    context = multiprocessing.get_context("fork")
    with context.Pool(len(_CPUS), _start_worker, (context.Value("i", 0),)) as pool:
        results = pool.imap(function, jobs)
        for _ in jobs:
            yield results.next(timeout)


def main():
    """The main of a test file: isolates, or ends the test as skipped; then unittest."""
    try:
        isolate()
    except Unavailable as error:
        print("skipped:", error, file=sys.stderr)
        sys.exit(77)
    pin()
    unittest.main()
