"""One end of a VPN: what goes into its tunnel interface goes over UDP to the other end. Encrypts nothing.

tunnel.py NAME LOCALPORT [PEER PEERPORT] : without a peer it answers to whoever sent last.
"""
import fcntl
import os
import select
import socket
import struct
import sys

# linux/if_tun.h
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000
tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", sys.argv[1].encode(), IFF_TUN | IFF_NO_PI))
wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
wire.bind(("0.0.0.0", int(sys.argv[2])))
peer = (sys.argv[3], int(sys.argv[4])) if len(sys.argv) > 3 else None
while True:
    ready = select.select([tun, wire], [], [])[0]
    if tun in ready:
        packet = os.read(tun, 65535)
        if peer:
            wire.sendto(packet, peer)
    if wire in ready:
        packet, source = wire.recvfrom(65535)
        peer = peer if len(sys.argv) > 3 else source
        os.write(tun, packet)
