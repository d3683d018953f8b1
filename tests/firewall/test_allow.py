"""p2pdiag firewall allow against real rules of nftables and of both kinds of iptables: before, in force, and undone."""
import dataclasses
import glob
import json
import os
import re
import sys
import unittest

import kernel
import opening
from cases import chain, legacy, nft
from kernel import PEER, PEER_OTHER
from opening import Machine, steps, verified
from test_policy import TAILSCALE, TUNNEL

UDP = {"udp4 4000", "udp6 4000"}
NDP = "meta l4proto ipv6-icmp accept"


def iptables(rules, kind="nft", policy="ACCEPT", table="filter"):
    heads = {"filter": "INPUT FORWARD OUTPUT", "raw": "PREROUTING OUTPUT"}[table].split()
    text = f"*{table}\n" + "".join(f":{name} {policy if name in ('INPUT', 'PREROUTING') else 'ACCEPT'} [0:0]\n"
                                   for name in heads) + rules + "\nCOMMIT\n"
    return (f"iptables-{kind}", text)


def ip6tables(*arguments, **named):
    tool, text = iptables(*arguments, **named)
    return tool.replace("iptables", "ip6tables"), text


@dataclasses.dataclass
class Case:
    name: str
    ruleset: list
    # A part of the title of each step.
    steps: list
    before: set = dataclasses.field(default_factory=set)
    opens: set = dataclasses.field(default_factory=lambda: UDP)
    protocol: str = "udp"


CASES = [
    Case("a policy", nft(chain(f"ct state established accept\n  {NDP}", "drop")), ["at the end of the chain input"]),
    Case("a policy, TCP", nft(chain(NDP, "drop")), ["tcp dport 4000 accept"], opens={"tcp4 4000", "tcp6 4000"},
         protocol="tcp"),
    Case("both protocols", nft(chain(NDP, "drop")), ["udp dport 4000", "tcp dport 4000"],
         opens=UDP | {"tcp4 4000", "tcp6 4000"}, protocol="both"),
    Case("a reject at the end of the rules", nft(chain(f"{NDP}\n  tcp dport 22 accept\n  counter reject")), ["before `counter"]),
    Case("a policy behind a goto",
         nft("table inet t {\n chain c {\n  meta l4proto ipv6-icmp accept\n }\n chain input {\n  type filter hook input priority 0; "
             "policy drop;\n  goto c\n }\n}"), ["at the end of the chain c"]),
    Case("a chain shared with what is forwarded",
         nft("table inet t {\n chain c {\n  meta l4proto ipv6-icmp accept\n  drop\n }\n"
             " chain input {\n  type filter hook input priority 0;\n  jump c\n }\n"
             " chain forward {\n  type filter hook forward priority 0;\n  jump c\n }\n}"), ["fib daddr type local accept"]),
    Case("a verdict map", nft(chain("udp dport vmap { 4000 : drop, 53 : accept }")), ["before `udp dport vmap"],
         before={"udp4 5000", "udp6 5000", "tcp4 4000", "tcp6 4000", "tcp4 5000", "tcp6 5000"}),
    Case("dropped early and late",
         nft(chain("udp dport 4000 drop", hook="prerouting", priority=-300, table="early") + chain(NDP, "drop")),
         ["chain input of the table inet early", "chain input of the table inet t"]),
    Case("each family by itself", nft(chain(NDP, "drop", family="ip") + chain(NDP, "drop", family="ip6")),
         ["table ip t", "table ip6 t"]),
    Case("IPv4 alone", nft(chain(NDP, "drop", family="ip")), ["table ip t"],
         before={"udp6 4000", "udp6 5000", "tcp6 4000", "tcp6 5000"}, opens={"udp4 4000"}),
    Case("a device's ingress",
         nft("table netdev t {\n chain in {\n  type filter hook ingress device vb priority 0; policy accept;\n"
             "  udp dport { 4000, 5000 } drop\n }\n}"), ["table netdev t"],
         before={"tcp4 4000", "tcp6 4000", "tcp4 5000", "tcp6 5000"}),
    Case("beside the routing rules of Tailscale", [*nft(chain(NDP, "drop")), ("ip", TAILSCALE)],
         ["at the end of the chain input"]),
    Case("iptables-nft", [iptables("-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n-A INPUT -p udp -j DROP\n"
                                   "-A INPUT -j REJECT"), ip6tables("-A INPUT -p ipv6-icmp -j ACCEPT", policy="DROP")],
         ["-j ACCEPT` (iptables-nft) before `-A INPUT -p udp -j DROP`", "ip6tables: "]),
    Case("iptables-nft, and a rule of nft's in its table",
         [iptables("-A INPUT -p tcp -j ACCEPT"),
          ("nft", "add rule ip filter INPUT udp dport vmap { 4000 : drop, 5000 : drop }")],
         [], before={"tcp4 4000", "tcp4 5000", "udp6 4000", "udp6 5000", "tcp6 4000", "tcp6 5000"}, opens={"udp4 4000"}),
    Case("iptables-legacy", [iptables("-N MINE\n-A INPUT -j MINE\n-A MINE -p udp -m multiport --dports 4000,5000 -j DROP",
                                      kind="legacy"),
                             ip6tables("-A INPUT -p ipv6-icmp -j ACCEPT", kind="legacy", policy="DROP")],
         ["(iptables-legacy) before `-A MINE", "(iptables-legacy) at the end"],
         before={"tcp4 4000", "tcp4 5000"}),
    Case("iptables-legacy, raw", [iptables("-A PREROUTING -p udp -j DROP", kind="legacy", table="raw")],
         ["-m addrtype --dst-type LOCAL"], before={"tcp4 4000", "tcp4 5000", "udp6 4000", "udp6 5000", "tcp6 4000", "tcp6 5000"},
         opens={"udp4 4000"}),
    Case("nft and iptables-legacy one behind the other",
         nft(chain(NDP, "drop")) + [legacy(":INPUT DROP [0:0]"), legacy(":INPUT DROP [0:0]\n-A INPUT -p ipv6-icmp -j ACCEPT", "ip6tables-legacy")],
         ["(nft)", "(iptables-legacy)", "(iptables-legacy)"]),
]


class Allow(unittest.TestCase):
    def test_cases(self):
        for case in CASES:
            # The lock of iptables-legacy is root's alone.
            if any("legacy" in tool for tool, _ in case.ruleset) and not os.access("/run", os.W_OK):
                continue
            with self.subTest(case.name), Machine() as machine:
                machine.load(case.ruleset)
                before = machine.rules()
                self.assertEqual(machine.open_ports(), case.before)
                result = machine.allow(protocol=case.protocol)
                for title, part in zip(steps(result), case.steps or steps(result), strict=True):
                    self.assertIn(part, title)
                self.assertEqual(set(verified(result)), {"pass"}, result)
                self.assertEqual(machine.open_ports(), case.before | case.opens)
                # Once more is nothing to do.
                self.assertEqual(machine.allow(protocol=case.protocol)["status"], "nothing")
                machine.undo()
                self.assertEqual(machine.rules(), before)
                self.assertEqual(machine.open_ports(), case.before)

    def test_a_tunnel_that_takes_the_answers(self):
        """As wg-quick sets it up, with vc for the tunnel: what comes by it is answered by it, and the rest may not be."""
        with Machine() as machine:
            machine.show_rules()
            machine.load([("ip", TUNNEL)])
            done = machine.p2pdiag("firewall", "check", "--port", "4000", "--protocol", "udp", "--format", "json", expect=3)
            found = {(one["family"], one["interface"]): one for one in json.loads(done.stdout)["verdicts"]}
            self.assertEqual({key: one["verdict"] for key, one in found.items()},
                             {("ipv4", "vb"): "undecided", ("ipv4", "vc"): "accept", ("ipv6", "vb"): "accept"})
            self.assertIn("leaves by vc and not by vb", found["ipv4", "vb"]["why"])
            self.assertIn("not from all fwmark 0xca6c lookup 51820", found["ipv4", "vb"]["why"])

    def test_source(self):
        """From one network, and from no other."""
        with Machine() as machine:
            machine.load(nft(chain(NDP, "drop")))
            before = machine.rules()
            machine.allow("--source", f"{PEER}/32")
            self.assertTrue(machine.gets_in())
            self.assertFalse(machine.gets_in(source=PEER_OTHER))
            machine.undo()
            self.assertEqual(machine.rules(), before)
            for bad in ("10.9.0.1/24", "0.0.0.0/0", "; reboot", "$(reboot)"):
                self.assertIn("--source: ", machine.allow("--source", bad, expect=2)["error"]["message"])

    def test_banned_within_the_source(self):
        """Who is banned in the network that is let in stays so, and the end says that there are such."""
        network = PEER.rsplit(".", 1)[0] + ".0/24"
        for ruleset in (nft(chain(f"ip saddr {PEER} drop\n  {NDP}", "drop")),
                        [iptables(f"-A INPUT -s {PEER} -j DROP", policy="DROP")]):
            with self.subTest(ruleset=ruleset), Machine() as machine:
                machine.load(ruleset)
                before = machine.rules()
                result = machine.allow("--source", network)
                self.assertEqual(verified(result), ["pass"], result)
                said = "Some packets are stopped as before, depending on the sender's address"
                self.assertIn(said, result["steps"][0]["verify"]["summary"])
                self.assertFalse(machine.gets_in())
                self.assertTrue(machine.gets_in(source=PEER_OTHER))
                machine.undo()
                self.assertEqual(machine.rules(), before)

    def test_comment_lost(self):
        """Somebody has saved the rules without comments: ours is there, and undo does not call it gone."""
        rulesets = [("nft", nft(chain(NDP, "drop"))), ("iptables-nft", [iptables("-A INPUT -j DROP")])]
        if os.access("/run", os.W_OK):
            rulesets.append(("iptables-legacy", [iptables("-A INPUT -j DROP", "legacy")]))
        for tool, ruleset in rulesets:
            with self.subTest(tool), Machine() as machine:
                machine.load(ruleset)
                before = machine.rules()
                machine.allow()
                if tool == "nft":
                    text = re.sub(' comment "[^"]*"', "", machine.tool("nft", "list", "ruleset"))
                    machine.load(nft("flush ruleset\n" + text))
                else:
                    text = re.sub(' -m comment --comment "[^"]*"', "", machine.tool(tool + "-save"))
                    machine.tool(tool + "-restore", text=text)
                self.assertTrue(machine.gets_in())
                done = machine.p2pdiag("undo", "--all", "--yes", expect=1)
                text = " ".join((done.stdout + done.stderr).split())
                self.assertIn("lets in UDP port 4000", text)
                delete = re.search(r"sudo ((?:nft|iptables)[^.'\n]*(?:handle|INPUT) \d+)", text)
                machine.tool(*delete[1].split())
                self.assertEqual(machine.rules(), before)
                machine.undo()

    def test_check_says_why_not(self):
        """Where allow does nothing, check gives the reason that allow gives, and no command."""
        with Machine() as machine:
            machine.load([iptables("-N DOCKER\n-A INPUT -j DOCKER\n-A DOCKER -p udp -j DROP")])
            done = machine.p2pdiag("firewall", "check", "--port", "4000", "--protocol", "udp", "--format", "json", expect=1)
            found = {one["family"]: one for one in json.loads(done.stdout)["verdicts"]}
            self.assertEqual((found["ipv4"]["verdict"], found["ipv4"]["remedy"]), ("drop", []), found)
            self.assertIn("Publish the port where the container is started", found["ipv4"]["no_remedy"])
            self.assertEqual((found["ipv6"]["verdict"], found["ipv6"]["no_remedy"]), ("accept", None), found)
            text = machine.p2pdiag("firewall", "check", "--port", "4000", "--protocol", "udp", expect=1).stdout
            self.assertIn("`p2pdiag firewall allow` does not open it: ", text)

    def test_hostile_names(self):
        """A name is a name, whatever it would mean to a shell or to nft."""
        table, name = 'a"; flush ruleset; #', "in$(reboot)'\""
        where = {"family": "inet", "table": table}
        with Machine() as machine:
            machine.tool("nft", "-j", "-f", "-", text=json.dumps({"nftables": [
                {"add": {"table": {"family": "inet", "name": table}}},
                {"add": {"chain": {**where, "name": name, "type": "filter", "hook": "input", "prio": 0, "policy": "drop"}}},
                {"add": {"rule": {**where, "chain": name, "expr": [
                    {"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": "ipv6-icmp"}}, {"accept": None}]}}}]}))
            before = machine.rules()
            machine.allow()
            self.assertEqual(machine.open_ports(), UDP)
            machine.undo()
            self.assertEqual(machine.rules(), before)

    def record(self, machine):
        path, = glob.glob(os.path.join(machine.journal, "*.json"))
        with open(path, encoding="utf-8") as file:
            return path, json.load(file)

    def test_killed(self):
        """As after a kill -9 in the middle: whatever the journal knows, undo finds what is there."""
        rulesets = [nft(chain(NDP, "drop")), [iptables("-A INPUT -j DROP")]]
        if os.access("/run", os.W_OK):
            rulesets.append([iptables("-A INPUT -j DROP", "legacy")])
        for ruleset in rulesets:
            for there in (True, False):
                with self.subTest(ruleset=ruleset, there=there), Machine() as machine:
                    machine.load(ruleset)
                    before = machine.rules()
                    machine.allow()
                    path, record = self.record(machine)
                    with open(path, "w", encoding="utf-8") as file:
                        json.dump({**record, "state": "planned", "record": None, "verify": None}, file)
                    if not there:
                        legacy_too = "legacy" in ruleset[0][0]
                        machine.tool(*(["iptables-legacy", "-F"] if legacy_too else ["nft", "flush", "ruleset"]))
                    machine.undo()
                    if there:
                        self.assertEqual(machine.rules(), before)
                    self.assertIn("nothing to take back", machine.undo())

    def test_written_anew(self):
        """Whoever owns the rules saves them with ours and loads them again: ours has another handle by then."""
        with Machine() as machine:
            machine.load(nft(chain(NDP, "drop")))
            before = machine.rules()
            machine.allow()
            text = machine.tool("nft", "list", "ruleset")
            machine.load(nft("flush ruleset\n" + text.replace("policy drop;", "policy drop; ct state established accept")))
            self.assertIn("p2pdiag", machine.rules())
            machine.undo()
            self.assertNotIn("p2pdiag", machine.rules())
            self.assertNotEqual(machine.rules(), before)

    def test_nothing_done(self):
        with Machine() as machine:
            machine.load(nft(chain(NDP, "drop")))
            before = machine.rules()
            planned = machine.allow("--dry-run")
            self.assertEqual((planned["status"], len(planned["steps"])), ("planned", 1))
            declined = machine.p2pdiag("firewall", "allow", "--port", "4000", "--protocol", "udp", expect=5)
            self.assertIn("--yes", declined.stdout + declined.stderr)
            self.assertEqual(machine.rules(), before)
            # What hangs on the time is not touched.
            machine.load(nft(chain(f"{NDP}\n  limit rate 1/minute accept", "drop", table="u")))
            before = machine.rules()
            self.assertEqual(machine.allow(expect=3)["status"], "unknown")
            self.assertEqual(machine.rules(), before)

    def test_without_root(self):
        if not kernel.is_real_root():
            self.skipTest("not root")
        nobody = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "env", "XDG_STATE_HOME=/nonexistent")
        with Machine() as machine:
            machine.load(nft(chain(NDP, "drop")))
            done = machine.p2pdiag("firewall", "allow", "--port", "4000", "--protocol", "udp", "--yes", expect=3,
                                   prefix=nobody)
            self.assertIn("sudo p2pdiag firewall allow --port 4000 --protocol udp",
                          " ".join((done.stdout + done.stderr).split()))


if __name__ == "__main__":
    opening.P2PDIAG = os.path.abspath(sys.argv.pop(1))
    kernel.main()
