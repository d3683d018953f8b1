"""Tables as `nft -f` reads them, drawn for a probe."""
from kernel import HOST, HOST6, HOST_OTHER, PEER, PEER6, PEER_OTHER

# Where a base chain may hang; output and postrouting see the answers alone.
_HOOKS = dict(input=58, prerouting=24, output=6, postrouting=3, forward=5, ingress=4)
_PRIORITIES = {
    "prerouting": (-300, -250, -200, -160, -150, -100, -50, 0),
    "input": (-150, -20, -10, 0, 0, 5, 10, 50),
    "forward": (-10, 0, 10), "output": (-300, -150, 0, 0, 10), "postrouting": (0, 90, 110), "ingress": (-10, 0, 10),
}
_OUT = ("output", "postrouting")
_OTHER_PORTS = (1, 22, 80, 443, 3999, 4001, 4999, 5001, 8000)
_MARKS = (1, 7, 0x10, 0x12, 0xff00)


class Table:
    """One table while it is being drawn."""

    def __init__(self, draw, probe, contact, name):
        self.draw, self.probe, self.contact, self.name = draw, probe, contact, name
        self.family = draw.weighted(**{"inet": 60, probe.family: 28, probe.other_family: 7, "netdev": 5})
        # Of the addresses in its rules; a table for the other family than the probe's can hold no others.
        self.six = self.family == "ip6" if self.family in ("ip", "ip6") else probe.six
        self.words = "ip6" if self.six else "ip"
        self.sets, self.chains = [], []
        self.names = 0
        # Of the rule that is being drawn: a rule about UDP says nothing about TCP ports.
        self.protocol = probe.protocol
        self.later = None

    def new_name(self, kind):
        self.names += 1
        return f"{kind}{self.names}"

    def text(self):
        lines = [f"table {self.family} {self.name} {{"]
        if self.draw.chance(3):
            lines.append(" flags dormant")
        return "\n".join([*lines, *self.sets, *self.chains, "}"]) + "\n"

    # ---- values

    def port(self, hit, base=None):
        return (base or self.probe.port) if hit else self.draw.choice(_OTHER_PORTS)

    def source(self, hit):
        if hit and self.six == self.probe.six:
            return self.probe.source
        return "fd09::77" if self.six else self.draw.choice([PEER, PEER_OTHER, "10.9.0.77", "192.0.2.1"])

    def to(self, hit):
        if hit and self.six == self.probe.six:
            return self.probe.to
        return "fd09::88" if self.six else self.draw.choice([HOST, HOST_OTHER, "10.9.0.88", "192.0.2.2"])

    def addresses(self, value):
        """A set literal's elements, `value` among others."""
        four = [f"{value}", "10.77.0.0/16", "192.0.2.5-192.0.2.9", "198.51.100.1"]
        six = [f"{value}", "fd77::/32", "fd00:5::1-fd00:5::9", "2001:db8::1"]
        chosen = self.draw.some((six if self.six else four)[1:], 3)
        chosen.insert(self.draw.randint(0, len(chosen)), value)
        return ", ".join(chosen)

    def ports(self, value):
        around = [str(value), f"{value}-{value + 9}", f"{max(value - 9, 1)}-{value}"]
        chosen = self.draw.some(["62000", "62030-62040", "60000-61000"], 3)
        chosen.insert(self.draw.randint(0, len(chosen)), self.draw.choice(around))
        return ", ".join(chosen)

    # ---- conditions

    def condition(self, hook):
        """Text of one condition; mostly it holds."""
        hit = self.draw.chance(70)
        kinds = dict(protocol=10, port=26, address=12, pair=8, interface=8, mark=6, raw=5, family=3, length=1, fib=4,
                     absent=1, header=3)
        if hook == "ingress":
            kinds.pop("fib")
        else:
            kinds.update(state=12, connection=4)
        return getattr(self, "_" + self.draw.weighted(**kinds))(hit, hook)

    def _protocol(self, hit, _):
        if self.protocol == "th":
            return "meta l4proto != icmp" if hit else "meta l4proto > 17"
        return self.draw.choice([f"meta l4proto {self.protocol}", "meta l4proto != icmp",
                                 f"{'ip6 nexthdr' if self.six else 'ip protocol'} {self.protocol}"])

    def _port(self, hit, hook):
        source = self.draw.chance(15)
        base = self.probe.source_port if source else None
        value, other = self.port(hit, base), self.port(not hit, base)
        key = self.key("sport" if source != (hook in _OUT) else "dport")
        return self.draw.choice([
            f"{key} {value}", f"{key} {value}", f"{key} {{ {self.ports(value)} }}", f"{key} {max(value - 1, 1)}-{value + 3}",
            f"{key} != {other}", f"{key} != {{ {self.ports(other)} }}",
            f"{key} {'>=' if hit else '<'} {value if hit else self.probe.port - 2000}",
            f"{key} @{self.named('inet_service', self.ports(value), 'flags interval;')}"])

    def key(self, field):
        return f"{self.protocol} {field}"

    def _address(self, hit, hook):
        source = self.draw.chance(60)
        value = self.source(hit) if source else self.to(hit)
        field = "saddr" if source != (hook in _OUT) else "daddr"
        key = f"{self.words} {field}"
        wide = f"{value}/{64 if self.six else 24}" if hit else f"{value}/{128 if self.six else 32}"
        kind = "ipv6_addr" if self.six else "ipv4_addr"
        return self.draw.choice([
            f"{key} {value}", f"{key} {wide}", f"{key} != {value}", f"{key} {{ {self.addresses(value)} }}",
            f"{key} != {{ {self.addresses(value)} }}",
            f"{key} @{self.named(kind, self.addresses(value), 'flags interval;')}",
            f"{key} & {'ffff::' if self.six else '255.255.0.0'} == "
            + (("fd09::" if hit else "fd10::") if self.six else ("10.9.0.0" if hit else "10.10.0.0"))])

    def _pair(self, hit, hook):
        """A concatenation."""
        out = hook in _OUT
        family, protocol = self.words, self.protocol
        kind = "ipv6_addr" if self.six else "ipv4_addr"
        address, port = self.source(hit), self.port(hit)
        net = f"{address}/{120 if self.six else 28}"
        rest = "fd77::/64 . 1-20" if self.six else "10.77.0.0/24 . 1-20"
        key = (f"{family} {'daddr' if out else 'saddr'} . {protocol} {'sport' if out else 'dport'}")
        first = self.draw.choice([f"{address} . {port}", f"{net} . {port}", f"{address} . {max(port - 5, 1)}-{port + 5}"])
        exact = f"{address} . {port}"
        if self.protocol == "th":
            return self.draw.choice([f"{key} {{ {exact} }}", f"{key} != {{ {exact} }}"])
        return self.draw.choice([
            f"{key} {{ {first}, {rest} }}", f"{key} {{ {exact} }}", f"{key} != {{ {exact} }}",
            f"{key} @{self.named(f'{kind} . inet_service', f'{first}, {rest}', 'flags interval;')}",
            f"meta l4proto . th {'sport' if out else 'dport'} {{ {protocol} . {port}, icmp . 1 }}"])

    def _interface(self, hit, hook):
        if hook in _OUT:
            key, name = self.draw.choice(["oifname", "oif"]), "vb" if hit else "lo"
        else:
            key, name = self.draw.choice(["iifname", "iifname", "iif"]), "vb" if hit else self.draw.choice(["vc", "lo"])
        if key.endswith("name"):
            return self.draw.choice([f'{key} "{name}"', f'{key} != "{name}"', f'{key} "v*"', f'{key} "eth*"',
                                     f'{key} {{ "{name}", "eth7" }}',
                                     f'{key} @{self.named("ifname", chr(34) + name + chr(34) + ", " + chr(34) + "eth7" + chr(34))}'])
        return self.draw.choice([f'{key} "{name}"', f'{key} != "{name}"', f'{key} {{ "{name}", "lo" }}'])

    def _mark(self, hit, _):
        value = 0 if hit and self.draw.chance(50) else self.draw.choice(_MARKS)
        return self.draw.choice([f"meta mark {value}", f"meta mark != {value}", f"meta mark & 0xf == {value & 15}",
                                 f"meta mark and 0x10 == 0x10", f"meta mark {{ {value}, 99 }}",
                                 f"meta mark < {value + 1}"])

    def _state(self, hit, _):
        if hit:
            return self.draw.choice(["ct state new", "ct state { new, established }", "ct state new,established",
                                     "ct state != established", "ct state & (new | related) != 0",
                                     "ct state != invalid", "ct state { new, untracked }"])
        return self.draw.choice(["ct state established", "ct state established,related", "ct state invalid",
                                 "ct state untracked", "ct state != new", "ct state { established, related }"])

    def _connection(self, hit, _):
        known = f"meta l4proto {self.probe.protocol} " if self.protocol == "th" else f"meta l4proto {self.protocol} "
        if self.protocol == "th":
            self.protocol = self.probe.protocol
        # No ct l3proto: nft takes it for a condition of what follows, and leaves it out when it lists the rule.
        return self.draw.choice([
            "ct direction original" if hit else "ct direction reply", f"{known}ct original proto-dst {self.port(hit)}",
            f"ct original {self.words} daddr {self.to(hit)}", "ct mark 0" if hit else "ct mark 7",
            "ct status dnat" if not hit else "ct status & dnat == 0"])

    def _raw(self, hit, hook):
        """Payload by offset, as some programs write it."""
        out = hook in _OUT
        if self.six or self.draw.chance(60) or self.family == "netdev":
            protocol = self.probe.protocol if self.protocol == "th" else self.protocol
            self.protocol = protocol
            return f"meta l4proto {protocol} @th,{0 if out else 16},16 {self.port(hit)}"
        value = int.from_bytes(bytes(int(b) for b in self.source(hit).split(".")), "big")
        known = "meta nfproto ipv4 " if self.family == "inet" else ""
        return f"{known}@nh,{128 if out else 96},32 {value:#x}"

    def _family(self, hit, _):
        key = "meta protocol" if self.family != "inet" or self.draw.chance(30) else "meta nfproto"
        own, other = ("ip6", "ip") if self.six else ("ip", "ip6")
        if key == "meta nfproto":
            own, other = ("ipv6", "ipv4") if self.six else ("ipv4", "ipv6")
        return self.draw.choice([f"{key} {own}", f"{key} != {other}"]) if hit else f"{key} != {own}"

    def _length(self, hit, _):
        return f"meta length {'<' if hit else '>'} 200"

    def _fib(self, hit, hook):
        if hook in _OUT:
            return f"fib saddr type {'local' if hit else 'unicast'}"
        choices = [f"fib daddr type {'local' if hit else 'broadcast'}", f"fib daddr type != {'local' if not hit else 'multicast'}",
                   f"fib daddr type {{ {'local' if hit else 'unicast'}, multicast }}"]
        if hook in ("input", "prerouting"):
            choices += [f"fib saddr . iif oif {'exists' if hit else 'missing'}", f"fib saddr oif {'exists' if hit else 'missing'}"]
        return self.draw.choice(choices)

    def _absent(self, hit, _):
        if self.six:
            return f"exthdr frag {'missing' if hit else 'exists'}"
        return "ip frag-off & 0x1fff == 0" if hit else "ip frag-off & 0x1fff != 0"

    def _header(self, hit, hook):
        if self.protocol == "tcp" and hook in ("prerouting", "input"):
            return self.draw.choice(["tcp flags & (fin|syn|rst|ack) == syn", "tcp flags syn", "tcp flags & ack == 0"]) \
                if hit else self.draw.choice(["tcp flags & (syn|ack) == syn|ack", "tcp flags rst", "tcp flags & ack != 0"])
        return "meta pkttype host" if hit or hook != "input" else "meta pkttype multicast"

    # ---- sets and maps with a name

    def named(self, kind, elements, more=""):
        name = self.new_name("s")
        timeout = " timeout 1h;" if not more and self.draw.chance(10) else ""
        self.sets.append(f" set {name} {{\n  type {kind}\n  {more}{'flags timeout;' + timeout if timeout else ''}\n"
                         f"  elements = {{ {elements} }}\n }}")
        return name

    def verdict_map(self, hook, verdicts):
        """A map to verdicts, with a name or without: key and map."""
        hit = self.draw.chance(65)
        out = hook in _OUT
        field = "sport" if out else "dport"
        port, address = self.port(hit), self.source(hit)
        kinds = ["port", "range", "pair", "address", "interface"] + (["state", "state"] if hook != "ingress" else [])
        what = self.draw.choice(kinds)
        one, two = self.draw.choice(verdicts), self.draw.choice(verdicts)
        kind = None
        if what == "port":
            key, kind = self.key(field), "inet_service"
            elements = f"{port} : {one}, 62000 : {two}"
        elif what == "range":
            key, kind = self.key(field), "inet_service; flags interval"
            elements = f"{max(port - 10, 1)}-{port + 10} : {one}, 62000 : {two}"
        elif what == "pair":
            key = f"{self.words} {'daddr' if out else 'saddr'} . {self.protocol} {field}"
            kind = f"{'ipv6_addr' if self.six else 'ipv4_addr'} . inet_service"
            elements = f"{address} . {port} : {one}, {address} . 62000 : {two}"
        elif what == "address":
            key, kind = f"{self.words} {'daddr' if out else 'saddr'}", "ipv6_addr" if self.six else "ipv4_addr"
            elements = f"{address} : {one}"
        elif what == "interface":
            key, kind = "oifname" if out else "iifname", "ifname"
            elements = f'"{"vb" if hit else "vx"}" : {one}, "eth7" : {two}'
        else:
            key = "ct state"
            elements = f"established : accept, related : accept, {'new' if hit else 'invalid'} : {one}"
        if self.draw.chance(12) and what in ("port", "address", "interface"):
            elements += f", * : {two}"
        if kind is None or self.draw.chance(50):
            return f"{key} vmap {{ {elements} }}"
        name = self.new_name("m")
        self.sets.append(f" map {name} {{\n  type {kind.replace(';', ' : verdict;', 1) if ';' in kind else kind + ' : verdict'}\n"
                         f"  elements = {{ {elements} }}\n }}")
        return f"{key} vmap @{name}"

    # ---- statements

    def effect(self, hook):
        """A statement that ends nothing, but that later rules may see."""
        kinds = dict(mark=40, counter=14, log=6, more_mark=8)
        if hook != "ingress":
            kinds.update(connection_mark=10, restore=6, track=6 if hook in ("prerouting", "output") else 0)
        if hook in ("prerouting", "input"):
            kinds.update(dynamic=6)
        kind = self.draw.weighted(**kinds)
        value = self.draw.choice(_MARKS)
        if kind == "mark":
            return f"meta mark set {value}"
        if kind == "more_mark":
            return self.draw.choice([f"meta mark set meta mark or {value:#x}", f"meta mark set mark and {value:#x}",
                                     f"meta mark set {self.key('dport')} map {{ {self.probe.port} : {value}, 99 : 5 }}"])
        if kind == "connection_mark":
            return self.draw.choice([f"ct mark set {value}", "ct mark set meta mark"])
        if kind == "restore":
            return "meta mark set ct mark"
        if kind == "track":
            return "notrack"
        if kind == "dynamic":
            name = self.new_name("d")
            kind = "ipv6_addr" if self.six else "ipv4_addr"
            self.sets.append(f" set {name} {{\n  type {kind}\n  size 100\n  flags dynamic\n }}")
            self.later = f"{self.words} saddr @{name}"
            return f"add @{name} {{ {self.words} saddr }}"
        return {"counter": "counter", "log": 'log prefix "x" level debug'}[kind]

    def reject(self):
        if self.protocol == "tcp" and self.draw.chance(40):
            return "meta l4proto tcp", "reject with tcp reset"
        choices = ["reject", "reject with icmpx admin-prohibited", "reject with icmpx port-unreachable"]
        if self.six:
            choices.append("meta nfproto ipv6 reject with icmpv6 admin-prohibited")
        else:
            choices.append("meta nfproto ipv4 reject with icmp host-prohibited")
        if self.family != "inet":
            choices = ["reject", "reject with icmpv6 no-route" if self.family == "ip6" else "reject with icmp net-prohibited"]
        return "", self.draw.choice(choices)

    def rule(self, hook, below):
        """`below`: the chains that may be jumped to."""
        self.protocol = self.draw.weighted(**{self.probe.protocol: 84, self.probe.other_protocol: 6, "th": 10})
        parts = [self.condition(hook) for _ in range(self.draw.choice([0, 1, 1, 1, 2, 2, 3]))]
        if self.later and hook == "input" and self.draw.chance(50):
            parts.append(self.later)
        if self.draw.chance(25):
            parts.append(self.effect(hook))
        if self.draw.chance(2):
            parts.append(self.draw.choice(["limit rate 1/second", "limit rate over 10/minute", "quota over 10 mbytes",
                                           "numgen random mod 2 == 0", 'meta hour "00:00"-"12:00"']))
        kinds = dict(accept=30, drop=15, reject=8, back=5, next=3, nothing=12, map=10)
        if hook in ("postrouting", "ingress", "output"):
            kinds.pop("reject")
        if below:
            kinds.update(jump=16, goto=7)
        kind = self.draw.weighted(**kinds)
        if kind == "map":
            verdicts = ["accept", "accept", "drop", "continue", "return"]
            verdicts += [f"{self.draw.choice(['jump', 'goto'])} {name}" for name in below]
            parts.append(self.verdict_map(hook, verdicts))
            if self.draw.chance(30):
                parts.append(self.draw.choice(["drop", "accept"]))
        elif kind == "reject":
            parts += self.reject()
        elif kind in ("jump", "goto"):
            parts.append(f"{kind} {self.draw.choice(below)}")
        else:
            parts.append({"accept": "accept", "drop": "drop", "back": "return", "next": "continue",
                          "nothing": self.effect(hook)}[kind])
        text = " ".join(part for part in parts if part)
        return text + (f' comment "rule {self.draw.randint(1, 99)}"' if self.draw.chance(5) else "")

    # ---- chains

    def filter_chain(self, hook):
        """A base chain and the chains below it, each of which may go only to those made before it: no circles."""
        below = []
        for _ in range(self.draw.choice([0, 0, 1, 1, 2, 3])):
            name = self.new_name("c")
            rules = [self.rule(hook, below) for _ in range(self.draw.randint(1, 3))]
            self.chains.append(self.chain(name, "", rules))
            below.append(name)
        policy = "drop" if self.draw.chance(35 if hook == "input" else 10) else "accept"
        priority = self.draw.choice(_PRIORITIES[hook])
        rules = [self.rule(hook, below) for _ in range(self.draw.randint(1, 5))]
        if hook == "input" and policy == "drop" and self.draw.chance(60):
            rules.append(f"{self.protocol} dport {self.port(self.draw.chance(75))} accept")
        device = f"device {self.draw.choice(['vb', 'vb', 'vb', 'vc'])} " if hook == "ingress" else ""
        self.chains.append(self.chain(
            self.new_name(hook), f"type filter hook {hook} {device}priority {priority}; policy {policy};", rules))

    def nat_chain(self):
        rules = []
        for _ in range(self.draw.randint(1, 3)):
            self.protocol = self.probe.protocol
            condition = f"{self.key('dport')} {self.port(self.draw.chance(75))}"
            if self.draw.chance(40):
                condition += " " + self.condition("prerouting")
            rules.append(f"{condition} {self.draw.choice(self.translations())}")
        priority = self.draw.choice([-100, -100, -110, -90])
        self.chains.append(self.chain(
            self.new_name("nat"), f"type nat hook prerouting priority {priority}; policy accept;", rules))

    def source_nat_chain(self):
        self.protocol = self.probe.protocol
        condition = self.condition("postrouting")
        self.chains.append(self.chain(
            self.new_name("nat"), "type nat hook postrouting priority 100; policy accept;",
            [f"{condition} " + self.draw.choice(["masquerade", "accept", f"meta l4proto {self.protocol} masquerade to :6000"])]))

    def translations(self):
        other = 5000 if self.probe.port == 4000 else 4000
        here, behind = (HOST6, "[fd08::77]") if self.six else (HOST_OTHER, "10.8.0.77")
        dnat = f"dnat {self.words} to" if self.family == "inet" else "dnat to"
        bracketed = f"[{here}]" if self.six else here
        return [f"redirect to :{other}", f"redirect to :{other}", f"redirect to :{self.probe.port}",
                f"redirect to :{self.key('dport')} map {{ {self.probe.port} : {other}, 99 : 98 }}",
                f"{dnat} {bracketed}:{other}", f"{dnat} {here}", f"{dnat} {behind}:{other}",
                f"{dnat} {self.words} daddr map {{ {self.to(True)} : {here} }}",
                "accept", "return", "counter", f"redirect to :{other} random"]

    @staticmethod
    def chain(name, head, rules):
        return "\n".join([f" chain {name} {{", *([f"  {head}"] if head else []), *(f"  {r}" for r in rules), " }"])

    def build(self):
        if self.family == "netdev":
            self.filter_chain("ingress")
            return self.text()
        for _ in range(self.draw.choice([1, 1, 2, 2, 3])):
            hook = self.draw.weighted(**(_HOOKS if not self.contact else {**_HOOKS, "output": 30, "postrouting": 10}))
            if hook == "ingress" and self.family != "inet":
                hook = "input"
            self.filter_chain(hook)
        if self.draw.chance(20) and self.family != self.probe.other_family:
            self.nat_chain()
        if self.contact and self.draw.chance(15) and self.family != self.probe.other_family:
            self.source_nat_chain()
        return self.text()


def rulesets(draw, probe, contact):
    """One file of nft with some tables; their order is the order of registration."""
    return [("nft", "".join(Table(draw, probe, contact, f"t{number}").build() for number in range(draw.choice([1, 1, 2, 2, 3]))))]
