"""A large ruleset: how long nft takes to print it, and p2pdiag to read that and follow a packet through it."""
import os
import random
import subprocess
import tempfile

RULES, ELEMENTS = 10_000, 100_000


def write_rules(path):
    """Chains of a hundred rules, reached one after the other, and a set of addresses; the last rule decides."""
    draw = random.Random(1)
    addresses = draw.sample(range(0x0B000000, 0x7E000000), ELEMENTS)
    with open(path, "w") as file:
        file.write("table inet large {\n set addresses { type ipv4_addr; elements = { ")
        file.write(", ".join(f"{a >> 24}.{a >> 16 & 255}.{a >> 8 & 255}.{a & 255}" for a in addresses))
        file.write(" } }\n")
        for chain in range(RULES // 100):
            file.write(f" chain c{chain} {{\n")
            for rule in range(99):
                port = 10_000 + (chain * 100 + rule) % 50_000
                file.write(f"  ip daddr 10.{chain}.{rule}.0/24 udp dport {port} drop\n")
            file.write("  return\n }\n")
        file.write(" chain input { type filter hook input priority filter; policy drop;\n")
        file.write("  ip saddr @addresses drop\n")
        for chain in range(RULES // 100):
            file.write(f"  jump c{chain}\n")
        file.write("  udp dport 8000 accept\n }\n}\n")


def recorded(place):
    """What nft prints of it, and the rules themselves to be loaded again."""
    rules, printed = place + "/large.nft", place + "/large.json"
    write_rules(rules)
    script = f"nft -f {rules} && nft -j list ruleset > {printed}"
    subprocess.run(["unshare", "-n", "sh", "-c", script], check=True)
    return rules, printed


def firewall(host, medians, timed, rounds):
    print(f"firewall check: {RULES} rules and a set of {ELEMENTS} addresses, median of {rounds}")
    with tempfile.TemporaryDirectory() as place:
        rules, printed = recorded(place)
        load = ["unshare", "-n", "sh", "-c", f"nft -f {rules}"]
        load_and_list = ["unshare", "-n", "sh", "-c", f"nft -f {rules} && nft -j list ruleset >/dev/null"]
        ours = [host, "firewall", "check", "--ruleset", printed, "--port", "8000", "--protocol", "udp"]
        check, loaded, listed = medians([ours, load, load_and_list], rounds)
        print(f"  read and evaluated, both families  {1000 * check:7.0f} ms, {timed(ours)[1] / 1024:.0f} MiB, "
              f"{os.path.getsize(printed) / 1e6:.1f} MB of JSON")
        print(f"  nft -j list ruleset, its peer      {1000 * (listed - loaded):7.0f} ms "
              f"({(listed - loaded) / check:.1f}x)")
