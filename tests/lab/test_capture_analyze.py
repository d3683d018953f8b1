"""capture analyze on what real NATs did: the mapping change told from packets alone, beside tshark on the same file."""
import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest

import lab

ETH_P_ALL = 3
LINUX_SLL2 = 276


class Recorder:
    """Writes what passes the interfaces of `host` as a pcap of the kind that the device "any" gives."""

    def __init__(self, host, path):
        with lab.on(host):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        self.socket.settimeout(0.1)
        self.file = open(path, "wb")
        self.file.write(struct.pack("<IHHIIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, LINUX_SLL2))
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while True:
            try:
                data, (_, protocol, kind, hardware, address) = self.socket.recvfrom(65535)
            except TimeoutError:
                if self.over.is_set():
                    return
                continue
            seconds, rest = divmod(time.time_ns(), 1_000_000_000)
            packet = struct.pack(">HHIHBB8s", protocol, 0, 1, hardware, kind, len(address), address) + data
            self.file.write(struct.pack("<IIII", seconds, rest, len(packet), len(packet)) + packet)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.file.close()


def record_stun():
    path = os.environ["CAPTURE"]
    host = os.environ["P2PDIAG"]
    with Recorder("client", path):
        # It says what it thinks of the NAT with its exit code, which is not what is tested here.
        subprocess.run([host, "--profile", "lab", "run", "stun.nat"], stdout=subprocess.DEVNULL)
        # So that silence can be told from an answer that is still to come.
        time.sleep(2.5)


class Analyzed(unittest.TestCase):
    def captured(self, *options):
        place = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, place)
        path = os.path.join(place, "stun.pcap")
        os.environ.update(CAPTURE=path, P2PDIAG=lab.P2PDIAG)
        lab.inside(record_stun, *options, servers=True)
        done = subprocess.run([lab.P2PDIAG, "capture", "analyze", path, "--format", "json", "--stun"],
                              capture_output=True, text=True)
        return path, json.loads(done.stdout)

    def test_symmetric(self):
        path, document = self.captured("--nat", "symmetric")
        changed = [finding for finding in document["findings"] if finding["code"] == "capture.mapping-changed"]
        self.assertTrue(changed, document["findings"])
        self.assertIn("Symmetric NAT", changed[0]["message"])
        self.assertEqual(changed[0]["evidence"]["local"].split(":")[0], lab.CLIENT)
        roles = {host["address"]: host["role"] for host in document["hosts"]}
        self.assertEqual((roles[lab.CLIENT], roles[lab.SERVER]), ("you", "STUN server"))
        self.beside_tshark(path, document)

    def test_a_cone_has_one_mapping(self):
        _, document = self.captured("--nat", "port-restricted-cone")
        codes = {finding["code"] for finding in document["findings"]}
        self.assertNotIn("capture.mapping-changed", codes)
        # What tests of the filter do not hear is no error.
        errors = [finding for finding in document["findings"] if finding["severity"] == "error"]
        self.assertEqual(errors, [])

    def beside_tshark(self, path, document):
        if not shutil.which("tshark"):
            self.skipTest("tshark is not installed")
        fields = ["frame.number", "stun.id", "stun.type.class", "stun.att.ipv4", "stun.att.port", "stun.response-to",
                  "stun.reqduplicate", "stun.respduplicate"]
        done = subprocess.run(["tshark", "-r", path, "-Y", "stun", "-T", "fields",
                               *(word for name in fields for word in ("-e", name))],
                              capture_output=True, text=True, check=True)
        theirs = [dict(zip(fields, line.split("\t"))) for line in done.stdout.splitlines()]
        ours = {message["packet"]: message for message in document["messages"]}
        packet_of = {message["number"]: message["packet"] for message in document["messages"]}
        transactions = {packet["stun.id"] for packet in theirs}
        requests = [message for message in document["messages"] if message["kind"] == "request"]
        self.assertEqual(len(requests), len(transactions))
        answers = 0
        for packet in theirs:
            message = ours.get(int(packet["frame.number"]))
            if message is None:
                self.assertTrue(packet["stun.reqduplicate"] or packet["stun.respduplicate"], packet)
                continue
            if message["kind"] == "answer":
                answers += 1
                self.assertEqual(packet_of[message["answers"]], int(packet["stun.response-to"]))
                mapped = message["text"].split("mapped ")[1].split()[0]
                self.assertIn(mapped.split(":")[0], packet["stun.att.ipv4"].split(","))
                self.assertIn(mapped.split(":")[1], packet["stun.att.port"].split(","))
        self.assertGreater(answers, 2)


if __name__ == "__main__":
    lab.main([record_stun])
