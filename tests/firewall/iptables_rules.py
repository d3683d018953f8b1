"""Tables as `iptables-restore` reads them, drawn for a probe."""
from kernel import HOST, HOST_OTHER, PEER, PEER_OTHER

# Built-in chains that a packet from outside and its answer meet.
_TABLES = {"raw": ("PREROUTING", "OUTPUT"), "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
           "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"), "filter": ("INPUT", "FORWARD", "OUTPUT"),
           "security": ("INPUT", "FORWARD", "OUTPUT")}
_OTHER_PORTS = (1, 22, 80, 443, 3999, 4001, 4999, 5001, 8000)


class Rules:
    def __init__(self, draw, probe, six):
        self.draw, self.probe, self.six = draw, probe, six

    # ---- conditions

    def port(self, hit):
        return self.probe.port if hit else self.draw.choice(_OTHER_PORTS)

    def inverted(self, hit):
        """A sign before a condition, and whether what follows has to hold so that the whole does as `hit` says."""
        return ("! ", not hit) if self.draw.chance(15) else ("", hit)

    def conditions(self, chain):
        """Of one rule. Protocol first: ports and other matches need it."""
        parts = []
        count = self.draw.choice([0, 1, 1, 1, 2, 2, 3])
        # Few ask what nobody can know beforehand (mac, u32, chance).
        kinds = dict(port=32, address=14, interface=12, state=20, mark=8, type=6, range=3, comment=4, mac=1, length=2,
                     connection_mark=3, packet_type=2, flags=3, chance=1, protocol=8)
        if self.draw.chance(20):
            kinds.update(u32=1)
        else:
            kinds.pop("mac")
        if chain in ("OUTPUT", "POSTROUTING"):
            for name in ("mac", "packet_type", "range", "u32"):
                kinds.pop(name, None)
        protocol = None
        for _ in range(count):
            hit = self.draw.chance(70)
            kind = self.draw.weighted(**kinds)
            kinds.pop(kind)
            if kind in ("port", "flags", "protocol"):
                if protocol is not None:
                    continue
                protocol = self.probe.protocol if hit or self.draw.chance(70) else self.probe.other_protocol
                parts.insert(0, f"-p {protocol}" if kind != "protocol" or self.draw.chance(70)
                             else f"! -p {self.probe.protocol if not hit else 'icmp'}")
            parts.append(getattr(self, "_" + kind)(hit, chain, protocol))
        return " ".join(part for part in parts if part), protocol

    def _protocol(self, hit, chain, protocol):
        return ""

    def _port(self, hit, chain, protocol):
        out = chain in ("OUTPUT", "POSTROUTING")
        field = "sport" if out else "dport"
        sign, hit = self.inverted(hit)
        value = self.port(hit)
        return self.draw.choice([
            f"{sign}--{field} {value}", f"{sign}--{field} {value}", f"{sign}--{field} {value - 1}:{value + 20}",
            f"-m multiport {sign}--{field}s 9,{value},60000:60010", f"-m multiport {sign}--{field}s {value}:{value + 3},19",
            f"-m multiport {sign}--ports {value},11"])

    def _flags(self, hit, chain, protocol):
        if protocol != "tcp":
            return ""
        return self.draw.choice(["--syn", "--tcp-flags SYN,ACK SYN", "! --tcp-flags SYN,RST RST"]) if hit \
            else self.draw.choice(["! --syn", "--tcp-flags SYN,ACK SYN,ACK", "--tcp-flags ALL NONE"])

    def _address(self, hit, chain, protocol):
        sign, hit = self.inverted(hit)
        source = self.draw.chance(60)
        if self.six:
            value = (self.probe.source if source else self.probe.to) if hit and self.probe.six else "fd09::77"
        else:
            value = (self.probe.source if source else self.probe.to) if hit and not self.probe.six \
                else self.draw.choice([PEER, PEER_OTHER, HOST, HOST_OTHER, "192.0.2.1"])
        net = self.draw.choice([f"{value}", f"{value}/{64 if self.six else 24}" if hit else value])
        option = "-s" if source != (chain in ("OUTPUT", "POSTROUTING")) else "-d"
        return f"{sign}{option} {net}"

    def _interface(self, hit, chain, protocol):
        sign, hit = self.inverted(hit)
        option = "-o" if chain in ("OUTPUT", "POSTROUTING") else "-i"
        return f"{sign}{option} {self.draw.choice(['vb', 'v+', 'vb+']) if hit else self.draw.choice(['vc', 'lo', 'eth+'])}"

    def _state(self, hit, chain, protocol):
        sign, hit = self.inverted(hit)
        if hit:
            names = self.draw.choice(["NEW", "NEW,ESTABLISHED", "NEW,UNTRACKED"])
        else:
            names = self.draw.choice(["ESTABLISHED", "RELATED,ESTABLISHED", "INVALID", "UNTRACKED"])
        if self.draw.chance(8):
            return f"-m conntrack {sign}--ctorigdstport {self.port(hit)}"
        if self.draw.chance(6):
            return f"-m conntrack {sign}--ctdir {'ORIGINAL' if hit else 'REPLY'}".replace("! ", "")
        if self.draw.chance(6):
            return f"-m conntrack {sign}--ctstatus {'NONE' if hit else 'ASSURED'}"
        if self.draw.chance(6):
            return f"-m conntrack {sign}--ctstate DNAT"
        return self.draw.choice([f"-m conntrack {sign}--ctstate {names}", f"-m state {sign}--state {names}"])

    def _mark(self, hit, chain, protocol):
        sign, hit = self.inverted(hit)
        value = 0 if hit else self.draw.choice([1, 7, 16])
        return self.draw.choice([f"-m mark {sign}--mark {value}", f"-m mark {sign}--mark {value & 15:#x}/0xf"])

    def _connection_mark(self, hit, chain, protocol):
        return f"-m connmark --mark {0 if hit else 7}"

    def _type(self, hit, chain, protocol):
        side = "src" if chain in ("OUTPUT", "POSTROUTING") else "dst"
        sign, hit = self.inverted(hit)
        return f"-m addrtype {sign}--{side}-type {'LOCAL' if hit else 'MULTICAST'}"

    def _range(self, hit, chain, protocol):
        if self.six:
            return f"-m iprange --src-range {'fd09::1-fd09::9' if hit else 'fd10::1-fd10::9'}"
        return f"-m iprange --src-range {'10.9.0.1-10.9.0.20' if hit else '10.9.0.100-10.9.0.120'}"

    def _mac(self, hit, chain, protocol):
        sign, hit = self.inverted(hit)
        return f"-m mac {sign}--mac-source 02:00:00:00:00:{'01' if hit else '77'}" if chain in ("PREROUTING", "INPUT") else ""

    def _length(self, hit, chain, protocol):
        return f"-m length --length {'0:200' if hit else '1000:'}"

    def _packet_type(self, hit, chain, protocol):
        return f"-m pkttype --pkt-type {'unicast' if hit else 'multicast'}"

    def _u32(self, hit, chain, protocol):
        return "" if self.six else f"-m u32 --u32 \"6&0xFF={17 if self.probe.protocol == 'udp' else 6}\""

    def _comment(self, hit, chain, protocol):
        return self.draw.choice(["-m comment --comment plain", '-m comment --comment "with \\"quotes\\" and -j DROP"'])

    def _chance(self, hit, chain, protocol):
        return self.draw.choice(["-m statistic --mode random --probability 0.5", "-m limit --limit 1/min --limit-burst 1",
                                 "-m hashlimit --hashlimit-above 100/sec --hashlimit-name x"])

    # ---- rules

    def target(self, table, chain, below, protocol):
        reject = [] if table != "filter" or chain == "OUTPUT" else ["reject"]
        kinds = {"accept": 30, "drop": 16, "back": 5, "effect": 10, "log": 4, "none": 3}
        if table == "nat":
            kinds["drop"] = 0
            if chain == "PREROUTING":
                kinds["translate"] = 60
        if table in ("mangle", "raw") and chain == "PREROUTING":
            kinds["effect"] = 30
        if reject:
            kinds["reject"] = 9
        if below:
            kinds.update(jump=16, goto=6)
        kind = self.draw.weighted(**kinds)
        if kind == "reject":
            return self._reject(protocol)
        if kind == "translate":
            return self._translation(protocol)
        if kind == "effect":
            return self._effect(table, chain)
        if kind in ("jump", "goto"):
            return f"{'-j' if kind == 'jump' else '-g'} {self.draw.choice(below)}"
        return {"accept": "-j ACCEPT", "drop": "-j DROP", "back": "-j RETURN", "none": "",
                "log": "-j LOG --log-prefix \"dropped: \" --log-level 7"}[kind]

    def _reject(self, protocol):
        if protocol == "tcp" and self.draw.chance(50):
            return "-j REJECT --reject-with tcp-reset"
        if self.six:
            return self.draw.choice(["-j REJECT", "-j REJECT --reject-with icmp6-adm-prohibited"])
        return self.draw.choice(["-j REJECT", "-j REJECT --reject-with icmp-host-prohibited",
                                 "-j REJECT --reject-with icmp-net-unreachable"])

    def _translation(self, protocol):
        other = 5000 if self.probe.port == 4000 else 4000
        if protocol is None:
            return "-j ACCEPT"
        if self.six:
            return self.draw.choice([f"-j REDIRECT --to-ports {other}", f"-j DNAT --to-destination [fd09::2]:{other}"])
        return self.draw.choice([f"-j REDIRECT --to-ports {other}", f"-j DNAT --to-destination {HOST_OTHER}:{other}",
                                 f"-j DNAT --to-destination {HOST_OTHER}", f"-j DNAT --to-destination 10.8.0.77:{other}",
                                 f"-j DNAT --to-destination :{other}", f"-j REDIRECT --to-ports {self.probe.port}"])

    def _effect(self, table, chain):
        if table == "raw":
            return "-j CT --notrack"
        if table != "mangle":
            return ""
        value = self.draw.choice([1, 7, 16, 0x12])
        return self.draw.choice([
            f"-j MARK --set-mark {value}", f"-j MARK --set-xmark {value:#x}/0xf", f"-j MARK --or-mark {value}",
            f"-j MARK --and-mark {value}", f"-j MARK --xor-mark {value}", f"-j CONNMARK --set-mark {value}",
            "-j CONNMARK --save-mark", "-j CONNMARK --restore-mark"])

    def rule(self, table, chain, hook, below):
        conditions, protocol = self.conditions(hook)
        target = self.target(table, hook, below, protocol)
        if target.startswith("-j REJECT --reject-with tcp-reset") and "! -p" in conditions:
            target = "-j DROP"
        return " ".join(f"-A {chain} {conditions} {target}".split(" "))

    def table(self, name):
        draw = self.draw
        used = [chain for chain in _TABLES[name]
                if draw.chance(80 if chain in ("INPUT", "PREROUTING") else 8)]
        heads, rules, policies = [], [], {}
        # A chain below serves one built-in chain, so that what stands in it is allowed there.
        for number, chain in enumerate(used):
            below = []
            for level in range(draw.choice([0, 0, 1, 2]) if name == "filter" else 0):
                own = f"c{number}{level}"
                heads.append(f":{own} - [0:0]")
                rules += [self.rule(name, own, chain, below) for _ in range(draw.randint(1, 3))]
                below.append(own)
            policies[chain] = "DROP" if name == "filter" and draw.chance(45 if chain == "INPUT" else 15) else "ACCEPT"
            rules += [self.rule(name, chain, chain, below) for _ in range(draw.randint(1, 5))]
            if chain == "INPUT" and policies[chain] == "DROP" and draw.chance(60):
                rules.append(f"-A INPUT -p {self.probe.protocol} --dport {self.port(draw.chance(75))} -j ACCEPT")
        heads = [f":{chain} {policies.get(chain, 'ACCEPT')} [0:0]" for chain in _TABLES[name]] + heads
        return "\n".join([f"*{name}", *heads, *rules, "COMMIT"]) + "\n"


def rulesets(draw, probe, kind):
    """For one family or both: (tool, text)."""
    families = [probe.six] if draw.chance(70) else [False, True]
    if draw.chance(4):
        families = [not probe.six]
    parts = []
    for six in families:
        rules = Rules(draw, probe, six)
        names = [name for name, percent in (("raw", 15), ("mangle", 25), ("nat", 25), ("filter", 90), ("security", 6))
                 if draw.chance(percent)]
        text = "".join(rules.table(name) for name in names)
        if text:
            parts.append((f"{'ip6tables' if six else 'iptables'}-{kind}", text))
    return parts
