"""p2pdiag forward with a real router daemon: what it says is in the router's rules, and comes back out of them."""
import contextlib
import json
import os
import re
import socket
import subprocess
import tempfile

import lab
from forward_lab import (
    CLIENT6, Cases, NAT, PORT, PROTOCOLS, REMOVAL, add, caught, check, open_to_strangers, p2pdiag, pinholes,
    records, restart, rules, set_spy, undo_all, wait_for, words)
from lab import CLIENT, HOME, SERVER, equal, on, output, true, udp


# ---- inside

FIREWALL = "ct state established,related accept\n udp dport 8000 drop"


BOTH = [(socket.IPPROTO_TCP, PORT), (socket.IPPROTO_UDP, PORT)]


def udp_arrives():
    stranger, program = udp("server", SERVER), udp("client", CLIENT, PORT)
    stranger.sendto(b"hello", (HOME, PORT))
    data, source = program.recvfrom(100)
    equal((data, source), (b"hello", stranger.getsockname()), "over UDP")


def tcp_arrives():
    with on("client"):
        listener = socket.create_server((CLIENT, PORT))
    listener.settimeout(lab.PATIENCE)
    with on("server"):
        stranger = socket.create_connection((HOME, PORT), timeout=lab.PATIENCE)
    accepted, source = listener.accept()
    equal(source, stranger.getsockname(), "over TCP")
    for made in (accepted, stranger, listener):
        made.close()


def both_protocols():
    """A packet from the internet arrives by UDP and TCP; undo leaves nothing."""
    equal(rules(), [], "before")
    result = add("--protocol", "both")
    equal(rules(), BOTH, "the router's rules")
    udp_arrives()
    tcp_arrives()
    true('"method": "packet"' in words(result) or "a packet from" in words(result), words(result))
    true("from outside, TCP cannot be tried" in words(result), words(result))
    listed = json.loads(p2pdiag("forward", "list", "--format", "json").stdout)
    ours = [row for row in listed["forwards"] if row["whose"] == "ours"]
    equal(sorted((row["protocol"], row["external_port"]) for row in ours), [("tcp", PORT), ("udp", PORT)], "list")
    # Once more is another two hours of the same.
    before = records()
    again = add("--protocol", "both")
    true(all("for another 2 h" in step["title"] for step in again["steps"]), words(again))
    equal(records(), before, "the journal after the second time")
    equal(rules(), BOTH, "after the second time")
    undo_all()
    equal(rules(), [], "after undo")
    nothing = p2pdiag("forward", "remove", "--port", str(PORT), "--yes", expect=None)
    true(nothing.returncode not in (4, 2), f"nothing to remove: {nothing.returncode}{nothing.stderr}")


def remove_one():
    add("--protocol", "both")
    p2pdiag("forward", "remove", "--port", str(PORT), "--protocol", "tcp", "--yes")
    equal(rules(), [(socket.IPPROTO_UDP, PORT)], "after removing TCP")
    undo_all()
    equal(rules(), [], "after undo")


def external_port():
    result = add("--external", "9000")
    equal(rules(), [(socket.IPPROTO_UDP, 9000)], "the router's rules")
    true("a packet from" in words(result), words(result))
    undo_all()


def killed():
    """kill -9 of everything of p2pdiag once the router has the forward; undo --all takes it back."""
    with on("client"):
        process = subprocess.Popen([lab.P2PDIAG, "--profile", "lab", "forward", "add", "--port", str(PORT),
                                    "--protocol", "both", "--keep", "--yes"], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    wait_for(lambda: rules() == BOTH, "the forward is not there")
    process.kill()
    process.communicate(timeout=60)
    equal(rules(), BOTH, "after the kill")
    undo_all()
    equal(rules(), [], "after undo")


def host_firewall():
    """F2: the router forwards, and this machine's own firewall drops it."""
    result = words(add(expect=None))
    true("portmap.mapped-but-unreachable" in result, result)
    true("host-firewall" in result, result)
    true("this machine's own firewall drops it" in result, result)
    undo_all()
    equal(rules(), [], "after undo")


def not_forwarding():
    """C3: the router lists it, and drops what comes: said so, after a second try."""
    output("router", "nft", "insert", "rule", "inet", "igd", "forward", "iifname", "wan0", "udp", "dport", str(PORT),
           "drop")
    result = words(add(expect=None))
    true("portmap.mapped-but-unreachable" in result, result)
    true("does not come in" in result, result)
    undo_all()
    equal(rules(), [], "after undo")


def second_try(protocol):
    """C3: what is listed and does not forward is removed and made once more, and then it does."""
    with spy(f"""set removed {{ type ipv4_addr; flags dynamic; }}
        chain input {{
            type filter hook input priority filter - 10
            {REMOVAL[protocol]} update @removed {{ ip saddr }}
        }}
        chain forward {{
            type filter hook forward priority filter - 10
            iifname wan0 udp dport {PORT} ip daddr != @removed counter name caught drop
        }}"""):
        result = add()
        true(caught() > 0, "the first try was to fail")
        true(CLIENT in output("router", "nft", "list", "set", "inet", "spy", "removed"), "not removed")
        equal(result["status"], "applied", words(result))
        true("a packet from" in words(result), words(result))
        equal((rules(), len(records())), ([(socket.IPPROTO_UDP, PORT)], 1), "after the second try")
        udp_arrives()
    undo_all()
    equal(rules(), [], "after undo")


def second_try_by_upnp():
    second_try("upnp")


def second_try_by_pcp():
    second_try("pcp")


def low_port():
    """E7: a port below 1024 that the router keeps: by PCP another one at once, and exactly that one not at all."""
    # Not to a low port of this machine either: said at once, by a daemon that goes on answering.
    refused = add_port(80)
    equal((refused["status"], rules(), records()), ("not-applied", [], []), words(refused))
    true("606" in words(refused) and "neither for external port 80" in words(refused), words(refused))
    true("portmap.none" not in words(refused), words(refused))
    # This machine's low ports may be forwarded to, and the router keeps its own.
    restart(allow="1024-65535 192.168.7.0/24 1-65535")
    with spy("""set asked { type inet_service; flags dynamic; }
        chain input {
            type filter hook input priority filter - 10
            udp dport 5351 @th,64,8 2 @th,72,8 1 @th,96,32 > 0 update @asked { udp sport }
        }"""):
        other = add_port(80, "--via", "pcp")
        equal(other["status"], "applied", words(other))
        true("Note the port: 80 was asked for" in words(other), words(other))
        ((_, port),) = rules()
        true(port >= 49152, f"port {port}: it went through them one by one")
        equal(asked(), 2, "requests")
        # It is called by what was granted.
        step = other["steps"][0]
        true(f"Forward UDP port {port} of" in step["title"] and f"UDP port {port} " in step["undo"], words(step))
        p2pdiag("forward", "remove", "--port", "80", "--yes")
        equal(rules(), [], "after it was removed")
        exact = add_port(80, "--external", "80", "--via", "pcp")
        equal(exact["status"], "not-applied", words(exact))
        true("portmap.conflict" in words(exact) and "cannot give that very port" in words(exact), words(exact))
        equal((asked(), rules(), records()), (3, [], []), "after the refusal")


def asked():
    """How many sockets asked; one that asks again is one."""
    listed = json.loads(output("router", "nft", "-j", "list", "set", "inet", "spy", "asked"))["nftables"]
    return sum(len(one["set"].get("elem", [])) for one in listed if "set" in one)


def add_port(port, *options):
    done = p2pdiag("forward", "add", "--port", str(port), "--yes", "--format", "json", *options, expect=None)
    return json.loads(done.stdout)


def taken():
    """718: the port is somebody else's, who keeps it; another one is offered."""
    output("client", "upnpc", "-a", "192.168.7.2", "1234", str(PORT), "udp", "600")
    result = words(add(expect=None))
    true("portmap.conflict" in result and "192.168.7.2:1234" in result, result)
    true("--external 8001" in result, result)
    equal(rules(), [(socket.IPPROTO_UDP, PORT)], "the other's forward")
    undo_all()
    equal(rules(), [(socket.IPPROTO_UDP, PORT)], "the other's forward, after undo")


def with_program():
    """A program listens already: the packet is seen at the interface."""
    program = udp("client", CLIENT, PORT)
    result = words(add())
    true("at the network interface" in result, result)
    program.close()
    undo_all()


def no_igd():
    """Nobody answers: the manual steps have this machine's own values."""
    result = words(add(expect=None))
    for value in ("http://192.168.7.1/", "internal address 192.168.7.2", "external port 8000", "portmap.none"):
        true(value in result, f"{value}: {result}")


def carrier():
    """Two NATs: named, and no forward is promised."""
    result = words(add(expect=None))
    true("nat.double-nat" in result or "nat.cgnat" in result, result)
    true("could not be reached from the internet" in result or "cannot be reached" in result, result)
    true("works" not in result, result)
    equal(rules(), [], "the router's rules")
    report = json.loads(p2pdiag("run", "upnp.gateways", "--format", "json", expect=None).stdout)
    true("nat.double-nat" in {finding["code"] for finding in report["findings"]}, words(report))


@contextlib.contextmanager
def spy(rules_of_spy):
    set_spy(rules_of_spy)
    try:
        yield
    finally:
        output("router", "nft", "delete", "table", "inet", "spy")


def pinhole(*options):
    """IPv6: the router's firewall lets the port through, and closes again."""
    equal(open_to_strangers(), False, "before")
    done = []
    # As above: a plan waits for no router longer than three seconds.
    wait_for(lambda: done.append(add(*options, expect=None)) or done[-1]["status"] == "applied", "applied")
    result = words(done[-1])
    true(CLIENT6 in result, result)
    equal(open_to_strangers(), True, "through the pinhole")
    undo_all()
    equal(open_to_strangers(), False, "after undo")
    equal(pinholes(), [], "after undo")


def pinhole_by_igd():
    """WANIPv6FirewallControl, of a router whose routes lead to its link-local address, as advertised ones do."""
    shown = output("router", "ip", "-6", "-brief", "address", "show", "lan0", "scope", "link")
    router = re.search(r"fe80:[0-9a-f:]+", shown).group()
    output("client", "ip", "-6", "route", "replace", "default", "via", router, "dev", "eth0")
    # It answers from its link-local address as well, with a LOCATION that is not believed from there. A busy machine may
    # need several searches to hear and read all of it.
    wanted = [("192.168.7.1:1900", True, None), ("[2001:db8:7::1]:1900", True, None)]

    def listed():
        found, codes = check("upnp.gateways")
        true("portmap.multiple-gateways" not in codes, words(found))
        devices = (found["data"] or {}).get("devices", [])
        read = all(device.get("firewall") for device in devices)
        return read and wanted == sorted((one["from"], one["preferred"], one["problems"]) for one in devices)

    wait_for(listed, "the router's two addresses")
    pinhole("--via", "upnp")


CASES = [both_protocols, remove_one, external_port, killed, host_firewall, not_forwarding, second_try_by_upnp,
         second_try_by_pcp, low_port, taken, with_program, no_igd, carrier, pinhole, pinhole_by_igd]


# ---- outside

class Forward(Cases):
    def test_each_protocol(self):
        self.inside(*((case, "--igd", protocol) for protocol in PROTOCOLS
                      for case in (both_protocols, external_port, killed)))

    def test_symmetric(self):
        self.inside((both_protocols, "--igd", "upnp"), nat=("--nat", "symmetric"))

    def test_what_stands_in_the_way(self):
        with lab.firewall(FIREWALL) as path:
            self.inside((host_firewall, "--igd", "upnp", "--host-firewall", path), (not_forwarding, "--igd", "upnp"),
                        (not_forwarding, "--igd", "pcp"), (second_try_by_upnp, "--igd", "upnp"),
                        (second_try_by_pcp, "--igd", "pcp"), (low_port, "--igd", "upnp,natpmp,pcp"),
                        (taken, "--igd", "upnp"), (with_program, "--igd", "natpmp"),
                        (remove_one, "--igd", "upnp"))

    def test_nobody_and_carrier(self):
        self.inside((no_igd,), *((carrier, "--cgnat", "port-restricted-cone", "--igd", protocols)
                                 for protocols in ("upnp,natpmp,pcp", "pcp")))

    def test_ipv6(self):
        self.inside((pinhole_by_igd, "--ipv6", "--igd", "upnp"), (pinhole, "--ipv6", "--igd", "pcp"))

    def test_a_lab_has_its_own_journal(self):
        """What is forwarded in a lab vanishes with it, and the user's own journal never hears of it."""
        with tempfile.TemporaryDirectory() as place:
            done = lab.lab("run", *NAT, "--igd", "pcp", "--no-servers", "--", "forward", "add", "--port", str(PORT),
                           "--yes", env={**os.environ, "XDG_STATE_HOME": place})
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn("p2pdiag undo ", done.stdout)
            self.assertEqual(os.listdir(place), [])


if __name__ == "__main__":
    lab.main(CASES)
