"""p2pdiag capture analyze on files: formats, exit codes, bad input; and tshark reads what we write and agrees."""
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

from packets import BINDING, INIT, PING, PONG, SUCCESS, UNSUPPORTED, fragments, init, ours, pcap, probe, stun, udp

HOST, CONVERT = sys.argv[1], sys.argv[2]
CLIENT, SERVER, OTHER = ("192.168.7.2", 4000), ("11.22.33.10", 3478), ("11.22.33.11", 3478)
LATER = (60_000, udp(("192.168.7.9", 9), ("224.0.0.5", 9), b"x"))

# One socket that two servers see behind different ports, a retransmission, and a server that is silent.
SYMMETRIC = [(0, udp(CLIENT, SERVER, stun(BINDING, 1))),
             (100, udp(CLIENT, SERVER, stun(BINDING, 1))),
             (112, udp(SERVER, CLIENT, stun(SUCCESS, 1, ("11.22.33.7", 40000)))),
             (120, udp(CLIENT, OTHER, stun(BINDING, 2))),
             (125, udp(OTHER, CLIENT, stun(SUCCESS, 2, ("11.22.33.7", 40001))))]
SILENT = [(130, udp(CLIENT, ("11.22.33.12", 3478), stun(BINDING, 3)))]


class Case(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.place)

    def file(self, content, name="call.pcap"):
        path = os.path.join(self.place, name)
        with open(path, "wb") as out:
            out.write(content)
        return path

    def analyze(self, *arguments, code=0, stdin=None, **environment):
        done = subprocess.run([HOST, "capture", "analyze", *arguments], input=stdin, capture_output=True,
                              env={**os.environ, "COLUMNS": "80", **environment})
        self.assertEqual(done.returncode, code, done.stdout.decode() + done.stderr.decode())
        return done.stdout.decode(), done.stderr.decode()

    def document(self, path, *more, code=0):
        return json.loads(self.analyze(path, "--format", "json", *more, code=code)[0])


class Findings(Case):
    def test_symmetric_nat_from_packets_alone(self):
        document = self.document(self.file(pcap([*SYMMETRIC, LATER])))
        self.assertEqual([finding["code"] for finding in document["findings"]], ["capture.mapping-changed"])
        self.assertEqual(document["messages"][0]["copies"], 2)
        self.assertEqual(document["messages"][1]["answers"], document["messages"][0]["number"])
        self.analyze(self.file(pcap([*SYMMETRIC, LATER])), "--fail-on", "warn", code=1)

    def test_silence_is_an_error(self):
        document = self.document(self.file(pcap([*SYMMETRIC, *SILENT, LATER])), code=1)
        self.assertEqual(document["findings"][0]["code"], "capture.no-reply")
        self.assertEqual(document["findings"][0]["evidence"]["packet"], 6)

    def test_filters(self):
        path = self.file(pcap([*SYMMETRIC, *SILENT, LATER]))
        self.assertEqual(len(self.document(path, "--host", "11.22.33.11")["messages"]), 2)
        self.assertEqual(len(self.document(path, "--port", "9")["messages"]), 0)
        self.assertIn("not an IP address", self.analyze(path, "--host", "stun.lab", code=2)[1])


class Peers(Case):
    """Our own probes and the chat's handshake, written here as docs/adr/0011 says, without our codec."""
    PEER, OUTSIDE = ("11.22.33.9", 5000), ("11.22.33.7", 40000)
    # A STUN server and the peer see the same socket behind different ports; the peer speaks another version of the chat.
    CALL = [*SYMMETRIC[:3],
            (200, udp(CLIENT, PEER, probe(PING, 1))), (220, udp(CLIENT, PEER, probe(PING, 1))),
            (230, udp(PEER, CLIENT, probe(PONG, 1, ("11.22.33.7", 40005)))),
            (240, udp(CLIENT, PEER, init())), (250, udp(PEER, CLIENT, ours(UNSUPPORTED, version=2))), LATER]

    def test_each_format(self):
        path = self.file(pcap(self.CALL))
        document = self.document(path, code=1)
        self.assertEqual([finding["code"] for finding in document["findings"]],
                         ["capture.version-mismatch", "capture.mapping-changed"])
        ping, pong = [message for message in document["messages"] if message["protocol"] == "probe"]
        self.assertEqual((ping["copies"], ping["answered_by"], pong["answers"]), (2, pong["number"], ping["number"]))
        self.assertEqual(ping["transaction"], "0" * 23 + "1")
        roles = {host["address"]: host["role"] for host in document["hosts"]}
        self.assertEqual(roles, {CLIENT[0]: "you", self.PEER[0]: "peer", SERVER[0]: "STUN server"})
        for arguments in ([], ["--stun"], ["--format", "mermaid"], ["--format", "svg"]):
            text, _ = self.analyze(path, *arguments, code=1, COLUMNS="132")
            for words in ("probe ping x2", "pong, seen as 11.22.33.7:40005", "chat init",
                          "chat refused: speaks version 2"):
                self.assertIn(words, text)
        xml.etree.ElementTree.fromstring(text)

    def test_nothing_came_in(self):
        others = [("11.22.33.9", 5001), ("192.168.9.2", 5000)]
        pings = [(20 * number, udp(CLIENT, to, probe(PING, number))) for number, to in enumerate([self.PEER, *others])]
        document = self.document(self.file(pcap([*pings, LATER])), code=1)
        self.assertEqual([finding["code"] for finding in document["findings"]], ["capture.one-way"])
        self.assertEqual(len(document["findings"][0]["evidence"]["addresses"]), 3)

    def test_a_handshake_that_nobody_answers(self):
        document = self.document(self.file(pcap([(0, udp(CLIENT, self.PEER, init())), LATER])), code=1)
        self.assertEqual(document["findings"][0]["code"], "capture.no-reply")
        self.assertEqual(document["messages"][0]["fate"], "unanswered")

    def test_cut_anywhere(self):
        """As a snap length or a quotation leaves them: the datagram says how long it was."""
        packets = []
        there, back = (CLIENT, self.PEER), (self.PEER, CLIENT)
        for way, whole in ((there, probe(PING, 1)), (back, probe(PONG, 1, self.OUTSIDE)), (there, init()),
                           (back, ours(UNSUPPORTED, version=2))):
            packet = udp(*way, whole)
            packets += [(300, packet[:size]) for size in range(len(packet) + 1)]
        document = self.document(self.file(pcap([*packets, LATER])), code=1)
        self.assertEqual(document["packets"], len(packets) + 1)
        self.assertEqual([finding["code"] for finding in document["findings"]], ["capture.version-mismatch"])
        self.assertLessEqual({"ping (incomplete)", "pong (incomplete)", "init (incomplete)", "refused: speaks version 2"},
                             {message["text"] for message in document["messages"]})

    @unittest.skipUnless(shutil.which("tshark"), "tshark is not installed")
    def test_nobody_takes_it_for_something_else(self):
        call = [(0, udp(CLIENT, self.PEER, message)) for message in
                (probe(PING, 1), probe(PONG, 1, self.OUTSIDE), init(), ours(UNSUPPORTED, version=2))]
        done = subprocess.run(["tshark", "-r", self.file(pcap(call)), "-T", "fields", "-e", "frame.protocols"],
                              capture_output=True, text=True, check=True)
        self.assertEqual(set(done.stdout.split()), {"raw:ip:udp:data"})


class Files(Case):
    def test_compressed_and_from_a_pipe(self):
        whole = pcap([*SYMMETRIC, LATER])
        expected = self.document(self.file(whole))
        packed = self.document(self.file(gzip.compress(whole), "call.pcap.gz"))
        piped = json.loads(self.analyze("-", "--format", "json", stdin=whole)[0])
        for other in (packed, piped):
            self.assertEqual({**other, "source": ""}, {**expected, "source": ""})

    def test_a_cut_file_is_used_and_said_to_be_cut(self):
        document = self.document(self.file(pcap(SYMMETRIC)[:-3]))
        self.assertIn("the last", document["remarks"][0])
        self.assertIn("capture.incomplete", [finding["code"] for finding in document["findings"]])
        self.assertEqual(document["packets"], 4)

    def test_what_is_no_capture(self):
        self.assertIn("neither a pcap nor a pcapng", self.analyze(self.file(b"GIF89a..."), code=2)[1])
        self.assertIn("empty", self.analyze(self.file(b""), code=2)[1])
        self.assertIn("No such file", self.analyze(self.place + "/nothing", code=2)[1])
        self.assertIn("directory", self.analyze(self.place, code=2)[1])

    def test_what_follows_dashes_is_the_file(self):
        self.file(pcap([*SYMMETRIC, LATER]), "--host")
        here = os.getcwd()
        self.addCleanup(os.chdir, here)
        os.chdir(self.place)
        self.assertEqual(json.loads(self.analyze("--format", "json", "--", "--host")[0])["source"], "--host")
        self.assertIn("live: No such file", self.analyze("--", "live", code=2)[1])
        self.assertIn("file is required", self.analyze("--", code=2)[1])
        self.assertIn("nothing may follow --, such as 'b'", self.analyze("a", "--", "b", code=2)[1])
        self.assertIn("a: No such file", self.analyze("a", "--", code=2)[1])

    def test_json_is_one_document_also_then(self):
        bad = (([self.place + "/nothing"], "No such file"), ([self.place], "directory"),
               ([self.file(b"GIF89a...", "picture")], "neither a pcap nor a pcapng"), (["-"], "empty"),
               ([self.file(pcap(SYMMETRIC)), "--host", "stun.lab"], "not an IP address"))
        for arguments, says in bad:
            out, err = self.analyze(*arguments, "--format", "json", code=2, stdin=b"")
            self.assertEqual(set(json.loads(out)), {"format_version", "error"})
            self.assertEqual(json.loads(out)["error"]["exit_code"], 2)
            for text in (json.loads(out)["error"]["message"], err):
                self.assertIn(says, text)
            self.assertEqual(self.analyze(*arguments, code=2, stdin=b"")[0], "")

    def test_output_that_cannot_be_written(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([HOST, "capture", "analyze", self.file(pcap([*SYMMETRIC, LATER]))], stdout=full,
                                  stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 4)
        self.assertIn("standard output", done.stderr)

    def test_nothing_that_is_understood(self):
        for content in (pcap([]), b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\1\0\0\0" + b"\xff" * 8 + b"\x1c\0\0\0"):
            text, _ = self.analyze(self.file(content), code=3)
            self.assertIn(": 0 packets, ", text)
            self.assertIn("there is no packet in it", text)
            self.assertIn("no packet", self.analyze(self.file(content), "--format", "svg", code=3)[0])
            document = json.loads(self.analyze(self.file(content), "--format", "json", code=3)[0])
            self.assertIn("there is no packet in it", document["remarks"][0])
        self.analyze(self.file(pcap([(0, b"\x00" * 40)], link_type=147)), code=3)


    def test_times_that_cannot_be(self):
        """As in files that lie: the first second of all, now, the last second of all, now."""
        wild = [(milliseconds - 1_700_000_000_000, udp(CLIENT, SERVER, stun(BINDING, 1)))
                for milliseconds in (1000, 1_700_000_000_000, 0xFFFFFFFF * 1000, 1_700_000_000_000)]
        text, _ = self.analyze(self.file(pcap(wild)))
        self.assertIn("4 packets in a time that cannot be told", text)
        self.assertIn("its clock jumps", text.replace("\n", " "))
        self.assertNotRegex(text, r"\d{6}\.\d{3}")
        self.assertIsNone(self.document(self.file(pcap(wild)))["duration_ms"])


class Formats(Case):
    def test_console_fits_the_width(self):
        path = self.file(pcap([*SYMMETRIC, *SILENT, LATER]))
        for columns in ("24", "34", "50", "60", "80", "132"):
            text, _ = self.analyze(path, code=1, COLUMNS=columns, LC_ALL="C.UTF-8")
            self.assertLessEqual(max(map(len, text.splitlines())), int(columns), text)
            # As a ladder where there is room for one, as a list otherwise.
            self.assertEqual("\u25b6" in text, int(columns) >= 50, text)
            self.assertEqual("you > STUN 1" in text, int(columns) < 50, text)
        text, _ = self.analyze(path, code=1, LC_ALL="C")
        self.assertTrue(text.isascii())
        for words in ("you", "STUN 1", "NO REPLY", "x2", "explain capture.no-reply"):
            self.assertIn(words, text)

    def test_drawings(self):
        path = self.file(pcap([*SYMMETRIC, LATER]))
        drawing = xml.etree.ElementTree.fromstring(self.analyze(path, "--format", "svg")[0])
        self.assertTrue(drawing.tag.endswith("svg"))
        diagram, _ = self.analyze(path, "--format", "mermaid")
        self.assertTrue(diagram.startswith("sequenceDiagram\n"))
        self.assertIn("c0->>", diagram)

    def test_every_code_has_its_page(self):
        done = subprocess.run([HOST, "explain", "capture.mapping-changed"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("symmetric", done.stdout)


@unittest.skipUnless(shutil.which("tshark"), "tshark is not installed: nobody else reads what we write")
class Tshark(Case):
    def fields(self, path, *names):
        arguments = [word for name in names for word in ("-e", name)]
        done = subprocess.run(["tshark", "-r", path, "-Y", "stun", "-T", "fields", *arguments], capture_output=True,
                              text=True, check=True)
        return [line.split("\t") for line in done.stdout.splitlines()]

    def test_it_agrees(self):
        path = self.file(pcap([*SYMMETRIC, *SILENT, LATER]))
        written = os.path.join(self.place, "written.pcapng")
        subprocess.run([CONVERT, path, written], check=True)
        theirs = self.fields(written, "frame.number", "stun.att.ipv4-xord", "stun.att.ipv4", "stun.response-to",
                             "frame.comment", "stun.id")
        self.assertEqual(len(theirs), 6)
        self.assertEqual(theirs[0][4], "packet 1 of the original")
        document = self.document(written, code=1)
        ours = {message["packet"]: message for message in document["messages"]}
        packet_of = {message["number"]: message["packet"] for message in document["messages"]}
        answers = 0
        for number, _, mapped, response_to, _, _ in theirs:
            message = ours.get(int(number))
            if message is None:  # a retransmission, which is one row with the first
                self.assertEqual(number, "2")
                continue
            if mapped:
                self.assertIn("mapped " + mapped, message["text"])
            if response_to:
                answers += 1
                self.assertEqual(packet_of[message["answers"]], int(response_to))
        self.assertEqual(answers, 2)
        # Of the same file as it was, the same comes out, except for the comments.
        before = self.document(path, code=1)["messages"]
        self.assertEqual([{**message, "comment": None} for message in document["messages"]], before)

    def test_it_agrees_about_fragments(self):
        asked = fragments(udp(CLIENT, SERVER, stun(BINDING, 1, filler=2000)), 7, 640)
        answered = fragments(udp(SERVER, CLIENT, stun(SUCCESS, 1, ("11.22.33.7", 40000), filler=2000)), 7, 1024)
        lost = fragments(udp(CLIENT, SERVER, stun(BINDING, 2, filler=2000)), 8, 640)
        packets = [*reversed(asked), *answered, *lost[:2]]
        path = self.file(pcap([*((10 * number, packet) for number, packet in enumerate(packets)), LATER]))
        theirs = self.fields(path, "frame.number", "stun.type", "stun.att.ipv4", "ip.fragment.count")
        self.assertEqual([line[0] for line in theirs], [str(len(asked)), str(len(asked) + len(answered))])
        self.assertEqual([int(line[3]) for line in theirs], [len(asked), len(answered)])
        document = self.document(path)
        whole = [message for message in document["messages"] if "incomplete" not in message["text"]
                 and message["protocol"] == "STUN"]
        self.assertEqual([str(message["packet"]) for message in whole], [line[0] for line in theirs])
        self.assertIn("mapped " + theirs[1][2], whole[1]["text"])
        # What tshark never puts together is here too what it is: a request that is not all there.
        rest = [message["text"] for message in document["messages"] if "incomplete" in message["text"]]
        self.assertEqual(rest, ["Binding request (incomplete)"])
        self.assertTrue(any("never complete" in remark for remark in document["remarks"]), document["remarks"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
