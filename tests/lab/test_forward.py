"""p2pdiag forward with a real router daemon: what it says is in the router's rules, and comes back out of them."""
import concurrent.futures
import contextlib
import json
import os
import re
import select
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import lab
from lab import CLIENT, HOME, SERVER, arrives, endpoint, equal, mapped, on, output, true, udp

PORT = 8000
FIREWALL = "ct state established,related accept\n udp dport 8000 drop"


# ---- inside

def p2pdiag(*arguments, expect=0, host="client"):
    with on(host):
        done = subprocess.run([lab.P2PDIAG, "--profile", "lab", *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=120)
    true(expect is None or done.returncode == expect, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def add(*options, expect=0):
    done = p2pdiag("forward", "add", "--port", str(PORT), "--yes", "--format", "json", *options, expect=expect)
    return json.loads(done.stdout)


def records():
    listed = json.loads(p2pdiag("undo", "--list", "--format", "json").stdout)["changes"]
    return sorted(change["id"] for change in listed if change["state"] == "applied")


def undo_all():
    p2pdiag("undo", "--all", "--yes")


def rules():
    """The ports that the router leads inside, as (layer 4 protocol, port)."""
    text = output("router", "nft", "list", "chain", "inet", "igd", "prerouting_miniupnpd")
    found = re.findall(r"@nh,72,8 0x([0-9a-f]+) th dport (\d+) dnat ip to", text)
    return sorted((int(number, 16), int(port)) for number, port in found)


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


def words(result):
    return json.dumps(result)


def long_list():
    """A router is asked for all that it forwards, however many questions that takes."""
    ports = range(9000, 9030)
    output("client", "upnpc", "-r", *(word for port in ports for word in (str(port), "udp")))
    listed = json.loads(p2pdiag("forward", "list", "--format", "json").stdout)
    equal(sorted(row["external_port"] for row in listed["forwards"]), list(ports), words(listed["notes"]))


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


def wait_for(condition, what):
    deadline = time.monotonic() + 3 * lab.PATIENCE
    while not condition():
        true(time.monotonic() < deadline, what)
        time.sleep(0.05)


def keep():
    """A restart of the router's daemon loses the forward; --keep makes it again, and removes it at the end."""
    with on("client"):
        process = subprocess.Popen([lab.P2PDIAG, "--profile", "lab", "forward", "add", "--port", str(PORT), "--keep",
                                    "--yes"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True)
    try:
        wait_for(lambda: len(rules()) == 1, "the forward is not there")
        # The kept part begins after the verification.
        for line in process.stdout:
            if "kept up" in line:
                break
        restart_daemon()
        wait_for(lambda: len(rules()) == 1, "the forward was not made again")
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
        true("is made again" in rest, rest)
    finally:
        process.kill()
    equal(rules(), [], "at the end")


def keep_what_is_there():
    """--keep after a plain add takes up the forward that is in force, and removes it at the end."""
    add()
    before = records()
    with on("client"):
        process = subprocess.Popen([lab.P2PDIAG, "--profile", "lab", "forward", "add", "--port", str(PORT), "--keep",
                                    "--yes"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True)
    try:
        for line in process.stdout:
            if "kept up" in line:
                break
        equal(records(), before, "the journal")
        # A third one leaves it to the process that keeps it.
        nothing = json.loads(p2pdiag("forward", "add", "--port", str(PORT), "--yes", "--format", "json").stdout)
        equal(nothing["status"], "nothing", words(nothing))
        true(f"process {process.pid}" in words(nothing), words(nothing))
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        equal(process.returncode, 0, "the exit code")
    finally:
        process.kill()
    equal((rules(), records()), ([], []), "at the end")


def age(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        started = int(file.read().rsplit(")", 1)[1].split()[19]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started


def has_ended(pid):
    with contextlib.suppress(ChildProcessError):  # the lab's own is no child of ours
        os.waitpid(pid, os.WNOHANG)
    return not os.path.exists(f"/proc/{pid}")


CONFIG = "/run/p2pdiag-lab/miniupnpd.conf"


def restart_daemon(forget=True, aged=True, **lines):
    """As after a reboot: all state is gone, and the epoch begins anew. `lines` of its configuration are others."""
    with open("/run/p2pdiag-lab/miniupnpd.pid", encoding="ascii") as file:
        pid = int(file.read())
    # RFC 6887 section 8.5 forgives a clock that is a second or two off.
    if aged:
        wait_for(lambda: age(pid) > 6, "the daemon does not age")
    os.kill(pid, signal.SIGKILL)
    # A second one will not start beside it.
    wait_for(lambda: has_ended(pid), "the daemon does not end")
    with open(CONFIG, encoding="ascii") as file:
        before = file.read().splitlines()
    with open(CONFIG, "w", encoding="ascii") as file:
        for line in before:
            name, mark, _ = re.split("([= ])", line, maxsplit=1)
            file.write((name + mark + lines[name] if name in lines else line) + "\n")
    if forget:
        for chain in ("miniupnpd", "prerouting_miniupnpd", "postrouting_miniupnpd"):
            output("router", "nft", "flush", "chain", "inet", "igd", chain)
        with contextlib.suppress(FileNotFoundError):
            os.unlink("/run/p2pdiag-lab/upnp.leases")
        equal(rules(), [], "after the daemon's end")
    with on("router"):
        subprocess.Popen(["miniupnpd", "-d", "-f", CONFIG, "-P",
                          "/run/p2pdiag-lab/miniupnpd.pid"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL, start_new_session=True)


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


def restart(**lines):
    """The daemon, and waits until it listens."""
    restart_daemon(aged=False, **lines)
    port = lines.get("http_port", "5000")
    wait_for(lambda: f":{port} " in output("router", "ss", "-Hltn"), "the daemon does not listen")


def add_port(port, *options):
    done = p2pdiag("forward", "add", "--port", str(port), "--yes", "--format", "json", *options, expect=None)
    return json.loads(done.stdout)


def router_elsewhere():
    """C10: undo after the router's restart, at another port, with another address and another network card."""
    by_upnp = ("--via", "upnp")
    add(*by_upnp)
    restart(forget=False, http_port="5001")
    equal(rules(), [(socket.IPPROTO_UDP, PORT)], "after the restart")
    undo_all()
    equal((rules(), records()), ([], []), "after undo at another port")

    add(*by_upnp)
    move_router("192.168.7.1", "02:00:00:00:00:97")
    restart(forget=False, http_port="5001")
    undo_all()
    equal((rules(), records()), ([], []), "after undo with another network card")

    add(*by_upnp)
    move_router("192.168.7.99", "02:00:00:00:00:99")
    restart(forget=False, http_port="5002")
    equal(rules(), [(socket.IPPROTO_UDP, PORT)], "after the move")
    undo_all()
    equal((rules(), records()), ([], []), "after undo at another address")

    # Another device with the router's address says that there is nothing, and is not believed.
    add(*by_upnp)
    move_router("192.168.7.99", "02:00:00:00:00:98")
    restart(http_port="5002", uuid="5d1c1bb4-0f2c-4c5e-9d0c-000000000000")
    refused = p2pdiag("undo", "--all", "--yes", "--format", "json", expect=None)
    true("another router has its address" in refused.stdout, refused.stdout + refused.stderr)
    equal(len(records()), 1, "the journal")
    # … and the plan does not take it for the router that it was.
    again = words(add(*by_upnp))
    true("was forwarded before by UPnP" in again and "not among those that answer here" in again, again)


def move_router(address, hardware):
    output("router", "sh", "-c", "ip address flush dev lan0 scope global; "
           f"ip link set lan0 address {hardware} && ip address add {address}/24 dev lan0")
    output("client", "sh", "-c", f"ip neighbour flush dev eth0; ip route replace default via {address}")


def keep_elsewhere():
    """C10: a router that comes back at another port has lost the forward, and gets it again there."""
    with kept("--via", "upnp") as process:
        restart(http_port="5001")
        read_until(process, "is asked for at the router's new address http://192.168.7.1:5001/")
        wait_for(lambda: len(rules()) == 1, "the forward was not made again")
    equal((rules(), records()), ([], []), "at the end")


@contextlib.contextmanager
def kept(*options, code=0):
    """A forward while it is kept up; ended with Ctrl-C."""
    with on("client"):
        process = subprocess.Popen([lab.P2PDIAG, "--profile", "lab", "forward", "add", "--port", str(PORT), "--keep",
                                    "--yes", *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True)
    try:
        read_until(process, "kept up")
        yield process
        process.send_signal(signal.SIGINT)
        process.said, _ = process.communicate(timeout=60)
        true(code in (None, process.returncode), f"{process.returncode}: {process.said}")
    finally:
        process.kill()


def read_until(process, mark, patience=60):
    """The rest stays for the next who reads."""
    said = b""
    deadline = time.monotonic() + patience
    while mark.encode() not in said or not said.endswith(b"\n"):
        left = max(deadline - time.monotonic(), 0)
        true(select.select([process.stdout], [], [], left)[0], f"no {mark!r}:\n{said.decode(errors='replace')}")
        byte = os.read(process.stdout.fileno(), 1)
        true(byte, f"it ended without {mark!r}:\n{said.decode(errors='replace')}")
        said += byte


NEW_ADDRESS = "192.168.7.50"


def targets():
    """Where the router leads to, as (address, port)."""
    text = output("router", "nft", "list", "chain", "inet", "igd", "prerouting_miniupnpd")
    return sorted(re.findall(r"dnat ip to ([0-9.]+):(\d+)", text))


def readdress():
    output("client", "sh", "-c", f"ip address del {CLIENT}/24 dev eth0 && ip address add {NEW_ADDRESS}/24 dev eth0 && "
           "ip route replace default via 192.168.7.1")


def keep_follows():
    """This machine gets another address while a forward is kept up: it is made for that one, the old one goes."""
    restart(secure_mode="no")  # else the router removes a forward for nobody but whom it leads to
    with kept("--via", "upnp") as process:
        readdress()
        read_until(process, f"leads to {NEW_ADDRESS} now")
        equal(targets(), [(NEW_ADDRESS, str(PORT))], "where it leads")
        stranger, program = udp("server", SERVER), udp("client", NEW_ADDRESS, PORT)
        stranger.sendto(b"hello", (HOME, PORT))
        equal(program.recvfrom(100)[0], b"hello", "at the new address")
    equal((rules(), records()), ([], []), "at the end")


def keep_follows_in_part(protocol):
    """Routers that listen to the old address alone about the old forward: it stays, and that is said."""
    with kept("--via", protocol, code=1) as process:
        readdress()
        read_until(process, "stays behind in the router")
        true(NEW_ADDRESS in {address for address, _ in targets()}, targets())
    equal(targets(), [(CLIENT, str(PORT))], "at the end")
    equal(len(records()), 1, "the journal")
    # Once it has the old address again it can be taken back.
    output("client", "ip", "address", "add", f"{CLIENT}/24", "dev", "eth0")
    undo_all()
    equal((rules(), records()), ([], []), "after undo")


def keep_follows_by_upnp():
    keep_follows_in_part("upnp")


def keep_follows_by_pcp():
    keep_follows_in_part("pcp")


def keep_follows_by_natpmp():
    keep_follows_in_part("natpmp")


MOVED = "11.22.33.199"


def keep_notices():
    """The router's outside address changes and the daemon goes on: the new one is told."""
    for protocol in PROTOCOLS:
        with kept("--via", protocol) as process:
            # UPnP and NAT-PMP do not tell it with the grant, so that a change before the first look is none.
            true(any(is_told(process, *move) for move in ((HOME, MOVED), (MOVED, HOME), (HOME, MOVED))), protocol)
        equal((rules(), records()), ([], []), f"{protocol}: at the end")
        readdress_router(MOVED, HOME)


def is_told(process, before, after):
    readdress_router(before, after)
    with contextlib.suppress(AssertionError):
        read_until(process, after, patience=10)
        return True
    return False


def readdress_router(before, after):
    if before in output("router", "ip", "address", "show", "dev", "wan0"):
        output("router", "ip", "address", "del", f"{before}/24", "dev", "wan0")
        output("router", "ip", "address", "add", f"{after}/24", "dev", "wan0")


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


def check(identifier, *more):
    report = json.loads(p2pdiag("run", identifier, *more, "--format", "json", expect=None).stdout)
    found = next(one for one in report["checks"] if one["id"] == identifier)
    return found, {finding["code"] for finding in report["findings"] if finding["check"] == identifier}


def gateways():
    found, codes = check("upnp.gateways")
    # Where two protocols have answered at once, UPnP has a second; on a busy machine the router may need longer.
    for _ in range(9):
        if "portmap.upnp" in codes or not found["data"]["ended_early"]:
            break
        found, codes = check("upnp.gateways")
    equal(found["status"], "pass", words(found))
    equal(codes, {"portmap.upnp", "portmap.natpmp", "portmap.pcp"}, "codes")
    equal((found["data"]["outside"], found["data"]["nat_layers"]), ("same-as-stun", 1), "outside")
    equal(found["data"]["devices"][0]["control_url"], "http://192.168.7.1:5000/ctl/IPConn", "control URL")


def mapping():
    output("client", "upnpc", "-a", "192.168.7.2", str(PORT), str(PORT), "udp", "600")
    # On a busy machine the router may not say in time what it lists, which is "unknown", or answers be too late to count.
    for _ in range(5):
        found, codes = check("upnp.mapping")
        trials = found["data"]["trials"]
        if [trial["read_back"] for trial in trials][:1] == ["yes"] and all(trial["packet"] == "arrived" for trial in trials):
            break
    equal(found["status"], "pass", words(found))
    equal([trial["protocol"] for trial in trials], ["upnp", "pcp", "natpmp"], "protocols")
    for trial in trials:
        # The one that was there is not touched.
        equal(trial["asked"]["external_port"], PORT + 1, "the port")
        equal(trial["removed"], True, "removed")
        equal(trial["packet"], "arrived", "a packet from outside")
    equal(trials[0]["read_back"], "yes", "read back")
    equal(rules(), [(socket.IPPROTO_UDP, PORT)], "what is left")


# What a request to remove a mapping looks like to nft. UPnP: the bytes up to the name of the action. PCP (RFC 6887
# section 7.1) and NAT-PMP (RFC 6886 section 3.3): version, opcode, and a lifetime of 0.
UPNP_REQUEST = ('POST /ctl/IPConn HTTP/1.1\r\nHost: 192.168.7.1:5000\r\nUser-Agent: Linux UPnP/1.1 p2pdiag/1\r\n'
                'Connection: close\r\nContent-Type: text/xml; charset="utf-8"\r\n'
                'SOAPAction: "urn:schemas-upnp-org:service:WANIPConnection:1#')
REMOVAL = {"upnp": f"tcp dport 5000 @ih,{8 * len(UPNP_REQUEST)},48 0x{b'Delete'.hex()}",
           "pcp": "udp dport 5351 @th,64,8 2 @th,72,8 1 @th,96,32 0",
           "natpmp": "udp dport 5351 @th,64,8 0 @th,72,8 1 @th,128,32 0"}


def set_spy(rules_of_spy, table="spy"):
    """A table of the router's beside the daemon's, with a counter `caught`."""
    with on("router"):
        subprocess.run(["nft", "-f", "-"], check=True, text=True,
                       input=f"table inet {table} {{\ncounter caught {{ }}\n{rules_of_spy}\n}}\n")


@contextlib.contextmanager
def spy(rules_of_spy):
    set_spy(rules_of_spy)
    try:
        yield
    finally:
        output("router", "nft", "delete", "table", "inet", "spy")


def caught(table="spy"):
    listed = output("router", "nft", "list", "counter", "inet", table, "caught")
    return int(re.search(r"packets (\d+)", listed).group(1))


def lose_removals(protocol, table, sockets):
    """What the first so many sockets send that ask for a removal never arrives, and what later ones send does.

    It stays: the kernel repeats what a socket had to send after its process is gone.
    """
    layer = "tcp" if protocol == "upnp" else "udp"
    set_spy(f"""set asking {{ type inet_service; size {sockets}; flags dynamic; }}
        chain asked {{
            {REMOVAL[protocol]} add @asking {{ {layer} sport }}
        }}
        chain input {{
            type filter hook input priority filter - 10
            jump asked
            {layer} sport @asking counter name caught drop
        }}""", table)


def start_mapping(protocol, sockets):
    """A run of upnp.mapping whose first requests to remove its mapping are lost, just after that."""
    table = f"spy{len(re.findall('spy', output('router', 'nft', 'list', 'tables')))}"
    lose_removals(protocol, table, sockets)
    with on("client"):
        process = subprocess.Popen([lab.P2PDIAG, "--profile", "lab", "run", "upnp.mapping", "--skip", "stun.*"],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   text=True, start_new_session=True)
    wait_for(lambda: caught(table) > 0 or process.poll() is not None, "nothing was to be removed")
    return process, table


@contextlib.contextmanager
def mapping_stands(protocol, sockets=1):
    """A run of upnp.mapping, at the point where the router has its mapping and it is about to be removed.

    It asks a second time within two seconds; where the machine was too slow to look in between, it is run again.
    """
    before = rules()
    for _ in range(5):
        process, table = start_mapping(protocol, sockets)
        try:
            if process.poll() is None and rules() != before:
                yield process
                # New ones get through.
                output("router", "nft", "flush", "chain", "inet", table, "asked")
                return
            process.communicate(timeout=60)
        finally:
            process.kill()
            process.communicate(timeout=60)
    raise AssertionError(f"never seen before its mapping by {protocol} was removed")


def mapping_interrupted():
    """F1: Ctrl-C while a test mapping stands leaves none."""
    for protocol in ("upnp", "pcp", "natpmp"):
        for _ in range(5):
            with mapping_stands(protocol) as process:
                process.send_signal(signal.SIGINT)
                said, _ = process.communicate(timeout=60)
                equal(rules(), [], f"after Ctrl-C while one by {protocol} stood")
            if process.returncode == 130:  # else it had ended before that
                break
        equal(process.returncode, 130, said)


def processes_on_client():
    """Of p2pdiag, but for the lab's own."""
    here, found = os.stat("/run/netns/client").st_ino, []
    for entry in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if entry.isdigit() and os.stat(f"/proc/{entry}/ns/net").st_ino == here:
                with open(f"/proc/{entry}/cmdline", encoding="utf-8", errors="replace") as file:
                    words_of_it = file.read().split("\0")
                if words_of_it[0] == lab.P2PDIAG and "lab" not in words_of_it[1:2]:
                    found.append(words_of_it)
    return found


def mapping_killed():
    """F1: after a kill -9 while a test mapping stands, whoever runs next removes it, and nothing else."""
    output("client", "upnpc", "-a", CLIENT, str(PORT), str(PORT), "udp", "600")
    foreign = [(socket.IPPROTO_UDP, PORT)]
    state = os.environ["P2PDIAG_STATE_DIR"] + "/mapping-tests"

    def kill(protocol):
        # Whatever it sends before it is killed, and however late that is.
        with mapping_stands(protocol, sockets=100) as process:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate(timeout=60)
            wait_for(lambda: not any("upnp.mapping" in one for one in processes_on_client()), "it goes on")
        left = [rule for rule in rules() if rule not in foreign]
        equal((len(left), len(rules())), (1, 2), f"what the kill of {protocol} left")
        equal(len([name for name in os.listdir(state) if name.endswith(".json")]), 1, "records")
        return left

    for protocol, name in (("upnp", "UPnP"), ("pcp", "PCP"), ("natpmp", "NAT-PMP")):
        left = kill(protocol)
        found, _ = check("upnp.mapping", "--skip", "stun.*")
        equal(found["status"], "pass", words(found))
        (leftover,) = found["data"]["leftovers"]
        true(leftover["removed"] and f"UDP port {left[0][1]} by {name}" in leftover["what"], words(found))
        equal(rules(), foreign, f"after the next run, {protocol}")
        equal(os.listdir(state), [], "the records")
    ((_, port),) = kill("upnp")
    # The same port: the plan knows whose it is, and what is planned finds it free.
    done = json.loads(p2pdiag("forward", "add", "--port", str(port), "--yes", "--format", "json").stdout)
    equal(done["status"], "applied", words(done))
    equal(len(records()), 1, "the journal")
    undo_all()
    equal((rules(), os.listdir(state)), (foreign, []), "after the next forward")


CLIENT6 = "2001:db8:7::2"


def open_to_strangers():
    """Whether what a host of the internet that was never sent to sends over IPv6 comes in. A flow that came in once is known to
    the router from then on, so it is another one each time."""
    stranger, friend = (udp("server", "2001:db8:33::10", 0, socket.AF_INET6) for _ in range(2))
    program = udp("client", CLIENT6, PORT, socket.AF_INET6)
    with contextlib.closing(stranger), contextlib.closing(friend), contextlib.closing(program):
        equal(mapped(program, friend), endpoint(program), "no translation")
        return arrives(stranger, endpoint(program), program, friend, endpoint(program))


def pinholes():
    """The rules of the router that let the port in, over IPv6 and after the translation of IPv4."""
    return [line for line in output("router", "nft", "list", "chain", "inet", "igd", "miniupnpd").splitlines()
            if str(PORT) in line]


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


def told_as_it_is(done_or_said):
    """What is said to be gone is gone. miniupnpd 2.3.1 forgets whose a pinhole is that was renewed, or that was asked for again
    since the answer took its time, and then refuses to remove it."""
    true(bool(pinholes()) == ("may still be there" in done_or_said), f"{pinholes()}: {done_or_said}")


def pinhole_kept():
    """--keep over IPv6: a restart of the router's daemon loses the pinhole; it is made again, and closed at the end."""
    with kept("--via", "pcp", code=None) as process:
        equal(open_to_strangers(), True, "through the pinhole")
        restart_daemon()
        equal(pinholes(), [], "after the daemon's end")
        # The forward over IPv4 is kept up beside it, and has a rule there as well.
        address = "0x" + socket.inet_pton(socket.AF_INET6, CLIENT6).hex()
        wait_for(lambda: any(address in line for line in pinholes()), "the pinhole was not made again")
        equal(open_to_strangers(), True, "after the restart")
    told_as_it_is(process.said)
    equal((process.returncode, len(records())), (1, 1) if pinholes() else (0, 0), process.said)
    equal((rules(), open_to_strangers()), ([], bool(pinholes())), "at the end")


def pinhole_renewed():
    """What the router keeps though it was to be removed is no success, and stays in the journal until its time is over."""
    for _ in range(2):
        wait_for(lambda: add("--via", "pcp", expect=None)["status"] == "applied", "applied")
    done = p2pdiag("undo", "--all", "--yes", expect=None)
    told_as_it_is(done.stdout + done.stderr)
    equal((done.returncode, len(records())), (1, 1) if pinholes() else (0, 0), done.stdout + done.stderr)


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


def in_report(*options):
    """The whole report, once the router has been heard: on a busy machine a search may end before that."""
    for _ in range(9):
        report = json.loads(p2pdiag("run", "stun.nat", "upnp.gateways", *options, "--format", "json", expect=None).stdout)
        data = next(one for one in report["checks"] if one["id"] == "upnp.gateways")["data"] or {}
        heard = any((gateway["pcp"] or {}).get("works") for gateway in data.get("gateways", []))
        if data.get("complete") and (heard or any(device["usable"] for device in data["devices"])):
            break
    return report, {finding["code"]: finding["evidence"] for finding in report["findings"]}


def add_patiently(*options):
    """A plan waits for no router longer than three seconds, and a busy machine may need more."""
    done = []
    wait_for(lambda: done.append(add(*options, expect=None)) or done[-1]["status"] == "applied", "applied")


def known_to_the_diagnosis(protocol):
    """A forward is in force, then lost, and renewed by the remedy; behind a symmetric NAT it makes the verdict direct."""
    before, codes = in_report()
    true("portmap.forwarded" not in codes and before["verdict"]["status"] != "direct", words(before["verdict"]))
    add_patiently("--via", protocol)
    after, codes = in_report()
    equal((codes["portmap.forwarded"]["verified"], codes["portmap.forwarded"]["external"], codes["portmap.forwarded"]["via"]),
          ("packet", f"{HOME}:{PORT}", protocol), words(after["checks"]))
    equal(after["verdict"]["status"], "direct", words(after["verdict"]))
    true(f"Peers reach UDP port {PORT} of this machine at {HOME}:{PORT}" in after["verdict"]["headline"], words(after["verdict"]))
    # Of another port it is not.
    other, codes = in_report("--port", "8001")
    true("portmap.forwarded" in codes and other["verdict"]["status"] != "direct", words(other["verdict"]))
    restart_daemon()
    lost, codes = in_report()
    true("portmap.forwarded" not in codes, words(codes))
    true(lost["verdict"]["status"] != "direct", words(lost["verdict"]))
    # PCP: a daemon that is restarted when it is a few seconds old may be told by nothing but that its epoch is odd.
    if protocol == "upnp" or "portmap.forward-lost" in codes:
        cause = next(one for one in lost["causes"] if one["code"] == "cause.forward-lost")
        remedy = cause["remedies"][0]
        equal((remedy["id"], remedy["verb"], remedy["arguments"]), ("renew", "forward add", {"port": PORT, "protocol": "udp"}),
              words(cause))
    add_patiently("--via", protocol)
    equal(in_report()[0]["verdict"]["status"], "direct", "after the remedy")
    undo_all()
    true("portmap.forwarded" not in in_report()[1], "after undo")


def known_by_upnp():
    known_to_the_diagnosis("upnp")


def known_by_pcp():
    known_to_the_diagnosis("pcp")


def known_as_stale():
    """This machine has another address: the forward leads to nobody, and the remedy removes it."""
    restart(secure_mode="no")  # else the router removes a forward for nobody but whom it leads to
    add_patiently("--via", "upnp")
    readdress()
    report, codes = in_report()
    equal((codes["portmap.forward-stale"]["reason"], codes["portmap.forward-stale"]["leads_to"]),
          ("other-address", f"{CLIENT}:{PORT}"), words(codes))
    true("portmap.forwarded" not in codes and report["verdict"]["status"] != "direct", words(report["verdict"]))
    remedy = next(one for one in report["causes"] if one["code"] == "cause.forward-stale")["remedies"][0]
    equal((remedy["verb"], remedy["arguments"]), ("forward remove", {"port": PORT, "protocol": "udp"}), words(remedy))
    p2pdiag(*remedy["command"].split()[1:], "--yes")
    equal((rules(), records()), ([], []), "after the remedy")
    true("portmap.forward-stale" not in in_report()[1], "after the remedy")


CASES = [long_list, both_protocols, remove_one, external_port, killed, keep, keep_what_is_there, keep_elsewhere, keep_follows,
         keep_follows_by_upnp, keep_follows_by_pcp, keep_follows_by_natpmp, router_elsewhere, host_firewall,
         keep_notices, known_by_upnp, known_by_pcp, known_as_stale,
         not_forwarding, second_try_by_upnp, second_try_by_pcp, low_port, taken, with_program, no_igd, carrier,
         gateways, mapping, mapping_interrupted, mapping_killed, pinhole, pinhole_by_igd, pinhole_kept,
         pinhole_renewed]


# ---- outside

NAT = ("--nat", "port-restricted-cone")


class Cases(unittest.TestCase):
    """Most of the time is waiting, so the labs of one test run side by side."""

    def inside(self, *cases, nat=NAT, side_by_side=4):
        os.environ["P2PDIAG"] = lab.P2PDIAG
        with concurrent.futures.ThreadPoolExecutor(side_by_side) as pool:
            started = [(case, pool.submit(lab.inside, case[0], *nat, *case[1:], servers=True)) for case in cases]
            for case, future in started:
                with self.subTest(case[0].__name__, options=case[1:]):
                    future.result()


PROTOCOLS = ("upnp", "natpmp", "pcp")


class Forward(Cases):
    def test_each_protocol(self):
        self.inside(*((case, "--igd", protocol) for protocol in PROTOCOLS
                      for case in (both_protocols, external_port, killed)))

    def test_symmetric(self):
        self.inside((both_protocols, "--igd", "upnp"), nat=("--nat", "symmetric"))

    def test_known_to_the_diagnosis(self):
        self.inside((known_by_upnp, "--igd", "upnp"), (known_by_pcp, "--igd", "pcp"), (known_as_stale, "--igd", "upnp"),
                    nat=("--nat", "symmetric"))

    def test_keep(self):
        self.inside(*((keep, "--igd", protocol) for protocol in PROTOCOLS),
                    (keep_what_is_there, "--igd", "upnp"), (keep_what_is_there, "--igd", "natpmp"))

    def test_other_addresses(self):
        self.inside((keep_elsewhere, "--igd", "upnp"), (router_elsewhere, "--igd", "upnp"),
                    (keep_follows, "--igd", "upnp"), (keep_follows_by_upnp, "--igd", "upnp"),
                    (keep_follows_by_pcp, "--igd", "pcp"), (keep_follows_by_natpmp, "--igd", "natpmp"),
                    (keep_notices, "--igd", "upnp,natpmp,pcp"))

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
        self.inside((pinhole_by_igd, "--ipv6", "--igd", "upnp"), (pinhole, "--ipv6", "--igd", "pcp"),
                    (pinhole_kept, "--ipv6", "--igd", "pcp"), (pinhole_renewed, "--ipv6", "--igd", "pcp"))

    def test_a_lab_has_its_own_journal(self):
        """What is forwarded in a lab vanishes with it, and the user's own journal never hears of it."""
        with tempfile.TemporaryDirectory() as place:
            done = lab.lab("run", *NAT, "--igd", "pcp", "--no-servers", "--", "forward", "add", "--port", str(PORT),
                           "--yes", env={**os.environ, "XDG_STATE_HOME": place})
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn("p2pdiag undo ", done.stdout)
            self.assertEqual(os.listdir(place), [])


class Checks(Cases):
    def test_checks(self):
        self.inside((long_list, "--igd", "upnp"), (gateways, "--igd", "upnp,natpmp,pcp"), (mapping, "--igd", "upnp,natpmp,pcp"),
                    (mapping_interrupted, "--igd", "upnp,natpmp,pcp"), (mapping_killed, "--igd", "upnp,natpmp,pcp"),
                    side_by_side=2)  # they look at what stands for a second or two


if __name__ == "__main__":
    lab.main(CASES)
