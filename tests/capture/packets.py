"""Captures made by hand: STUN over UDP and IPv4, in a classic pcap with raw IP packets."""
import socket
import struct

COOKIE = 0x2112A442
BINDING, SUCCESS = 0x0001, 0x0101


def udp(source, destination, payload):
    """An IPv4 packet; an end is (address, port)."""
    datagram = struct.pack(">HHHH", source[1], destination[1], 8 + len(payload), 0) + payload
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(datagram), 0, 0, 64, 17, 0) + \
        socket.inet_aton(source[0]) + socket.inet_aton(destination[0]) + datagram


def stun(kind, transaction, mapped=None):
    attributes = b""
    if mapped:
        address = struct.unpack(">I", socket.inet_aton(mapped[0]))[0] ^ COOKIE
        attributes = struct.pack(">HHBBHI", 0x0020, 8, 0, 1, mapped[1] ^ COOKIE >> 16, address)
    return struct.pack(">HHI", kind, len(attributes), COOKIE) + transaction.to_bytes(12, "big") + attributes


def pcap(packets, link_type=101):
    """`packets`: (milliseconds, bytes)."""
    out = struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link_type)
    for milliseconds, data in packets:
        seconds, rest = divmod(1_700_000_000_000 + milliseconds, 1000)
        out += struct.pack("<IIII", seconds, rest * 1000, len(data), len(data)) + data
    return out
