"""Captures made by hand: STUN and our own probes over UDP and IPv4, in a classic pcap with raw IP packets."""
import socket
import struct

COOKIE = 0x2112A442
BINDING, SUCCESS = 0x0001, 0x0101


def udp(source, destination, payload):
    """An IPv4 packet; an end is (address, port)."""
    datagram = struct.pack(">HHHH", source[1], destination[1], 8 + len(payload), 0) + payload
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(datagram), 0, 0, 64, 17, 0) + \
        socket.inet_aton(source[0]) + socket.inet_aton(destination[0]) + datagram


def fragments(packet, identification, size):
    """The IPv4 fragments of a packet without options: `size` bytes in each but the last, a multiple of 8."""
    header, payload = packet[:20], packet[20:]
    parts = []
    for offset in range(0, len(payload), size):
        part = payload[offset:offset + size]
        bits = offset // 8 | (0x2000 if offset + size < len(payload) else 0)
        parts.append(header[:2] + struct.pack(">HHH", 20 + len(part), identification, bits) + header[8:] + part)
    return parts


def stun(kind, transaction, mapped=None, filler=0):
    """`filler`: bytes of a SOFTWARE attribute that make it long, a multiple of 4."""
    attributes = struct.pack(">HH", 0x8022, filler) + b"x" * filler if filler else b""
    if mapped:
        address = struct.unpack(">I", socket.inet_aton(mapped[0]))[0] ^ COOKIE
        attributes += struct.pack(">HHBBHI", 0x0020, 8, 0, 1, mapped[1] ^ COOKIE >> 16, address)
    return struct.pack(">HHI", kind, len(attributes), COOKIE) + transaction.to_bytes(12, "big") + attributes


PING, PONG, INIT, UNSUPPORTED = 1, 2, 3, 9


def ours(kind, body=b"", version=1):
    """What docs/adr/0011 draws: the envelope, and what stands behind it."""
    return b"\x0epdi" + struct.pack(">BBH", version, kind, len(body)) + b"session1" + body


def probe(kind, transaction, seen=None):
    identifier = transaction.to_bytes(12, "big")
    place = bytes(18)
    if seen:
        plain = struct.pack(">H", seen[1]) + bytes(10) + b"\xff\xff" + socket.inet_aton(seen[0])
        place = bytes(a ^ b for a, b in zip(plain, b"\x0epdi"[:2] + b"\x0epdi" + identifier))
    return ours(kind, identifier + bytes(8) + place + b"t" * 16)


def init(payload=b"p" * 40):
    return ours(INIT, bytes(16) + struct.pack(">H", len(payload)) + payload.ljust(1166, b"\0"))


def pcap(packets, link_type=101):
    """`packets`: (milliseconds, bytes)."""
    out = struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link_type)
    for milliseconds, data in packets:
        seconds, rest = divmod(1_700_000_000_000 + milliseconds, 1000)
        out += struct.pack("<IIII", seconds, rest * 1000, len(data), len(data)) + data
    return out
