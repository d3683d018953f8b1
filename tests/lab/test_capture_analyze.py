"""capture analyze on what real NATs did: the mapping change told from packets alone, beside tshark on the same file."""
import json
import os
import shutil
import subprocess
import tempfile
import time
import unittest

import lab

REQUEST = "0x0001"
# RFC 8489 section 18.3, RFC 5780 section 9: the attributes that hold an address.
XOR_MAPPED_ADDRESS = 0x0020
MAPPED_ADDRESS = 0x0001
ADDRESSES = (MAPPED_ADDRESS, XOR_MAPPED_ADDRESS, 0x802B, 0x802C)


def mapped_in(packet):
    """The mapped address in a packet as tshark sees it: its addresses stand in the order of their attributes."""
    kinds = [int(kind, 16) for kind in packet["stun.att.type"].split(",") if int(kind, 16) in ADDRESSES]
    addresses = dict(zip(kinds, zip(packet["stun.att.ipv4"].split(","), packet["stun.att.port"].split(","))))
    return ":".join(addresses.get(XOR_MAPPED_ADDRESS) or addresses[MAPPED_ADDRESS])


def record_stun():
    path = os.environ["CAPTURE"]
    host = os.environ["P2PDIAG"]
    with lab.Recorder("client", path):
        # It says what it thinks of the NAT with its exit code, which is not what is tested here.
        subprocess.run([host, "--profile", "lab", "run", "stun.nat"], stdout=subprocess.DEVNULL)
        # So that silence can be told from an answer that is still to come.
        time.sleep(2.5)


class Analyzed(unittest.TestCase):
    def captured(self, *options):
        place = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, place)
        path = os.path.join(place, "stun.pcap")
        os.environ["CAPTURE"] = path
        lab.inside(record_stun, *options, servers=True)
        return path, self.analyzed(path)

    def analyzed(self, path):
        done = subprocess.run([lab.P2PDIAG, "capture", "analyze", path, "--format", "json", "--stun"],
                              capture_output=True, text=True)
        return json.loads(done.stdout)

    def test_symmetric(self):
        path, document = self.captured("--nat", "symmetric")
        changed = [finding for finding in document["findings"] if finding["code"] == "capture.mapping-changed"]
        # Once, whatever number of ports show it.
        self.assertEqual(len(changed), 1, document["findings"])
        self.assertIn("Symmetric NAT", changed[0]["message"])
        self.assertEqual(changed[0]["evidence"]["local"].split(":")[0], lab.CLIENT)
        roles = {host["address"]: host["role"] for host in document["hosts"]}
        self.assertEqual((roles[lab.CLIENT], roles[lab.SERVER]), ("you", "STUN server"))
        self.beside_tshark(path, document)

    def test_a_cone_has_one_mapping(self):
        path, document = self.captured("--nat", "port-restricted-cone")
        # There was something to tell it by: one port that several servers saw, all of them the same.
        seen = {}
        for mapping in document["mappings"]:
            seen.setdefault(mapping["local"], []).append((mapping["server"], mapping["mapped"]))
        most = max(seen.values(), key=len, default=[])
        self.assertGreater(len({server for server, _ in most}), 1, document["mappings"])
        self.assertEqual(len({mapped for _, mapped in most}), 1, document["mappings"])
        self.beside_tshark(path, document)
        codes = {finding["code"] for finding in document["findings"]}
        self.assertNotIn("capture.mapping-changed", codes)
        # What tests of the filter do not hear is no error.
        errors = [finding for finding in document["findings"] if finding["severity"] == "error"]
        self.assertEqual(errors, [])

    def test_a_recorded_run(self):
        """The file that run --capture writes tells the mapping change by itself."""
        place = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, place)
        path = os.path.join(place, "run.pcapng")
        lab.lab("run", "--nat", "symmetric", "--", "run", "stun.nat", "--capture", path)
        document = self.analyzed(path)
        changed = [finding for finding in document["findings"] if finding["code"] == "capture.mapping-changed"]
        self.assertEqual(len(changed), 1, document["findings"])
        self.assertIn("Symmetric NAT", changed[0]["message"])
        self.beside_tshark(path, document)

    def beside_tshark(self, path, document):
        """Transaction ids, mapped addresses and pairs are those that tshark sees."""
        if not shutil.which("tshark"):
            self.skipTest("tshark is not installed")
        fields = ["frame.number", "stun.id", "stun.type", "stun.att.type", "stun.att.ipv4", "stun.att.port",
                  "stun.response-to", "ip.src", "ip.dst", "udp.srcport", "udp.dstport"]
        # An ICMP error quotes a message, and is none.
        done = subprocess.run(["tshark", "-r", path, "-Y", "stun && !icmp", "-T", "fields",
                               *(word for name in fields for word in ("-e", name))],
                              capture_output=True, text=True, check=True)
        theirs = [dict(zip(fields, line.split("\t"))) for line in done.stdout.splitlines()]
        messages = [message for message in document["messages"] if message["protocol"] == "STUN"]
        ours = {message["packet"]: message for message in messages}
        numbered = {message["number"]: message for message in messages}
        requests = [packet for packet in theirs if packet["stun.type"] == REQUEST]
        self.assertEqual({message["transaction"] for message in messages if message["kind"] == "request"},
                         {packet["stun.id"] for packet in requests})
        answers, rows = 0, set()
        for packet in theirs:
            message = ours.get(int(packet["frame.number"]))
            row = tuple(packet[name] for name in ("stun.id", "stun.type", *fields[-4:]))
            if message is None:
                self.assertIn(row, rows, "not a row, and not the same again")
                continue
            rows.add(row)
            self.assertEqual(message["transaction"], packet["stun.id"])
            if message["kind"] == "answer":
                answers += 1
                request = numbered[message["answers"]]
                if packet["stun.response-to"]:
                    self.assertEqual(request["packet"], int(packet["stun.response-to"]))
                else:
                    # It looks in the same conversation only: not for what another address answers, as asked.
                    self.assertNotEqual(message["from"], request["to"], packet)
                self.assertEqual(message["text"].split("mapped ")[1].split(",")[0].split()[0], mapped_in(packet))
        self.assertGreater(answers, 2)


if __name__ == "__main__":
    lab.main([record_stun])
