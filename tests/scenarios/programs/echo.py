"""A program on a UDP port that answers every datagram with the same. echo.py ADDRESS PORT"""
import socket
import sys

made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
made.bind((sys.argv[1], int(sys.argv[2])))
while True:
    data, source = made.recvfrom(2048)
    made.sendto(data, source)
