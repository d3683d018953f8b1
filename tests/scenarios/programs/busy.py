"""A program that holds a UDP port and talks to one peer alone. busy.py PORT PEER PEERPORT"""
import signal
import socket
import sys

made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
made.bind(("0.0.0.0", int(sys.argv[1])))
made.connect((sys.argv[2], int(sys.argv[3])))
signal.pause()
