"""What Linux does, case by case: a ruleset, a probe, what becomes of it, and so what an evaluator must say.

test_kernel.py holds the kernel to it, test_evaluator.py the evaluator. The rows are numbered as behaviours, since several
cases show one together.
"""
import dataclasses

from kernel import BEHIND, HOST6, HOST_BEHIND, PEER6

SILENCE = {"delivered": None, "answer": None}
V6 = {"to": HOST6, "source": PEER6}
TCP = {"protocol": "tcp"}


def delivered(port=4000):
    return {"delivered": port, "answer": "reply"}


def refused(how="port-unreachable"):
    return {"delivered": None, "answer": how}


@dataclasses.dataclass
class Case:
    row: int
    name: str
    # As Network.load takes it.
    ruleset: list
    # What the kernel does with a first packet from outside; "delivered": to a port here, or forwarded to an address.
    kernel: dict
    # What the evaluator must say of this packet: accept, reject, drop, depends, undecided.
    verdict: str
    probe: dict = dataclasses.field(default_factory=dict)
    # What it must say of the port, where that is something else: reply-only.
    port_verdict: str = None
    # None: those of Network.
    listeners: list = None


def nft(text):
    return [("nft", text)]


def chain(rules, policy="accept", family="inet", table="t", name="input", hook="input", priority=0, kind="filter"):
    """A table with one base chain."""
    return (f"table {family} {table} {{\n chain {name} {{\n  type {kind} hook {hook} priority {priority}; "
            f"policy {policy};\n  {rules}\n }}\n}}\n")


def legacy(rules, tool="iptables-legacy", table="filter"):
    return (tool, f"*{table}\n{rules}\nCOMMIT\n")


ACCEPT_4000 = "udp dport 4000 accept"

CASES = [
    Case(1, "accept is final for its own base chain alone",
         nft(chain("accept", table="a", priority=-10) + chain("", "drop", table="b", priority=10)), SILENCE, "drop"),
    Case(2, "tables of family ip and inet share a hook",
         nft(chain("accept", family="ip", table="a") + chain("", "drop", table="b")), SILENCE, "drop"),
    Case(2, "and the other way round",
         nft(chain("accept", table="a") + chain("", "drop", family="ip", table="b")), SILENCE, "drop"),
    Case(3, "an early drop is not undone by a late accept",
         nft(chain("drop", table="a", priority=-10) + chain("accept", table="b", priority=10)), SILENCE, "drop"),

    Case(4, "jump comes back behind itself",
         nft("table inet t {\n chain c { udp dport 1 drop; return; }\n chain input {\n"
             "  type filter hook input priority 0; policy drop;\n  jump c\n  accept\n }\n}\n"), delivered(), "accept"),
    Case(4, "goto from a base chain comes back to its policy",
         nft("table inet t {\n chain c { return; }\n chain input {\n"
             "  type filter hook input priority 0; policy drop;\n  goto c\n  accept\n }\n}\n"), SILENCE, "drop"),
    Case(4, "goto below a jump comes back to where the jump stood",
         nft("table inet t {\n chain r { return; }\n chain m { goto r; drop; }\n chain input {\n"
             "  type filter hook input priority 0; policy drop;\n  jump m\n  accept\n }\n}\n"), delivered(), "accept"),
    Case(4, "return in a base chain is its policy",
         nft(chain("return; accept", "drop")), SILENCE, "drop"),

    Case(5, "reject looks like a closed port", nft(chain("udp dport 4000 reject")), refused(), "reject"),
    Case(5, "reject says what it was told to say",
         nft(chain("udp dport 4000 reject with icmpx admin-prohibited")), refused("admin-prohibited"), "reject"),
    Case(5, "the same for IPv6", nft(chain("udp dport 4000 reject with icmpx admin-prohibited")),
         refused("admin-prohibited"), "reject", V6),
    Case(5, "reject by reset", nft(chain("tcp dport 4000 reject with tcp reset")), refused("tcp reset"), "reject", TCP),
    Case(5, "reject of TCP by ICMP", nft(chain("tcp dport 4000 reject with icmp host-prohibited")),
         refused("host-prohibited"), "reject", TCP),
    Case(5, "drop is silence", nft(chain("udp dport 4000 drop")), SILENCE, "drop"),

    Case(6, "a drop in prerouting comes before any accept in input",
         nft(chain("udp dport 4000 drop", table="a", hook="prerouting", priority=-300) + chain("accept", table="b")),
         SILENCE, "drop"),
    Case(6, "so does one at the device",
         nft("table netdev a {\n chain i {\n  type filter hook ingress device vb priority 0; policy accept;\n"
             "  udp dport 4000 drop\n }\n}\n" + chain("accept", table="b")), SILENCE, "drop"),
    Case(6, "and one of family inet at the device",
         nft("table inet a {\n chain i {\n  type filter hook ingress device vb priority 0; policy accept;\n"
             "  udp dport 4000 drop\n }\n}\n" + chain("accept", table="b")), SILENCE, "drop"),
    Case(6, "but not at another device",
         nft("table netdev a {\n chain i {\n  type filter hook ingress device vc priority 0; policy drop;\n }\n}\n"),
         delivered(), "accept"),

    Case(7, "a table for IPv4 shuts IPv4", nft(chain("", "drop", family="ip")), SILENCE, "drop"),
    Case(7, "and leaves IPv6 open", nft(chain("", "drop", family="ip")), delivered(), "accept", V6),
    Case(7, "a table for IPv6 shuts IPv6", nft(chain("", "drop", family="ip6")), SILENCE, "drop", V6),
    Case(7, "and leaves IPv4 open", nft(chain("", "drop", family="ip6")), delivered(), "accept"),

    Case(8, "input does not see the port that was asked",
         nft(chain("udp dport 4000 redirect to :5000", table="n", hook="prerouting", priority=-100, kind="nat")
             + chain("udp dport 4000 accept", "drop")), SILENCE, "drop", port_verdict="reply-only"),
    Case(8, "it sees the port after the redirection",
         nft(chain("udp dport 4000 redirect to :5000", table="n", hook="prerouting", priority=-100, kind="nat")
             + chain("udp dport 5000 accept", "drop")), delivered(5000), "accept"),

    Case(8, "redirected to another host, it passes forward and never input",
         [("sysctl", "net.ipv4.ip_forward=1"),
          *nft(chain(f"udp dport 4000 dnat ip to {BEHIND}:4001", table="n", hook="prerouting", priority=-100, kind="nat")
               + chain("", "drop"))], {"delivered": f"{BEHIND} 4001", "answer": None}, "accept"),
    Case(8, "which may drop it",
         [("sysctl", "net.ipv4.ip_forward=1"),
          *nft(chain(f"udp dport 4000 dnat ip to {BEHIND}:4001", table="n", hook="prerouting", priority=-100, kind="nat")
               + chain("udp dport 4001 drop", hook="forward", name="forward"))], SILENCE, "drop",
         port_verdict="reply-only"),
    Case(8, "and a host that forwards nothing drops it",
         nft(chain(f"udp dport 4000 dnat ip to {BEHIND}:4001", table="n", hook="prerouting", priority=-100, kind="nat")),
         SILENCE, "drop", port_verdict="reply-only"),

    Case(9, "a legacy table drops what nft accepts",
         [*nft(chain("accept")), legacy(":INPUT ACCEPT [0:0]\n-A INPUT -p udp --dport 4000 -j DROP")], SILENCE, "drop"),
    Case(9, "the same for IPv6",
         [*nft(chain("accept")), legacy(":INPUT DROP [0:0]", "ip6tables-legacy")], SILENCE, "drop", V6),

    Case(10, "of chains with equal priority the one that was made last runs first",
         nft(chain("reject", table="a") + chain("drop", table="b")), SILENCE, "undecided"),
    Case(10, "so that the same rules refuse when they were loaded the other way round",
         nft(chain("drop", table="b") + chain("reject", table="a")), refused(), "undecided"),
    Case(10, "what is blocked by one of them is blocked in either order",
         nft(chain("drop", table="b") + chain("accept", table="a")), SILENCE, "drop"),

    Case(11, "a dormant table does nothing",
         nft("table inet t {\n flags dormant\n chain input {\n  type filter hook input priority 0; policy drop;\n }\n}\n"),
         delivered(), "accept"),
    Case(11, "and an awake one beside it does",
         nft("table inet t {\n flags dormant\n chain input {\n  type filter hook input priority 0; policy accept;\n }\n}\n"
             + chain("", "drop", table="awake")), SILENCE, "drop"),

    Case(12, "a mark is seen by later chains",
         nft(chain("udp dport 4000 meta mark set 7", hook="prerouting", table="m", priority=-150)
             + chain("meta mark 7 accept", "drop")), delivered(), "accept"),
    Case(12, "an nft chain sees the mark of a legacy one",
         [*nft(chain("meta mark 7 accept", "drop")),
          legacy(":PREROUTING ACCEPT [0:0]\n-A PREROUTING -p udp -j MARK --set-mark 7", table="mangle")],
         delivered(), "accept"),

    Case(13, "what is not tracked is not new",
         nft(chain("udp dport 4000 notrack", hook="prerouting", table="r", priority=-300)
             + chain("ct state new,established accept", "drop")), SILENCE, "drop"),
    Case(13, "but untracked",
         nft(chain("udp dport 4000 notrack", hook="prerouting", table="r", priority=-300)
             + chain("ct state untracked accept", "drop")), delivered(), "accept"),

    Case(14, "nothing comes in unasked", nft(chain("ct state established accept", "drop")), SILENCE, "drop", port_verdict="reply-only"),

    Case(15, "a miss in a verdict map ends the rule",
         nft(chain("udp dport vmap { 1 : accept } drop")), delivered(), "accept"),
    Case(15, "a hit with continue goes on in it",
         nft(chain("udp dport vmap { 4000 : continue } drop")), SILENCE, "drop"),
    Case(15, "a hit with another verdict does not",
         nft(chain("udp dport vmap { 4000 : accept } drop", "drop")), delivered(), "accept"),

    Case(16, "the first packet is within the limit",
         nft(chain("udp dport 4000 limit rate 1/minute burst 1 packets accept", "drop")), delivered(), "depends"),

    Case(17, "iif means the interface of this index",
         nft(chain('iif "vb" accept', "drop")), delivered(), "accept"),
    Case(17, "iifname the interface of this name", nft(chain('iifname "vb" accept', "drop")), delivered(), "accept"),

    Case(18, "nobody listens", [], refused(), "accept", listeners=[]),
    Case(18, "nobody listens, by TCP", [], refused("tcp reset"), "accept", TCP, listeners=[]),
    Case(18, "somebody listens on the loopback address alone", [], refused(), "accept",
         listeners=[("127.0.0.1", 4000)]),

    Case(19, "strict reverse path filtering, from the right side",
         [("sysctl", "net.ipv4.conf.vb.rp_filter=1")], delivered(), "accept"),
    Case(19, "strict reverse path filtering, a source that belongs elsewhere",
         [("sysctl", "net.ipv4.conf.vb.rp_filter=1")], SILENCE, "drop", {"source": "10.8.0.77"},
         # A socket that is connected remembers the way of the answers, and the kernel then asks no more.
         port_verdict="undecided"),
    Case(19, "loose reverse path filtering is content with any route",
         [("sysctl", "net.ipv4.conf.vb.rp_filter=2")], {"delivered": 4000, "answer": None}, "accept",
         {"source": "10.8.0.77"}),
    Case(19, "loose reverse path filtering, no route at all",
         [("sysctl", "net.ipv4.conf.vb.rp_filter=2")], SILENCE, "drop", {"source": "192.0.2.77"},
         port_verdict="undecided"),
    Case(19, "an address of another interface is this host's too",
         [], delivered(), "accept", {"to": HOST_BEHIND}),

    Case(22, "a match whose parameters the JSON loses",
         [legacy(":INPUT DROP [0:0]\n-A INPUT -p udp -m multiport --dports 4000,4001 -m conntrack --ctstate NEW "
                 "-j ACCEPT", "iptables-nft")], delivered(), "accept"),
    Case(22, "and the same that does not match",
         [legacy(":INPUT DROP [0:0]\n-A INPUT -p udp -m multiport --dports 4001,4002 -m conntrack --ctstate NEW "
                 "-j ACCEPT", "iptables-nft")], SILENCE, "drop"),
    Case(22, "an interface by the beginning of its name",
         [legacy(":INPUT DROP [0:0]\n-A INPUT -i v+ -j ACCEPT", "iptables-nft")], delivered(), "accept"),
    Case(22, "a target whose parameters the JSON loses",
         [legacy(":INPUT ACCEPT [0:0]\n-A INPUT -p udp -j REJECT --reject-with icmp-host-prohibited", "iptables-nft")],
         refused("host-prohibited"), "reject"),
]
