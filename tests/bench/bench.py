"""Times p2pdiag beside its peers in the same lab and prints ratios. Nothing is asserted: `scripts/test --bench`."""
import json
import os
import re
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time

import diagnosis
import firewall

KINDS = ["open", "full-cone", "restricted-cone", "port-restricted-cone", "address-dependent", "symmetric",
         "symmetric-sequential"]
NULL = subprocess.DEVNULL


def timed(command):
    """Seconds and peak resident kilobytes of one run."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=NULL, stderr=NULL)
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    return time.monotonic() - began, usage.ru_maxrss


def medians(commands, rounds):
    """Median seconds per command; one round runs each once, so that a disturbance meets all."""
    seconds = [[] for _ in commands]
    for _ in range(rounds):
        for number, command in enumerate(commands):
            seconds[number].append(timed(command)[0])
    return [statistics.median(each) for each in seconds]


def commands_of(subject, host):
    """What is timed in the lab's client: ours first, then its peers."""
    if subject in ("upnpc", "natpmpc"):
        peer = ["upnpc", "-s"] if subject == "upnpc" else ["natpmpc"]
        return [[host, "--profile", "lab", "run", "upnp.gateways"], peer]
    local = subprocess.run("ip -4 -o addr show scope global | awk '{print $4; exit}' | cut -d/ -f1", shell=True,
                           capture_output=True, text=True).stdout.strip()
    return [[host, "--profile", "lab", "run", "stun.nat"],
            ["turnutils_natdiscovery", "-m", "-f", "-L", local, "11.22.33.10"], ["stun", "11.22.33.10"]]


def lab(host, options, subject, rounds):
    command = [host, "lab", "run", *options, "--command", "--",
               sys.executable, __file__, "--inside", host, subject, str(rounds)]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def table(title, host, subject, peers, rows, rounds):
    print(f"{title}, median of {rounds}; the others in the same lab and the same round")
    print(f"{'':22} {'p2pdiag':>8}" + "".join(f" {peer:>13} {'ratio':>7}" for peer in peers))
    for name, options in rows:
        ours, *others = lab(host, options, subject, rounds)
        print(f"{name:22} {ours:7.3f}s" + "".join(f" {other:12.3f}s {other / ours:6.1f}x" for other in others),
              flush=True)


def compile_plugins(source, directory, count):
    """`count` plugins with a check each that does nothing, from the template."""
    with open(source + "/sdk/template/plugin.cpp") as file:
        template = file.read()
    os.mkdir(directory)
    for number in range(count):
        path = f"{directory}/p{number}"
        with open(path + ".cpp", "w") as file:
            file.write(template.replace('"hello', f'"hello{number}'))
        subprocess.run(["g++", "-std=c++20", "-O1", "-shared", "-fPIC", "-fvisibility=hidden",
                        f"-I{source}/sdk/include", path + ".cpp", "-o", path + ".so"], check=True)


def compile_empty_program(host, directory):
    """With the libraries that the host needs."""
    needed = subprocess.run(["ldd", host], capture_output=True, text=True, check=True).stdout
    libraries = re.findall(r"=> (\S+/lib(?:boost|fmt)\S+)", needed)
    path = directory + "/empty"
    subprocess.run(["g++", "-x", "c++", "-", "-x", "none", "-Wl,--no-as-needed", *libraries, "-o", path], check=True, text=True,
                   input="int main() {}\n")
    return path


def shell_starting(program, count):
    return ["sh", "-c", f"for i in {' '.join(['x'] * count)}; do {program} & done; wait"]


def start_up(host, source):
    print("start-up and overhead (median of 21)")
    print(f"  --version                {1000 * medians([[host, '--version']], 21)[0]:7.1f} ms")
    with tempfile.TemporaryDirectory() as place:
        plugins = place + "/plugins"
        compile_plugins(source, plugins, 20)
        front = [host, "--plugin-dir", plugins, "run"]
        one, all_of_them = [*front, "hello0.greeting"], [*front, "hello*"]
        timed(all_of_them)
        single, many = medians([one, all_of_them], 21)
        print(f"  run of one empty check   {1000 * single:7.1f} ms")
        print(f"  each further check       {1000 * (many - single) / 19:7.1f} ms")
        # What no runner can go below: as many processes of this language that do nothing, by a shell that does not wait.
        empty = compile_empty_program(host, place)
        single, many = medians([shell_starting(empty, 1), shell_starting(empty, 20)], 21)
        print(f"  an empty program, by sh   {1000 * (many - single) / 19:7.1f} ms")
        print(f"  peak memory of the host  {max(timed(all_of_them)[1] for _ in range(5)) / 1024:7.1f} MiB")


def capture_file(path, megabytes):
    """A pcap of 2000 conversations, with a STUN request in every hundredth packet."""
    payload = bytes(range(256)) * 5
    packets = []
    for number in range(4000):
        stun = number % 100 == 0
        data = struct.pack(">HHI12s", 1, 0, 0x2112A442, number.to_bytes(12, "big")) if stun else \
            b"\xff" + payload[:200 + number * 37 % 900]
        datagram = struct.pack(">HHHH", 10000 + number // 2, 3478, 8 + len(data), 0) + data
        ends = [bytes([10, 0, 0, 1]), bytes([11, 22, 33, 10])]
        source, target = ends if number % 2 == 0 else ends[::-1]
        if number % 2 == 1:
            datagram = datagram[2:4] + datagram[:2] + datagram[4:]
        packets.append(bytes(12) + b"\x08\x00" + struct.pack(
            ">BBHHHBBH", 0x45, 0, 20 + len(datagram), 0, 0, 64, 17, 0) + source + target + datagram)
    written = 0
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        while written < megabytes * 1_000_000:
            part = b"".join(struct.pack("<IIII", 1_700_000_000 + written // 1_000_000, number * 100, len(data), len(data))
                            + data for number, data in enumerate(packets))
            file.write(part)
            written += len(part)
    return written / 1e6


def captures(host, rounds, megabytes=1000):
    with tempfile.TemporaryDirectory() as place:
        path = place + "/bench.pcap"
        size = capture_file(path, megabytes)
        print(f"capture analyze, a file of {size:.0f} MB, median of {rounds}")
        commands = [[host, "capture", "analyze", path, "--format", "json"], ["tshark", "-q", "-z", "conv,udp", "-r", path]]
        for command in commands[:1 if shutil.which("tshark") is None else 2]:
            results = [timed(command) for _ in range(rounds)]
            seconds = statistics.median(result[0] for result in results)
            print(f"  {os.path.basename(command[0]):10} {size / seconds:7.0f} MB/s {max(r[1] for r in results) / 1024:8.1f} MiB")


def main(host, rounds):
    source = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    table("stun.nat", host, "nat", ["natdiscovery", "stun"],
          [*((kind, ["--nat", kind]) for kind in KINDS),
           ("UDP blocked", ["--nat", "port-restricted-cone", "--block", "udp"])], rounds)
    print()
    # Behind a full cone, where the NAT that upnp.gateways wants to know is told in a few round trips. natpmpc gives
    # up on a silent router after two minutes only, so it is asked where there is something to find.
    for peer, igds in (("upnpc", ("upnp", "upnp,natpmp,pcp", "none")), ("natpmpc", ("natpmp", "upnp,natpmp,pcp"))):
        table("upnp.gateways", host, peer, [peer],
              [(f"router: {igd}", ["--nat", "full-cone", "--igd", igd]) for igd in igds], rounds)
        print()
    firewall.firewall(host, medians, timed, rounds)
    print()
    diagnosis.diagnosis(host, source, rounds)
    print()
    start_up(host, source)
    print()
    captures(host, min(rounds, 3))


if __name__ == "__main__":
    if sys.argv[1] == "--inside":
        print(json.dumps(medians(commands_of(sys.argv[3], sys.argv[2]), int(sys.argv[4]))))
    else:
        main(os.path.abspath(sys.argv[1]), int(sys.argv[2]))
