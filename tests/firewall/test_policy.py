"""Rules of `ip rule`: what the kernel does with a packet under them, and what the evaluator says of it.

    test_policy.py PROGRAM

Each case is put to both. No definite verdict may be wrong, and each says what is written beside it.
"""
import dataclasses
import sys
import unittest

import kernel
from cases import chain, nft
from evaluator import Evaluator, packet_in, wrong
from kernel import BEHIND, HOST, HOST6, HOST_OTHER, PEER, PEER6

PROGRAM = None
# Comes by the default route only.
STRANGER, STRANGER6 = "192.0.2.7", "2001:db8::7"

SILENCE = {"delivered": None, "answer": None}
ANSWERED = {"delivered": 4000, "answer": "reply"}
UNANSWERED = {"delivered": 4000, "answer": None}

DEFAULT = f"route add default via {PEER} dev vb"
DEFAULT6 = f"-6 route add default via {PEER6} dev vb"
MOVED = "rule add pref 100 lookup local\nrule del pref 0"
MOVED6 = "-6 rule add pref 100 lookup local\n-6 rule del pref 0"
# What wg-quick makes of AllowedIPs = 0.0.0.0/0; the tunnel is the link vc here.
TUNNEL = (f"route add default via {BEHIND} dev vc table 51820\n"
          "rule add not fwmark 51820 table 51820\nrule add table main suppress_prefixlength 0")
TUNNEL6 = ("-6 route add default dev vc table 51820\n"
           "-6 rule add not fwmark 51820 table 51820\n-6 rule add table main suppress_prefixlength 0")
WG_QUICK, WG_QUICK6 = f"{DEFAULT}\n{TUNNEL}", f"{DEFAULT6}\n{TUNNEL6}"
WG_PREMANGLE = chain("meta l4proto udp meta mark set 51820", hook="prerouting", table="wg", priority=-150)
TAILSCALE = "\n".join(f"{six}rule add pref {pref} {rule}" for six in ("", "-6 ") for pref, rule in (
    (5210, "fwmark 0x80000/0xff0000 lookup main"), (5230, "fwmark 0x80000/0xff0000 lookup default"),
    (5250, "fwmark 0x80000/0xff0000 unreachable"), (5270, "lookup 52")))
TAILSCALE_PEERS = "route add 100.64.0.0/10 dev vc table 52\nroute add throw 127.0.0.0/8 table 52"
FORWARDING = ("sysctl", "net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")


@dataclasses.dataclass
class Case:
    name: str
    ip: str
    kernel: dict
    # What is said of the first packet, and of the port with all that must follow.
    verdict: str
    port: str
    probe: dict = dataclasses.field(default_factory=dict)
    also: list = dataclasses.field(default_factory=list)
    # A part of the reason.
    why: str = ""
    # The peer has to ask for the host's address first.
    by_arp: bool = False


def of(source=PEER, to=HOST, protocol="udp", port=4000, **more):
    return {"source": source, "to": to, "protocol": protocol, "port": port, **more}


def six(source=PEER6, to=HOST6, **more):
    return of(source, to, **more)


def mark(number, match="udp dport 4000"):
    return nft(chain(f"{match} meta mark set {number}", hook="prerouting", table="m", priority=-150))


CASES = [
    Case("wg-quick: who is on the link is answered by it", WG_QUICK, ANSWERED, "accept", "accept"),
    Case("wg-quick: and by TCP", WG_QUICK, ANSWERED, "accept", "accept", of(protocol="tcp")),
    Case("wg-quick: a stranger's packet comes in, and the answer goes into the tunnel", WG_QUICK, UNANSWERED, "accept",
         "undecided", of(STRANGER), why="leaves by vc"),
    Case("wg-quick: where strict filtering drops the packet", WG_QUICK, SILENCE, "drop", "undecided", of(STRANGER),
         [("sysctl", "net.ipv4.conf.vb.rp_filter=1")]),
    Case("wg-quick: unless its mark says that it is the tunnel's own", WG_QUICK, UNANSWERED, "accept", "undecided",
         of(STRANGER), [("sysctl", "net.ipv4.conf.vb.rp_filter=1 net.ipv4.conf.all.src_valid_mark=1"), *nft(WG_PREMANGLE)]),
    Case("wg-quick: a mark that is not asked for does not help", WG_QUICK, SILENCE, "drop", "undecided",
         of(STRANGER), [("sysctl", "net.ipv4.conf.vb.rp_filter=1"), *nft(WG_PREMANGLE)]),
    Case("wg-quick: loose filtering is content", WG_QUICK, UNANSWERED, "accept", "undecided", of(STRANGER),
         [("sysctl", "net.ipv4.conf.all.rp_filter=2")]),
    Case("wg-quick by IPv6, on the link", WG_QUICK6, ANSWERED, "accept", "accept", six()),
    Case("wg-quick by IPv6, a stranger", WG_QUICK6, UNANSWERED, "accept", "undecided", six(STRANGER6), why="leaves by vc"),
    Case("wg-quick for IPv4 leaves IPv6 as it is", f"{WG_QUICK}\n{DEFAULT6}", ANSWERED, "accept", "accept",
         six(STRANGER6)),

    Case("tailscale: a stranger is answered as ever", f"{DEFAULT}\n{TAILSCALE}\n{TAILSCALE_PEERS}", ANSWERED, "accept",
         "accept", of(STRANGER)),
    Case("tailscale: and by TCP", f"{DEFAULT}\n{TAILSCALE}\n{TAILSCALE_PEERS}", ANSWERED, "accept", "accept",
         of(STRANGER, protocol="tcp")),
    Case("tailscale: and by IPv6", f"{DEFAULT6}\n{TAILSCALE}", ANSWERED, "accept", "accept", six(STRANGER6)),
    Case("tailscale: an empty table is passed over", f"{DEFAULT}\n{TAILSCALE}", ANSWERED, "accept", "accept",
         of(STRANGER), [("sysctl", "net.ipv4.conf.vb.rp_filter=1")]),
    Case("tailscale: one of its addresses that comes by another link", f"{DEFAULT}\n{TAILSCALE}\n{TAILSCALE_PEERS}",
         SILENCE, "drop", "undecided", of("100.64.0.9"), [("sysctl", "net.ipv4.conf.vb.rp_filter=1")]),
    Case("tailscale: its own packets are marked", f"{DEFAULT}\n{TAILSCALE}\n{TAILSCALE_PEERS}", ANSWERED, "accept",
         "accept", of(STRANGER), mark("0x80000")),
    Case("tailscale: an exit node takes the answers", f"{DEFAULT}\n{TAILSCALE}\nroute add default via {BEHIND} dev vc "
         "table 52", UNANSWERED, "accept", "undecided", of(STRANGER), why="leaves by vc"),

    Case("by the source: an address whose answers leave elsewhere",
         f"{DEFAULT}\nroute add default via {BEHIND} dev vc table 100\nrule add from {HOST_OTHER} lookup 100", UNANSWERED,
         "accept", "undecided", of(STRANGER, HOST_OTHER, "tcp"), why="leaves by vc"),
    Case("by the source: another address", f"{DEFAULT}\nroute add default via {BEHIND} dev vc table 100\n"
         f"rule add from {HOST_OTHER} lookup 100", ANSWERED, "accept", "accept", of(STRANGER, protocol="tcp")),
    Case("by the source: what makes a second link answer",
         f"route add default via {BEHIND} dev vc\nroute add default via {PEER} dev vb table 100\n"
         f"rule add from {HOST} lookup 100", ANSWERED, "accept", "accept", of(STRANGER, protocol="tcp")),
    Case("by the source: by UDP it hangs on the program, which may name its address",
         f"route add default via {BEHIND} dev vc\nroute add default via {PEER} dev vb table 100\n"
         f"rule add from {HOST} lookup 100", ANSWERED, "accept", "depends", of(STRANGER), why="if the program sends it from"),
    Case("by the source: or may not",
         f"route add default via {BEHIND} dev vc\nroute add default via {PEER} dev vb table 100\n"
         f"rule add from {HOST} lookup 100", UNANSWERED, "accept", "depends", of(STRANGER, plainly=True)),
    Case("by the source: strict filtering looks the same way back",
         f"route add default via {BEHIND} dev vc\nroute add default via {PEER} dev vb table 100\n"
         f"rule add from {HOST} lookup 100", ANSWERED, "accept", "accept", of(STRANGER, protocol="tcp"),
         [("sysctl", "net.ipv4.conf.vb.rp_filter=1")]),
    Case("by the source, by IPv6", f"-6 route add default dev vc\n-6 route add default via {PEER6} dev vb table 100\n"
         f"-6 rule add from {HOST6} lookup 100", ANSWERED, "accept", "accept", six(STRANGER6, protocol="tcp")),

    Case("a port that is blackholed behind the table local comes in", f"{DEFAULT}\nrule add dport 4000 blackhole", ANSWERED,
         "accept", "accept"),
    Case("and does not before it", f"{MOVED}\nrule add pref 50 dport 4000 blackhole", SILENCE, "drop", "drop",
         why="dport 4000 blackhole"),
    Case("another port does", f"{MOVED}\nrule add pref 50 dport 4000 blackhole", {"delivered": 5000, "answer": "reply"},
         "accept", "accept", of(port=5000)),
    Case("another protocol does", f"{MOVED}\nrule add pref 50 ipproto tcp dport 4000 blackhole", ANSWERED, "accept",
         "accept"),
    Case("by IPv6 as well", f"{MOVED6}\n-6 rule add pref 50 dport 3900-4100 blackhole", SILENCE, "drop", "drop", six()),
    Case("answers from a port that is blackholed do not leave", f"{DEFAULT}\nrule add sport 4000 blackhole", UNANSWERED,
         "accept", "drop", why="sport 4000 blackhole"),
    Case("nor by TCP", f"{DEFAULT}\nrule add sport 4000 prohibit", SILENCE, "accept", "drop", of(protocol="tcp")),
    Case("nor by IPv6", "-6 rule add sport 4000 unreachable", UNANSWERED, "accept", "drop", six()),
    Case("nor to a sender whom a rule shuts out", f"rule add to {PEER} prohibit", UNANSWERED, "accept", "drop"),
    Case("whom strict filtering then does not believe", f"rule add to {PEER} prohibit", SILENCE, "drop", "undecided", of(),
         [("sysctl", "net.ipv4.conf.vb.rp_filter=1")]),
    Case("a route that blackholes in a table of a rule", f"route add blackhole {PEER} table 7\nrule add lookup 7",
         UNANSWERED, "accept", "drop"),
    Case("a blackhole is not suppressed", f"route add blackhole default table 7\nrule add lookup 7 suppress_prefixlength 0",
         UNANSWERED, "accept", "drop"),
    Case("a thrown route is none", f"route add throw {PEER} table 7\nroute add blackhole default table 7\nrule add lookup 7",
         ANSWERED, "accept", "accept"),

    Case("a refusal is told where packets are forwarded", f"{MOVED}\nrule add pref 50 dport 4000 prohibit",
         {"delivered": None, "answer": "admin-prohibited"}, "reject", "reject", of(), [FORWARDING]),
    Case("as is unreachable", f"{MOVED}\nrule add pref 50 dport 4000 unreachable",
         {"delivered": None, "answer": "net-unreachable"}, "reject", "reject", of(), [FORWARDING]),
    Case("and else is not", f"{MOVED}\nrule add pref 50 dport 4000 prohibit", SILENCE, "drop", "drop"),
    Case("by IPv6 it is told anyway", f"{MOVED6}\n-6 rule add pref 50 dport 4000 prohibit",
         {"delivered": None, "answer": "admin-prohibited"}, "reject", "reject", six()),
    Case("and unreachable", f"{MOVED6}\n-6 rule add pref 50 dport 4000 unreachable",
         {"delivered": None, "answer": "no-route"}, "reject", "reject", six()),

    Case("the table local behind main", "rule add pref 40000 lookup local\nrule del pref 0", SILENCE, "drop", "drop"),
    Case("and by IPv6", "-6 rule add pref 40000 lookup local\n-6 rule del pref 0", SILENCE, "drop", "drop", six()),
    Case("no table local at all", "rule del pref 0", SILENCE, "drop", "drop"),
    Case("moved, with nothing before it", MOVED, ANSWERED, "accept", "accept"),
    Case("moved by IPv6", MOVED6, ANSWERED, "accept", "accept", six()),

    Case("a mark of a rule in mangle", f"{MOVED}\nrule add pref 50 fwmark 7 blackhole", SILENCE, "drop", "drop", of(),
         mark(7)),
    Case("and what it does not mark", f"{MOVED}\nrule add pref 50 fwmark 7 blackhole",
         {"delivered": 5000, "answer": "reply"}, "accept", "accept", of(port=5000), mark(7)),
    Case("a mark by its mask", f"{MOVED}\nrule add pref 50 fwmark 0x10/0xf0 blackhole", SILENCE, "drop", "drop", of(),
         mark("0x712")),
    Case("a mark that misses it", f"{MOVED}\nrule add pref 50 fwmark 0x10/0xf0 blackhole", ANSWERED, "accept", "accept",
         of(), mark("0x702")),
    Case("an inverted one", f"{MOVED}\nrule add pref 50 not fwmark 7 blackhole", UNANSWERED, "accept", "drop", of(),
         # The answer has no mark.
         mark(7), why="no answer"),
    Case("a mark that sends to this machine what is another's",
         "rule add fwmark 1 lookup 100\nroute add local default dev lo table 100", ANSWERED, "accept", "accept",
         of(to=BEHIND), mark(1)),
    Case("a mark by iptables", f"{MOVED}\nrule add pref 50 fwmark 7 blackhole", SILENCE, "drop", "drop", of(),
         [("iptables-legacy", "*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p udp -j MARK --set-mark 7\nCOMMIT\n")]),

    Case("by the link it comes in by", f"{MOVED}\nrule add pref 50 iif vb blackhole", SILENCE, "drop", "drop"),
    Case("by another", f"{MOVED}\nrule add pref 50 iif vc blackhole", ANSWERED, "accept", "accept"),
    Case("by one that is not there", f"{MOVED}\nrule add pref 50 iif gone blackhole", ANSWERED, "accept", "accept"),
    Case("answers come from lo", "rule add iif lo blackhole", UNANSWERED, "accept", "drop"),
    Case("and what is checked goes there", "rule add iif lo blackhole", SILENCE, "drop", "undecided", of(),
         [("sysctl", "net.ipv4.conf.vb.rp_filter=1")]),
    Case("by the sender", f"{MOVED}\nrule add pref 50 from 10.9.0.0/28 to {HOST} blackhole", SILENCE, "drop", "drop"),
    Case("by another sender", f"{MOVED}\nrule add pref 50 from 10.9.0.128/28 blackhole", ANSWERED, "accept", "accept"),
    Case("goto leaves rules out", f"{MOVED}\nrule add pref 50 goto 100\nrule add pref 60 blackhole", ANSWERED, "accept",
         "accept"),
    Case("goto without an end goes on", f"{MOVED}\nrule add pref 50 goto 70\nrule add pref 60 blackhole", SILENCE, "drop",
         "drop"),
    Case("nop does nothing", f"{MOVED}\nrule add pref 50 nop", ANSWERED, "accept", "accept"),

    # To rules ARP is a packet without protocol, ports and mark.
    Case("ARP with nothing in its way", f"{MOVED}\nrule add pref 50 ipproto tcp blackhole", ANSWERED, "accept", "accept",
         by_arp=True),
    Case("ARP has no ports", f"{MOVED}\nrule add pref 50 dport 1-3999 blackhole", ANSWERED, "accept", "accept", by_arp=True),
    Case("nor a sender's port", f"{MOVED}\nrule add pref 50 sport 8000-9000 blackhole", ANSWERED, "accept", "accept",
         by_arp=True),
    Case("ARP that a rule against all but UDP stops", f"{MOVED}\nrule add pref 50 not ipproto udp blackhole", SILENCE,
         "accept", "undecided", why="ARP", by_arp=True),
    Case("ARP that strict filtering does not believe",
         f"route add default dev vc table 7\nrule add to 10.9.0.0/24 not ipproto udp lookup 7", SILENCE, "accept",
         "undecided", of(), [("sysctl", "net.ipv4.conf.vb.rp_filter=1")], "ARP", True),

    Case("arp_filter, where the way back is this link", DEFAULT, ANSWERED, "accept", "accept", of(),
         [("sysctl", "net.ipv4.conf.all.arp_filter=1")], by_arp=True),
    Case("arp_filter, where it is another", f"{DEFAULT}\nroute add {PEER}/32 dev vc", SILENCE, "accept", "undecided", of(),
         [("sysctl", "net.ipv4.conf.vb.arp_filter=1")], "leaves by vc", True),
    Case("without it that matters to the answer alone", f"{DEFAULT}\nroute add {PEER}/32 dev vc", UNANSWERED, "accept", "undecided",
         of(), why="leaves by vc", by_arp=True),

    # What is asked beyond that leaves open what hangs on it, and nothing else.
    Case("a rule for users that comes too late", "rule add uidrange 0-0 blackhole", UNANSWERED, "accept", "undecided",
         of(), why="uidrange"),
    Case("a rule for users that changes nothing", "rule add uidrange 0-0 lookup main", ANSWERED, "accept", "accept"),
    Case("a rule for users before the table local", f"{MOVED}\nrule add pref 50 uidrange 0-0 blackhole", SILENCE,
         "undecided", "undecided", of(), why="uidrange"),
    Case("a type of service", f"{MOVED}\nrule add pref 50 tos 0x10 blackhole", ANSWERED, "undecided", "undecided", of(),
         why="tos"),
    Case("a tunnel's number", f"{MOVED}\nrule add pref 50 tun_id 9 blackhole", ANSWERED, "undecided", "undecided", of(),
         why="tun_id"),
    Case("virtual routing domains", f"{MOVED}\nrule add pref 50 l3mdev", ANSWERED, "undecided", "undecided", of(),
         why="l3mdev"),
    Case("the other family has nothing to do with it", f"{MOVED}\nrule add pref 50 tun_id 9 blackhole", ANSWERED,
         "accept", "accept", six()),
]


def measure(case):
    with kernel.Network() as network:
        network.load([("ip", case.ip), *case.also])
        if case.by_arp:
            with network.on(network.peer):
                kernel.run(["ip", "neigh", "del", case.probe.get("to", HOST), "dev", "va"])
        recorded = network.record()
        recorded["world"]["links"] = network.links(PROGRAM)
        return recorded, network.probe(**case.probe)


class Cases(unittest.TestCase):
    def test_each(self):
        with Evaluator(PROGRAM) as evaluator:
            for case, (recorded, happened) in zip(CASES, kernel.each(measure, CASES)):
                with self.subTest(case.name):
                    self.assertEqual(happened, case.kernel)
                    packet = packet_in(**{name: value for name, value in case.probe.items() if name != "plainly"})
                    said = evaluator.ask(recorded, packet)
                    self.assertEqual(said["kind"], case.verdict, said)
                    # By TCP nothing comes of a first packet whose answer does not leave, and without an answer to its
                    # ARP the peer sends none.
                    if not case.by_arp and case.probe.get("protocol") != "tcp":
                        self.assertIsNone(wrong(said, happened), said)
                    of_port = evaluator.ask(recorded, packet, "port")
                    self.assertEqual(of_port["kind"], case.port, of_port)
                    self.assertIn(case.why, of_port["why"])
                    if of_port["kind"] == "accept":
                        self.assertEqual(happened["answer"], "reply")
                    if of_port["kind"] == "drop":
                        self.assertIsNone(happened["answer"])


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    kernel.main()
