"""The lab's servers are real and answer: coturn on two addresses, TLS, TURN, names, and the router's port mapping."""
import os
import re
import socket
import ssl
import subprocess
import unittest

import lab
from lab import CLIENT, HOME, OTHER_SERVER, SERVER, equal, on, output, true, udp

# RFC 8489 section 5: type, length, magic cookie, transaction id.
BINDING_REQUEST = 0x0001
BINDING_RESPONSE = 0x0101
COOKIE = bytes.fromhex("2112a442")
CHANGE_REQUEST = 0x0003  # RFC 5780 section 7.2
CHANGE_IP_AND_PORT = 6


def binding(*attributes):
    body = b"".join(kind.to_bytes(2) + len(value).to_bytes(2) + value for kind, value in attributes)
    return BINDING_REQUEST.to_bytes(2) + len(body).to_bytes(2) + COOKIE + os.urandom(12) + body


def is_answer(request, data):
    return data[:2] == BINDING_RESPONSE.to_bytes(2) and data[4:20] == request[4:20]


def stun():
    families = [(socket.AF_INET, "11.22.33.7", (SERVER, OTHER_SERVER)),
                (socket.AF_INET6, "2001:db8:33::7", ("2001:db8:33::10", "2001:db8:33::11"))]
    for family, own, servers in families:
        for server in servers:
            for port in (3478, 3479):
                source = udp("client", own, 0, family)
                request = binding()
                source.sendto(request, (server, port))
                data, sender = source.recvfrom(2000)
                true(is_answer(request, data), data)
                equal(sender[:2], (server, port), "sender")
                socket.create_connection((server, port), lab.PATIENCE).close()
        source = udp("client", own, 0, family)
        request = binding((CHANGE_REQUEST, CHANGE_IP_AND_PORT.to_bytes(4)))
        source.sendto(request, (servers[0], 3478))
        data, sender = source.recvfrom(2000)
        true(is_answer(request, data), data)
        equal(sender[:2], (servers[1], 3479), "the alternate")


def tls():
    context = ssl.create_default_context(cafile="/run/p2pdiag-lab/server.crt")
    for name in ("stun.lab", "stun-alt.lab"):
        with context.wrap_socket(socket.create_connection((name, 5349), lab.PATIENCE), server_hostname=name) as made:
            request = binding()
            made.sendall(request)
            true(is_answer(request, made.recv(2000)), "no answer over TLS")


def turn():
    """Relays to the second address and back, as coturn's own client sees it."""
    made = subprocess.run(["turnutils_uclient", "-y", "-n", "2", "-m", "1", "-c", "-u", "lab", "-w", "lab-password",
                           "turn.lab"], capture_output=True, text=True, timeout=600)
    equal(made.returncode, 0, made.stdout + made.stderr)
    true("Total lost packets 0" in made.stdout, made.stdout)
    refused = subprocess.run(["turnutils_uclient", "-y", "-n", "1", "-m", "1", "-c", "-u", "lab", "-w", "wrong",
                              "turn.lab"], capture_output=True, text=True, timeout=600)
    true(refused.returncode != 0, "a wrong password is accepted")


def reaches_home(port, kind):
    """Whether a stranger's packet to the home's public port comes in; the kind is socket.SOCK_*."""
    with on("client"):
        inner = socket.socket(socket.AF_INET, kind)
    inner.settimeout(lab.PATIENCE)
    inner.bind((CLIENT, port))
    with on("server"):
        outer = socket.socket(socket.AF_INET, kind)
    outer.settimeout(lab.PATIENCE)
    if kind == socket.SOCK_STREAM:
        inner.listen()
        outer.connect((HOME, port))
        return inner.accept()[1][0] == SERVER
    outer.bind((SERVER, 9000))
    outer.sendto(b"in", (HOME, port))
    return inner.recvfrom(100) == (b"in", (SERVER, 9000))


def upnp():
    equal(re.findall(r"ExternalIPAddress = (\S+)", output("client", "upnpc", "-s")), [HOME], "external address")
    output("client", "upnpc", "-a", CLIENT, "8000", "8000", "tcp", "60")
    true(reaches_home(8000, socket.SOCK_STREAM), "the mapping does not forward")
    equal(ask(NATPMP_ADDRESS), "refused", "NAT-PMP")


# RFC 6886 section 3.2: version 0, opcode 0. RFC 6887 section 7.1 and 11: version 2, MAP.
NATPMP_ADDRESS = bytes(2)


def pcp_map(port):
    client = bytes(10) + b"\xff\xff" + socket.inet_aton(CLIENT)
    header = bytes([2, 1, 0, 0]) + (120).to_bytes(4) + client
    return header + os.urandom(12) + bytes([17, 0, 0, 0]) + port.to_bytes(2) + port.to_bytes(2) + bytes(16)


def ask(request, patience=lab.PATIENCE):
    """The router's answer on port 5351: bytes, "refused", or None after silence."""
    made = udp("client", CLIENT)
    made.connect(("192.168.7.1", 5351))
    made.send(request)
    made.settimeout(patience)
    try:
        return made.recv(1100)
    except ConnectionRefusedError:
        return "refused"
    except TimeoutError:
        return None


def natpmp():
    answer = ask(NATPMP_ADDRESS)
    equal(answer[:4], bytes([0, 128, 0, 0]), "NAT-PMP answer")
    equal(socket.inet_ntoa(answer[8:12]), HOME, "external address")
    output("client", "natpmpc", "-a", "8001", "8001", "udp", "60")
    true(reaches_home(8001, socket.SOCK_DGRAM), "the mapping does not forward")
    equal(ask(pcp_map(8002), patience=0.5), None, "PCP")


def pcp():
    answer = ask(pcp_map(8002))
    equal(answer[:4], bytes([2, 129, 0, 0]), "PCP answer")
    true(reaches_home(8002, socket.SOCK_DGRAM), "the mapping does not forward")
    equal(ask(NATPMP_ADDRESS, patience=0.5), None, "NAT-PMP")


def no_igd():
    equal(ask(NATPMP_ADDRESS), "refused", "NAT-PMP")
    with on("client"):
        made = socket.socket()
    try:
        made.connect(("192.168.7.1", 5000))
    except ConnectionRefusedError:
        return
    raise AssertionError("somebody listens")


CASES = [stun, tls, turn, upnp, natpmp, pcp, no_igd]


class Servers(unittest.TestCase):
    def test_stun(self):
        lab.inside(stun, "--nat", "open", "--ipv6", servers=True)

    def test_tls_and_turn(self):
        lab.inside(tls, "--nat", "symmetric", servers=True)
        lab.inside(turn, "--nat", "symmetric", servers=True)

    def test_igd(self):
        lab.inside(upnp, "--nat", "port-restricted-cone", "--igd", "upnp")
        lab.inside(natpmp, "--nat", "symmetric", "--igd", "natpmp")
        lab.inside(pcp, "--nat", "full-cone", "--igd", "pcp")
        lab.inside(pcp_and_all, "--nat", "full-cone", "--igd", "upnp,natpmp,pcp", "--ipv6")
        lab.inside(no_igd, "--nat", "full-cone")

    def test_nobody_too(self):
        lab.inside(stun, "--nat", "open", "--ipv6", servers=True, unprivileged=True)
        lab.inside(natpmp, "--nat", "symmetric", "--igd", "natpmp", unprivileged=True)


def pcp_and_all():
    equal(ask(pcp_map(8002))[:4], bytes([2, 129, 0, 0]), "PCP answer")
    equal(ask(NATPMP_ADDRESS)[:4], bytes([0, 128, 0, 0]), "NAT-PMP answer")


CASES.append(pcp_and_all)

if __name__ == "__main__":
    lab.main(CASES)
