"""Rules of `ip rule` and tables for them, from a seed. As in generator.py, what they ask mostly holds for the probe or misses it
by a little."""
from kernel import BEHIND, BEHIND6, HOST, HOST6, HOST_OTHER, PEER, PEER6, PEER_OTHER

# Those that the generated rulesets set, too.
MARKS = (1, 7, 16, 18, 0xFF00)


class RoutingRules:
    def __init__(self, draw, probe):
        self.draw, self.probe = draw, probe
        self.six = "-6 " if probe.six else ""
        self.peers = (PEER6, "fd09::/64") if probe.six else (PEER, PEER_OTHER, "10.9.0.0/28", "10.9.0.8/29")
        self.hosts = (HOST6, "fd09::/112") if probe.six else (HOST, HOST_OTHER, "10.9.0.2/31", "10.8.0.0/24")
        self.behind = BEHIND6 if probe.six else BEHIND

    def lines(self):
        """What `ip` is told."""
        lines = []
        if self.draw.chance(55):
            lines += [f"rule add pref {self.draw.choice([100, 100, 100, 40000])} lookup local", "rule del pref 0"]
        for table in (7, 8):
            lines += self.routes(table)
        prefs = self.draw.sample(range(10, 190, 10), self.draw.randint(1, 4))
        lines += [self.rule(pref) for pref in prefs]
        return [self.six + line for line in lines]

    def routes(self, table):
        peer, behind = (PEER6, BEHIND6) if self.probe.six else (PEER, BEHIND)
        net = "fd09::/64" if self.probe.six else "10.9.0.0/24"
        choices = [f"default via {peer} dev vb onlink", f"default via {behind} dev vc onlink", f"{net} dev vb", f"{net} dev vc",
                   f"blackhole {net}", f"throw {net}", f"unreachable {peer}", f"prohibit {net}", f"{peer} dev vb",
                   f"throw {peer}", "local default dev lo", "blackhole default"]
        weights = [8, 5, 8, 5, 2, 3, 2, 2, 6, 4, 1, 1]
        chosen = {}
        for route in self.draw.choices(choices, weights, k=self.draw.randint(0, 3)):
            words = route.split()
            kinds = ("blackhole", "throw", "unreachable", "prohibit", "local")
            chosen.setdefault(words[1] if words[0] in kinds else words[0], route)
        return [f"route add {route} table {table}" for route in chosen.values()]

    def rule(self, pref):
        inverted = "not " if self.draw.chance(15) else ""
        asked = [self.condition(kind) for kind in self.draw.some(
            ("from", "to", "mark", "port", "port", "protocol", "link"), 2)] if self.draw.chance(85) else []
        return f"rule add pref {pref} {inverted}{' '.join(dict.fromkeys(asked))} {self.action(pref)}"

    def condition(self, kind):
        choice = self.draw.choice
        if kind == "from":
            return f"from {choice(self.peers + self.hosts)}"
        if kind == "to":
            return f"to {choice(self.peers + self.hosts)}"
        if kind == "mark":
            mark = choice(MARKS)
            return choice([f"fwmark {mark}", f"fwmark {mark}", f"fwmark {mark:#x}/0xf", f"fwmark 0/{mark:#x}"])
        if kind == "protocol":
            return f"ipproto {self.probe.protocol if self.draw.chance(65) else self.probe.other_protocol}"
        if kind == "link":
            return choice(["iif vb", "iif vb", "iif vc", "iif lo", "iif gone"])
        port, wrong = self.probe.port, self.probe.port + 1
        return choice([f"dport {port}", f"dport {port}", f"dport {wrong}", f"dport {port - 5}-{port + 5}", f"sport {port}",
                       f"sport {self.probe.source_port}", f"dport {self.probe.source_port}", f"sport 1-{port - 1}"])

    def action(self, pref):
        kind = self.draw.weighted(table=50, main=8, suppress=8, blackhole=9, prohibit=6, unreachable=6, goto=8, nop=5)
        if kind == "table":
            return f"lookup {self.draw.choice([7, 8])}"
        if kind == "main":
            return "lookup main"
        if kind == "suppress":
            return f"lookup {self.draw.choice(['main', '7', '8'])} suppress_prefixlength {self.draw.choice([0, 0, 24])}"
        if kind == "goto":
            return f"goto {self.draw.choice([pref + 10, pref + 20, pref + 30, 100, 32766]) if pref < 100 else 32766}"
        return kind
