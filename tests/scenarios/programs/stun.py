"""A STUN server (RFC 8489) that only says where a request came from: no CHANGE-REQUEST, no second address.

stun.py [--rewritten] ADDRESS… : on port 3478 of each. --rewritten: MAPPED-ADDRESS is another one, as after a router that edits
plain addresses in packets.
"""
import select
import socket
import struct
import sys

COOKIE = 0x2112A442
MAPPED_ADDRESS, XOR_MAPPED_ADDRESS, UNKNOWN_ATTRIBUTES, ERROR_CODE = 0x0001, 0x0020, 0x000A, 0x0009
CHANGE_REQUEST = 0x0003
rewritten = "--rewritten" in sys.argv


def attribute(kind, value):
    return struct.pack(">HH", kind, len(value)) + value + bytes(-len(value) % 4)


def attributes(data):
    found, at = [], 20
    while at + 4 <= len(data):
        kind, size = struct.unpack_from(">HH", data, at)
        found.append(kind)
        at += 4 + size + (-size % 4)
    return found


def answer(data, source):
    if len(data) < 20 or struct.unpack_from(">HHI", data)[0] != 0x0001 or struct.unpack_from(">I", data, 4)[0] != COOKIE:
        return None
    transaction = data[8:20]
    # RFC 8489 section 6.3.1: attributes from 0x0000 to 0x7fff that are not understood are an error, 420.
    unknown = [kind for kind in attributes(data) if kind < 0x8000 and kind not in (0x0006, 0x0008)]
    if unknown:
        body = attribute(ERROR_CODE, bytes([0, 0, 4, 20]) + b"Unknown Attribute")
        body += attribute(UNKNOWN_ATTRIBUTES, b"".join(struct.pack(">H", kind) for kind in unknown))
        return struct.pack(">HHI", 0x0111, len(body), COOKIE) + transaction + body
    address = socket.inet_aton(source[0])
    mixed = bytes(a ^ b for a, b in zip(address, struct.pack(">I", COOKIE)))
    body = attribute(XOR_MAPPED_ADDRESS, struct.pack(">BBH", 0, 1, source[1] ^ (COOKIE >> 16)) + mixed)
    plain = socket.inet_aton("192.168.7.2") if rewritten else address
    body += attribute(MAPPED_ADDRESS, struct.pack(">BBH", 0, 1, source[1]) + plain)
    return struct.pack(">HHI", 0x0101, len(body), COOKIE) + transaction + body


made = []
for where in sys.argv[1:]:
    if where.startswith("--"):
        continue
    made.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    made[-1].bind((where, 3478))
while True:
    for one in select.select(made, [], [])[0]:
        request, who = one.recvfrom(2048)
        reply = answer(request, who)
        if reply:
            one.sendto(reply, who)
