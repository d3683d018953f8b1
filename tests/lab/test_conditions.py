"""What else can be wrong with a network: each option of the lab does what it says, and no more."""
import errno
import os
import select
import socket
import subprocess
import tempfile
import unittest

import lab
from lab import CLIENT, HOME, SERVER, arrives, endpoint, equal, mapped, on, output, true, udp

SERVER6, CLIENT6 = "2001:db8:33::10", "2001:db8:7::2"
# Long for a connection through the lab, which takes less than a millisecond.
SILENCE = 0.5


def client():
    return udp("client", CLIENT)


def tcp_server(port, address=SERVER):
    with on("server"):
        made = socket.create_server((address, port), family=socket.AF_INET6 if ":" in address else socket.AF_INET)
    made.settimeout(lab.PATIENCE)
    return made


def connects(host, address, port, syn_timeout=lab.PATIENCE):
    """False after silence."""
    with on(host):
        made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    made.settimeout(syn_timeout)
    try:
        made.connect((address, port))
        return True
    except TimeoutError:
        return False


def udp_passes(source, server):
    """Whether a datagram from a socket at home reaches the server; a later one on port 53 marks the end."""
    end = udp("server", endpoint(server)[0], 53)
    return arrives(source, endpoint(server), server, source, endpoint(end), end)


def block_udp():
    server, source = udp("server", SERVER, 7001), client()
    equal(udp_passes(source, server), False, "UDP out")
    # And in: an answer to a name's query comes back, an answer of another port does not.
    end = udp("server", SERVER, 53)
    source = client()
    address = mapped(source, end)
    equal(arrives(server, address, source, end, address), False, "UDP in")
    listener = tcp_server(5000)
    true(connects("client", SERVER, 5000), "TCP is blocked too")
    listener.close()


def block_udp_open():
    source, server = udp("client", HOME), udp("server", SERVER, 7001)
    equal(udp_passes(source, server), False, "UDP out")


def block_udp_3478():
    source, blocked, other = client(), udp("server", SERVER, 3478), udp("server", SERVER, 3479)
    equal(arrives(source, endpoint(blocked), blocked, source, endpoint(other), other), False, "UDP to port 3478")
    # And in: the full cone lets everybody in, but not from that port.
    address = mapped(source, other)
    equal(arrives(blocked, address, source, other, address), False, "UDP from port 3478")
    listener = tcp_server(3478)
    true(connects("client", SERVER, 3478), "TCP is blocked too")
    listener.close()


def block_udp_out():
    server, source = udp("server", SERVER, 7001), client()
    try:
        source.sendto(b"x", endpoint(server))
    except PermissionError as error:
        equal(error.errno, errno.EPERM, "sendto")
    else:
        raise AssertionError("sendto did not fail")
    mapped(client(), udp("server", SERVER, 53))
    local = udp("client", "127.0.0.1")
    equal(mapped(udp("client", "127.0.0.1"), local)[0], "127.0.0.1", "loopback")


def block_tcp_high():
    low, high = tcp_server(443), tcp_server(5000)
    true(connects("client", SERVER, 443), "port 443 is blocked")
    equal(connects("client", SERVER, 5000, SILENCE), False, "port 5000")
    mapped(client(), udp("server", SERVER, 7001))
    low.close()
    high.close()


def drain(made):
    count = 0
    while select.select([made], [], [], 0)[0]:
        made.recv(100)
        count += 1
    return count


def loss():
    """With --loss 20: 4000 packets each way; the bounds are 7 standard deviations wide."""
    server, source = udp("server", SERVER, 7001), client()
    total, outward, inward = 4000, 0, 0
    while True:
        source.sendto(b"hello", endpoint(server))
        if select.select([server], [], [], 0.2)[0]:
            address = server.recvfrom(100)[1]
            break
    for _ in range(total):
        source.sendto(b"x", endpoint(server))
        outward += drain(server)
        server.sendto(b"y", address)
        inward += drain(source)
    for count in (outward + drain(server), inward + drain(source)):
        true(0.755 * total < count < 0.845 * total, f"{count} of {total} arrived")
    # The rest of the world is not lossy.
    other, peer = udp("server", SERVER, 7002), udp("peer", lab.PEER_HOME)
    for _ in range(200):
        mapped(peer, other)


def mtu():
    """With --mtu 1000: what is bigger is refused with word of the size, both ways."""
    server, source = udp("server", SERVER, 7001), client()
    address = mapped(source, server)
    for made, to in ((source, endpoint(server)), (server, address)):
        # linux/in.h: IP_MTU_DISCOVER = 10, IP_PMTUDISC_DO = 2, IP_RECVERR = 11
        made.setsockopt(socket.IPPROTO_IP, 10, 2)
        made.setsockopt(socket.IPPROTO_IP, 11, 1)
        made.sendto(bytes(972), to)
        made.sendto(bytes(973), to)
        errors = select.poll()
        errors.register(made, 0)
        true(errors.poll(lab.PATIENCE * 1000), "no word of a packet that is too big")
        made.recvmsg(2000, 2000, socket.MSG_ERRQUEUE)
        try:
            made.sendto(bytes(973), to)
        except OSError as error:
            equal(error.errno, errno.EMSGSIZE, "errno")
        else:
            raise AssertionError("the size was not learned")
    equal(len(server.recv(2000)), 972, "what fits")
    equal(len(source.recv(2000)), 972, "what fits")


def ipv6():
    server = udp("server", SERVER6, 7001, socket.AF_INET6)
    other = udp("server", SERVER6, 7002, socket.AF_INET6)
    source = udp("client", CLIENT6, 0, socket.AF_INET6)
    equal(mapped(source, server), endpoint(source), "no translation")
    equal(arrives(other, endpoint(source), source, server, endpoint(source)), False, "unsolicited IPv6")
    listener = tcp_server(443, SERVER6)
    true(connects("client", SERVER6, 443), "no TCP over IPv6")
    listener.close()
    mapped(client(), udp("server", SERVER, 7001))


def ipv6_behind_cgnat():
    server = udp("server", SERVER6, 7001, socket.AF_INET6)
    source = udp("client", CLIENT6, 0, socket.AF_INET6)
    equal(mapped(source, server), endpoint(source), "no translation")


def no_ipv6():
    made = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    try:
        made.connect((SERVER6, 7001))
    except OSError as error:
        equal(error.errno, errno.ENETUNREACH, "errno")
    else:
        raise AssertionError("there is a way to IPv6")


def no_default_route():
    equal(output("client", "ip", "route", "show", "default"), "", "default route")
    try:
        client().sendto(b"x", (SERVER, 7001))
    except OSError as error:
        equal(error.errno, errno.ENETUNREACH, "errno")
    else:
        raise AssertionError("there is a way out")
    # The home itself still works.
    mapped(client(), udp("router", "192.168.7.1", 7001))


def dns_works():
    equal(socket.gethostbyname("stun.lab"), SERVER, "stun.lab")
    equal(socket.gethostbyname("stun-alt.lab"), lab.OTHER_SERVER, "stun-alt.lab")
    try:
        socket.gethostbyname("example.org")
    except socket.gaierror as error:
        equal(error.errno, socket.EAI_NONAME, "example.org")
    else:
        raise AssertionError("example.org exists in the lab")


def nat64_addresses():
    """What the resolver says of ipv4only.arpa (RFC 7050): the prefix of its NAT64 before 192.0.0.170 and .171."""
    found = socket.getaddrinfo("ipv4only.arpa", None, socket.AF_INET6, socket.SOCK_DGRAM)
    return sorted(entry[4][0] for entry in found)


def dns_nat64():
    equal(nat64_addresses(), ["64:ff9b::c000:aa", "64:ff9b::c000:ab"], "ipv4only.arpa")
    equal(socket.gethostbyname("ipv4only.arpa")[:9], "192.0.0.1", "ipv4only.arpa")


def dns_without_nat64():
    try:
        raise AssertionError(nat64_addresses())
    except socket.gaierror as error:
        equal(error.errno, socket.EAI_NODATA, "ipv4only.arpa")


# A query for stun.lab (RFC 1035 section 4.1).
QUERY = bytes.fromhex("12340100000100000000000004") + b"stun\x03lab\x00" + bytes.fromhex("00010001")


def dns_broken():
    """Silence: neither an answer nor an ICMP error, while the resolver's host is there."""
    source = client()
    source.connect(("11.22.33.53", 53))
    source.send(QUERY)
    output("client", "ping", "-c", "1", "-W", str(int(lab.PATIENCE)), "11.22.33.53")
    source.setblocking(False)
    try:
        raise AssertionError(f"an answer: {source.recv(500)!r}")
    except BlockingIOError:
        pass
    mapped(client(), udp("server", SERVER, 7001))


def nothing_leads_out():
    """What is not in the lab is silent, or refused by the lab itself; no interface leads anywhere else."""
    hosts = sorted(os.listdir("/run/netns"))
    equal(hosts, ["client", "internet", "router", "server"], "hosts")
    for host in hosts:
        links = output(host, "ip", "-br", "link").split()
        true(not any(word.startswith(("wl", "en", "docker")) for word in links), links)
    equal(connects("client", "192.0.2.1", 80, SILENCE), False, "the rest of the world")


def two_homes():
    """A port-restricted home and a full cone: whoever is let in sees the other's public address."""
    server = udp("server", SERVER, 7001)
    here, there = client(), udp("peer", "192.168.8.2")
    outer_here, outer_there = mapped(here, server), mapped(there, server)
    equal((outer_here[0], outer_there[0]), (HOME, lab.PEER_HOME), "addresses")
    equal(arrives(there, outer_here, here, server, outer_here), False, "a stranger through a port-restricted NAT")
    equal(mapped_through(here, outer_there, there), outer_here, "through the full cone")
    equal(mapped_through(there, outer_here, here), outer_there, "the answer")


def mapped_through(sender, address, receiver):
    mark = os.urandom(8)
    sender.sendto(mark, address)
    while True:
        data, source = receiver.recvfrom(100)
        if data == mark:
            return source


def host_firewall():
    """A ruleset that lets nothing in but replies: the full cone before it no longer shows."""
    server, other, source = udp("server", SERVER, 7001), udp("server", SERVER, 7002), client()
    address = mapped(source, server)
    equal(arrives(other, address, source, server, address), False, "past the host's firewall")


CASES = [block_udp, block_udp_open, block_udp_3478, block_udp_out, block_tcp_high, loss, mtu, ipv6, ipv6_behind_cgnat,
         no_ipv6, no_default_route, dns_works, dns_nat64, dns_without_nat64, dns_broken, nothing_leads_out, two_homes,
         host_firewall]
FIREWALL = """table inet host {
    chain input {
        type filter hook input priority filter; policy drop
        iifname "lo" accept
        ct state established,related accept
    }
}
"""


class Conditions(unittest.TestCase):
    def test_block(self):
        lab.inside(block_udp, "--nat", "full-cone", "--block", "udp")
        lab.inside(block_udp_open, "--nat", "open", "--block", "udp")
        lab.inside(block_udp_3478, "--nat", "full-cone", "--block", "udp-3478")
        lab.inside(block_udp_out, "--nat", "full-cone", "--block", "udp-out")
        lab.inside(block_tcp_high, "--nat", "full-cone", "--block", "tcp-high")

    def test_loss(self):
        lab.inside(loss, "--nat", "port-restricted-cone", "--peer-nat", "open", "--loss", "20")

    def test_mtu(self):
        lab.inside(mtu, "--nat", "port-restricted-cone", "--mtu", "1000")

    def test_ipv6(self):
        lab.inside(ipv6, "--nat", "symmetric", "--ipv6")
        lab.inside(ipv6_behind_cgnat, "--nat", "symmetric", "--cgnat", "symmetric", "--ipv6")
        lab.inside(no_ipv6, "--nat", "symmetric")

    def test_routes(self):
        lab.inside(no_default_route, "--nat", "symmetric", "--no-default-route")
        lab.inside(nothing_leads_out, "--nat", "symmetric")

    def test_names(self):
        lab.inside(dns_works, "--nat", "symmetric", servers=True)
        lab.inside(dns_nat64, "--nat", "open", "--ipv6", "--dns", "nat64", servers=True)
        lab.inside(dns_without_nat64, "--nat", "open", "--ipv6", servers=True)
        lab.inside(dns_broken, "--nat", "symmetric", "--dns", "broken")

    def test_two_homes(self):
        lab.inside(two_homes, "--nat", "port-restricted-cone", "--peer-nat", "full-cone")

    def test_host_firewall(self):
        with tempfile.NamedTemporaryFile("w", suffix=".nft") as file:
            file.write(FIREWALL)
            file.flush()
            lab.inside(host_firewall, "--nat", "full-cone", "--host-firewall", file.name)
        for content, word in (("table inet x {", "host-firewall"), (None, "No such file")):
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "x.nft")
                if content is not None:
                    with open(path, "w", encoding="ascii") as broken:
                        broken.write(content)
                result = lab.lab("run", "--nat", "open", "--no-servers", "--host-firewall", path, "--command", "--",
                                 "true")
                self.assertEqual(result.returncode, 2)
                self.assertIn(word, result.stderr)

    def test_delay_or_a_reason(self):
        result = lab.lab("run", "--nat", "full-cone", "--no-servers", "--delay", "40ms", "--command", "--", "ping",
                         "-c", "3", SERVER)
        self.assertEqual(result.returncode, 0, result.stderr)
        if "--delay is left out" in result.stderr:
            self.assertIn("netem", result.stderr)
            return
        # Out and back.
        least = float(result.stdout.rsplit("=", 1)[1].split("/")[0])
        self.assertGreaterEqual(least, 80)

    def test_on(self):
        def addresses(host, *options):
            result = lab.lab("run", "--nat", "full-cone", *options, "--no-servers", "--on", host, "--command", "--",
                             "ip", "-4", "-br", "addr")
            return result.stdout if result.returncode == 0 else result.stderr

        self.assertIn("192.168.7.2/24", addresses("client"))
        self.assertIn("11.22.33.7/24", addresses("router"))
        self.assertIn("11.22.33.11/24", addresses("server"))
        self.assertIn("192.168.8.2/24", addresses("peer", "--peer-nat", "symmetric"))
        self.assertIn("11.22.33.77/24", addresses("carrier", "--cgnat", "symmetric"))
        self.assertIn("no such host", addresses("peer"))


if __name__ == "__main__":
    lab.main(CASES)
