"""Every kind of NAT maps and filters as its name says: measured with bare sockets, without any of our own code."""
import concurrent.futures
import itertools
import time
import unittest

import lab
from lab import CLIENT, HOME, OTHER_SERVER, SERVER, equal, mapped, mapped_at, true, udp

KINDS = {  # mapping, filtering
    "full-cone": ("endpoint", "endpoint"),
    "restricted-cone": ("endpoint", "address"),
    "port-restricted-cone": ("endpoint", "port"),
    "address-dependent": ("address", "port"),
    "symmetric": ("port", "port"),
    "symmetric-sequential": ("port", "port"),
}


class Servers:
    """Two addresses with two ports each."""

    def __init__(self, port=7001):
        self.a1, self.a2 = udp("server", SERVER, port), udp("server", SERVER, port + 1)
        self.b1, self.b2 = udp("server", OTHER_SERVER, port), udp("server", OTHER_SERVER, port + 1)
        self.all = [self.a1, self.a2, self.b1, self.b2]


never_used = itertools.count(10000)


def client(port=None):
    """A socket on a port that the router has not seen: what it remembers of an earlier one would be measured too."""
    return udp("client", CLIENT, port or next(never_used))


def mapping_of(servers, socket):
    """endpoint, address or port: what the outer port of one socket depends on; and the outer ports."""
    sources = [mapped(socket, server) for server in servers.all]
    for address, _ in sources:
        equal(address, HOME, "the address outside")
    ports = [port for _, port in sources]
    for server, source in zip(servers.all, sources):
        server.sendto(b"reply", source)
        equal(socket.recvfrom(100), (b"reply", lab.endpoint(server)), "the reply")
    if len(set(ports)) == 1:
        return "endpoint", ports
    if ports[0] == ports[1] and ports[2] == ports[3]:
        return "address", ports
    equal(len(set(ports)), 4, f"distinct ports in {ports}")
    return "port", ports


def filtering_of(servers):
    """endpoint, address or port: who may send to a socket that has sent to a1 alone."""
    socket = client()
    source = mapped(socket, servers.a1)
    port = lab.arrives(servers.a2, source, socket, servers.a1, source)
    address = lab.arrives(servers.b1, source, socket, servers.a1, source)
    if port and address:
        return "endpoint"
    true(port or not address, "address without port")
    return "address" if port else "port"


def measure_mapping(wanted):
    servers = Servers()
    for _ in range(100):
        equal(mapping_of(servers, client())[0], wanted, "mapping")


def keeps_ports(servers):
    for port in (1024, 5000, 40000, 65535):
        equal(mapped(client(port), servers.a1)[1], port, "the kept port")


def early_packets_leave_no_trace(servers):
    # Had the router made a flow of these, the client's own flow to the same server would get another port.
    for server in servers.all:
        server.sendto(b"early", (HOME, 4444))
    socket = client(4444)
    for server in servers.all:
        equal(mapped(socket, server), (HOME, 4444), "after early packets")


def full_cone():
    measure_kind("full-cone")


def restricted_cone():
    measure_kind("restricted-cone")


def port_restricted_cone():
    measure_kind("port-restricted-cone")


def address_dependent():
    measure_kind("address-dependent")


def symmetric():
    measure_kind("symmetric")
    _, ports = mapping_of(Servers(7003), client())
    true(len({after - before for before, after in zip(ports, ports[1:])}) > 1, f"{ports} can be predicted")


def symmetric_sequential():
    measure_kind("symmetric-sequential")
    servers = Servers(7003)
    for _ in range(20):
        _, ports = mapping_of(servers, client())
        equal([after - before for before, after in zip(ports, ports[1:])], [1, 1, 1], "steps")


def measure_kind(kind):
    mapping, filtering = KINDS[kind]
    measure_mapping(mapping)
    servers = Servers()
    for _ in range(10):
        equal(filtering_of(servers), filtering, "filtering")
    if mapping == "endpoint":
        keeps_ports(servers)
        early_packets_leave_no_trace(servers)
    does_not_hairpin(servers)


def does_not_hairpin(servers):
    holder, sender = client(), client()
    source = mapped(holder, servers.a1)
    equal(lab.arrives(sender, source, holder, servers.a1, source), False, "hairpin")


def hairpin():
    servers = Servers()
    holder, sender = client(), client()
    source = mapped(holder, servers.a1)
    true(lab.arrives(sender, source, holder, servers.a1, source), "no hairpin to another socket")
    sender.sendto(b"who", source)
    _, seen = holder.recvfrom(100)
    equal(seen[0], HOME, "the address in a hairpinned packet")
    holder.sendto(b"back", seen)
    equal(sender.recvfrom(100), (b"back", source), "the answer through the hairpin")
    true(lab.arrives(holder, source, holder, servers.a1, source), "no hairpin to itself")
    # It opens nothing to the outside.
    equal(lab.arrives(servers.b1, source, holder, servers.a1, source), False, "filtering with --hairpin")


def lifetime():
    """With --mapping-lifetime 8: longer than a busy machine lets a process wait for its turn."""
    servers = Servers()
    silent, talking, fresh = client(), client(), client()
    silent_source, talking_source = mapped(silent, servers.a1), mapped(talking, servers.a1)
    true(lab.arrives(servers.a1, silent_source, silent, servers.a1, silent_source), "closed too early")
    # A mapping's age is what is measured here, so time has to pass.
    until = time.monotonic() + 10
    while time.monotonic() < until:
        equal(mapped(talking, servers.a1), talking_source, "a mapping in use")
        time.sleep(0.2)
    fresh_source = mapped(fresh, servers.a1)
    equal(lab.arrives(servers.a1, silent_source, silent, servers.a1, fresh_source, fresh), False, "silent mapping")
    true(lab.arrives(servers.a1, talking_source, talking, servers.a1, fresh_source, fresh), "mapping in use is gone")


def cgnat():
    """A symmetric carrier behind a full cone: the stricter of both, with the carrier's address."""
    servers = Servers()
    socket = client()
    sources = [mapped(socket, server) for server in servers.all]
    equal({address for address, _ in sources}, {lab.CARRIER}, "the carrier's address")
    equal(len({port for _, port in sources}), 4, "the carrier's ports")
    equal(lab.arrives(servers.a2, sources[0], socket, servers.a1, sources[0]), False, "the carrier's filter")
    router = udp("router", "100.64.7.2")
    equal(mapped(router, servers.a1)[0], lab.CARRIER, "the router's own address")


class Nat(unittest.TestCase):
    def test_kinds(self):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            jobs = [pool.submit(lab.inside, case, "--nat", kind) for case, kind in CASES]
            for job in jobs:
                job.result()

    def test_another_tool_sees_the_same(self):
        words = {"endpoint": "Endpoint Independent", "address": "Address Dependent",
                 "port": "Address and Port Dependent"}

        def discover(kind):
            return lab.lab("run", "--nat", kind, "--command", "--", "turnutils_natdiscovery", "-m", "-f", lab.SERVER)

        # Each takes seconds of waiting for what does not come.
        with concurrent.futures.ThreadPoolExecutor(len(KINDS)) as pool:
            for (kind, (mapping, filtering)), result in zip(KINDS.items(), pool.map(discover, KINDS)):
                said = result.stdout + result.stderr
                self.assertIn(f"NAT with {words[mapping]} Mapping!", said, kind)
                self.assertIn(f"NAT with {words[filtering]} Filtering!", said, kind)

    def test_open_has_no_nat(self):
        lab.inside(open_segment, "--nat", "open")

    def test_hairpin(self):
        for kind in ("full-cone", "restricted-cone", "port-restricted-cone", "symmetric"):
            with self.subTest(kind):
                lab.inside(hairpin if kind != "full-cone" else hairpin_full_cone, "--nat", kind, "--hairpin")

    def test_lifetime(self):
        with concurrent.futures.ThreadPoolExecutor(len(KINDS)) as pool:
            jobs = [pool.submit(lab.inside, lifetime, "--nat", kind, "--mapping-lifetime", "8") for kind in KINDS]
            for job in jobs:
                job.result()

    def test_cgnat(self):
        lab.inside(cgnat, "--nat", "full-cone", "--cgnat", "symmetric")

    def test_nobody_too(self):
        lab.inside(restricted_cone, "--nat", "restricted-cone", unprivileged=True)
        # Its ruleset is the largest, and the socket buffer for it is smaller there.
        lab.inside(symmetric_sequential, "--nat", "symmetric-sequential", unprivileged=True)


def hairpin_full_cone():
    servers = Servers()
    holder, sender = client(), client()
    source = mapped(holder, servers.a1)
    true(lab.arrives(sender, source, holder, servers.a1, source), "no hairpin")


def open_segment():
    servers = Servers()
    socket = udp("client", HOME)
    for server in servers.all:
        equal(mapped(socket, server), lab.endpoint(socket), "the address outside")
    stranger = udp("client", HOME)
    true(lab.arrives(servers.b1, lab.endpoint(stranger), stranger, servers.b1, lab.endpoint(stranger)), "filtered")


CASES = [(full_cone, "full-cone"), (restricted_cone, "restricted-cone"),
         (port_restricted_cone, "port-restricted-cone"), (address_dependent, "address-dependent"),
         (symmetric, "symmetric"), (symmetric_sequential, "symmetric-sequential")]

if __name__ == "__main__":
    lab.main([case for case, _ in CASES] + [hairpin, hairpin_full_cone, lifetime, cgnat, open_segment])
