"""stun.nat where UDP does not pass, or IPv4 not by itself: what exactly is blocked, by what interface it would have
left, and whose NAT it is."""
import contextlib
import json
import os
import subprocess
import unittest

import lab
from lab import CLIENT, equal, output, true


def stun_nat(*options):
    """On the host where this runs: the check's result, and the findings by code."""
    done = subprocess.run([lab.P2PDIAG, "--profile", "lab", "run", "stun.nat", "--format", "json", *options],
                          stdout=subprocess.PIPE, check=False)
    report = json.loads(done.stdout)
    check = next(check for check in report["checks"] if check["id"] == "stun.nat")
    return check, {finding["code"]: finding for finding in report["findings"]}


def outcomes(family):
    """What came of each UDP port beside the servers' own."""
    return {(tried["server"], tried["port"]): tried["outcome"] for tried in family["udp_ports_tried"]}


def all_udp_blocked():
    check, findings = stun_nat()
    family = check["data"]["ipv4"]
    equal((check["status"], family["nat_type"]), ("fail", "udp-blocked"), check["summary"])
    equal(set(outcomes(family).values()), {"no-answer"}, "other ports")
    equal({port for _, port in outcomes(family)}, {443, 3479, 19302}, "other ports")
    equal(family["egress"]["interface"], "eth0", "egress")
    true("by the interface eth0" in findings["nat.udp-blocked"]["message"], findings)


def one_port_blocked():
    check, findings = stun_nat()
    family = check["data"]["ipv4"]
    true("nat.udp-blocked" not in findings and check["status"] != "fail", check)
    message = findings["nat.stun-unreachable"]["message"]
    true("UDP to port 3478 gets no answer, while port 3479 of 11.22.33.1" in message, message)
    true("UDP to port 3478 gets no answer" in check["summary"], check["summary"])
    tried = outcomes(family)
    equal(tried[("11.22.33.10:3478", 3479)], "answered", "port 3479")
    # Nothing listens there, and the server says so: that, too, shows that UDP passes.
    equal(tried[("11.22.33.10:3478", 443)], "refused", "port 443")
    return family


def one_port_blocked_at_a_cone():
    family = one_port_blocked()
    equal(family["mapping"], "endpoint-independent", "mapping by the other port")
    equal(family["public"].split(":")[0], lab.HOME, "public address")


def one_port_blocked_at_a_symmetric_nat():
    equal(one_port_blocked()["nat_type"], "symmetric", "type by the other port")


def vpn_without_udp():
    """A tunnel to a third address of the server takes everything, and what comes out of it as UDP is dropped."""
    tunnel = "type vxlan id 7 dstport 4789 dev eth0 local {} remote {}"
    output("server", "ip", "addr", "add", "11.22.33.12/24", "dev", "eth0")
    for host, local, remote, address in (("client", lab.HOME, "11.22.33.12", "10.9.0.2"),
                                         ("server", "11.22.33.12", lab.HOME, "10.9.0.1")):
        output(host, "ip", "link", "add", "vpn0", *tunnel.format(local, remote).split())
        output(host, "ip", "addr", "add", address + "/24", "dev", "vpn0")
        output(host, "ip", "link", "set", "vpn0", "up")
    output("client", "ip", "route", "add", "11.22.33.10/31", "dev", "vpn0", "src", "10.9.0.2")
    output("server", "nft", "add table inet vpn; add chain inet vpn input { type filter hook input priority filter; };"
           "add rule inet vpn input iifname vpn0 meta l4proto udp drop")
    check, findings = stun_nat()
    family = check["data"]["ipv4"]
    equal(family["nat_type"], "udp-blocked", check["summary"])
    equal(family["egress"], {"interface": "vpn0", "kind": "tunnel"}, "egress")
    true("vpn0, a tunnel like those of VPNs" in findings["nat.udp-blocked"]["message"], findings)


def can_tunnel():
    """Prints whether this kernel has the tunnel that vpn_without_udp() needs."""
    with contextlib.suppress(subprocess.CalledProcessError):
        output("client", "ip", "link", "add", "vpn0", "type", "vxlan", "id", "7", "dstport", "4789", "dev", "eth0")
        print("yes")


def nat64_announced():
    check, findings = stun_nat()
    equal(check["data"]["nat64"], {"prefix": "64:ff9b::/96"}, "nat64")
    true("64:ff9b::/96" in findings["nat.nat64"]["message"], findings)


def nat64_not_announced():
    check, findings = stun_nat()
    equal((check["data"]["nat64"], check["data"]["nat64_reason"]), (None, "not-announced"), "nat64")
    true("nat.nat64" not in findings, findings)


def nat64_not_asked():
    equal(stun_nat()[0]["data"]["nat64_reason"], "not-asked", "nat64")


def translator_on_this_machine():
    """What a 464XLAT translator looks like from above: an address of RFC 7335 that is rewritten below."""
    output("client", "nft", "add table ip clat;"
           "add chain ip clat out { type nat hook postrouting priority srcnat; };"
           f"add rule ip clat out ip saddr 192.0.0.4 snat to {CLIENT}")
    output("client", "ip", "addr", "add", "192.0.0.4/29", "dev", "eth0")
    output("client", "ip", "route", "replace", "default", "via", "192.168.7.1", "src", "192.0.0.4")
    check, findings = stun_nat()
    family = check["data"]["ipv4"]
    equal(family["local"].split(":")[0], "192.0.0.4", "local address")
    equal((family["translated_from_ipv6"], family["carrier_hop"]), (True, None), "translator")
    true("nat.cgnat" not in findings and "nat.nat64" in findings, findings)
    equal(check["data"]["nat64"], {"prefix": "64:ff9b::/96"}, "nat64")


def stun_servers():
    """On the client: the check's findings, and what came of both servers by UDP and by TCP."""
    done = subprocess.run([lab.P2PDIAG, "--profile", "lab", "run", "stun.servers", "--format", "json"],
                          stdout=subprocess.PIPE, check=False)
    report = json.loads(done.stdout)
    families = [server["ipv4"] for server in report["checks"][0]["data"]["servers"]]
    came = {name: [family[name] for family in families] for name in ("udp", "tcp")}
    return {finding["code"]: finding for finding in report["findings"]}, came


def reject(host, hook, how):
    """A rule of `host` that rejects what goes to port 3478, for as long as it is asked."""
    output(host, "nft", f"add table inet x; add chain inet x c {{ type filter hook {hook} priority 0; }};"
           f"add rule inet x c meta l4proto {{ tcp, udp }} th dport 3478 {how}")
    findings, came = stun_servers()
    output(host, "nft", "delete table inet x")
    message = findings["nat.stun-unreachable"]["message"]
    return message, {(told["reason"], told["icmp"] and told["icmp"]["meaning"]) for name in came for told in came[name]}, {
        told["icmp"]["by"] for name in came for told in came[name] if told["icmp"]}


def who_refuses():
    message, reasons, by = reject("router", "forward", "reject with icmp admin-prohibited")
    equal((reasons, by), ({("unreachable", "prohibited")}, {"192.168.7.1"}), "router")
    true("a refusal by 192.168.7.1 and not by the server" in message, message)
    message, reasons, by = reject("client", "output", "reject")
    equal((reasons, by), ({("not-permitted", "port-unreachable")}, {CLIENT}), "this machine")
    true("this machine's own firewall" in message, message)
    message, reasons, by = reject("server", "input", "reject")
    equal((reasons, by), ({("refused", "port-unreachable")}, {lab.SERVER, lab.OTHER_SERVER}), "server")
    true("a refusal by the server itself" in message, message)
    output("client", "ip", "rule", "add", "ipproto", "udp", "dport", "3478", "prohibit", "pref", "10")
    findings, came = stun_servers()
    equal({told["reason"] for told in came["udp"]}, {"no-route"}, "UDP")
    equal({told["reachable"] for told in came["tcp"]}, {True}, "TCP")
    equal(findings["firewall.outbound-blocked"]["evidence"]["by"], "routes", "by")


def stun_dropped_by_content():
    output("router", "nft", "add table inet x; add chain inet x f { type filter hook forward priority -5; };"
           "add rule inet x f iifname lan0 meta l4proto udp @th,96,32 0x2112a442 drop")
    check, findings = stun_nat()
    family = check["data"]["ipv4"]
    equal((family["nat_type"], family["nat_type_reason"]), (None, "stun-filtered"), check["summary"])
    true(family["answers_without_cookie"].endswith(":3478") and "nat.udp-blocked" not in findings, findings)


def answers_lost_by_port():
    """As of a router that spreads flows over two links, of which one is broken: filters are tested from odd ports, and
    all other sockets have even ones."""
    output("server", "nft", "add table ip x; add chain ip x o { type filter hook output priority 0; };"
           "add rule ip x o udp sport 3479 udp dport and 1 == 1 drop")
    check, findings = stun_nat()
    family = check["data"]["ipv4"]
    equal((family["mapping"], family["filtering"], family["filtering_reason"]),
          ("endpoint-independent", None, "flow-loss"), check["summary"])
    true(family["nat_type"] is None and not set(findings) & {"nat.restricted-cone", "nat.port-restricted-cone"}, findings)
    true("between" in check["summary"], check["summary"])


CASES = [who_refuses, stun_dropped_by_content, answers_lost_by_port, all_udp_blocked, one_port_blocked_at_a_cone,
         one_port_blocked_at_a_symmetric_nat, vpn_without_udp, can_tunnel,
         nat64_announced, nat64_not_announced, nat64_not_asked, translator_on_this_machine]


def setUpModule():
    # For the same file inside the lab.
    os.environ["P2PDIAG"] = lab.P2PDIAG


class Blocked(unittest.TestCase):
    def test_all_udp(self):
        lab.inside(all_udp_blocked, "--nat", "port-restricted-cone", "--block", "udp", servers=True)

    def test_one_port(self):
        for nat in ("full-cone", "port-restricted-cone"):
            lab.inside(one_port_blocked_at_a_cone, "--nat", nat, "--block", "udp-3478", servers=True)
        lab.inside(one_port_blocked_at_a_symmetric_nat, "--nat", "symmetric", "--block", "udp-3478", servers=True)

    def test_refused(self):
        lab.inside(who_refuses, "--nat", "port-restricted-cone", servers=True)

    def test_by_content(self):
        lab.inside(stun_dropped_by_content, "--nat", "port-restricted-cone", servers=True)

    def test_by_port(self):
        lab.inside(answers_lost_by_port, "--nat", "full-cone", servers=True)

    def test_by_a_vpn(self):
        if "yes" not in lab.inside(can_tunnel, "--nat", "open"):
            self.skipTest("this kernel has no vxlan")
        lab.inside(vpn_without_udp, "--nat", "open", servers=True)


class Translated(unittest.TestCase):
    def test_nat64(self):
        # A kind that takes its time: nothing waits for the resolver.
        lab.inside(nat64_announced, "--nat", "port-restricted-cone", "--ipv6", "--dns", "nat64", servers=True)
        lab.inside(nat64_not_announced, "--nat", "port-restricted-cone", "--ipv6", servers=True)
        lab.inside(nat64_not_asked, "--nat", "port-restricted-cone", "--dns", "nat64", servers=True)

    def test_464xlat_is_no_second_nat(self):
        lab.inside(translator_on_this_machine, "--nat", "port-restricted-cone", "--cgnat", "full-cone", "--dns",
                   "nat64", servers=True)


if __name__ == "__main__":
    lab.main(CASES)
