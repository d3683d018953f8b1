"""What the client's own machine is like: no route, a silent router, the target port taken by programs of several users, for
everybody or for itself only. Each gives its code, and no error besides."""
import json
import os
import subprocess
import unittest

import lab
from lab import equal, output, true

CHECKS = ("network.interfaces", "network.limits", "network.ports")
AS_NOBODY = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "env", "HOME=/nonexistent")


def read(done):
    return json.loads(done.stdout)


def errors(report):
    return [finding["code"] for finding in report["findings"] if finding["severity"] == "error"]


def codes(report, check):
    return [finding["code"] for finding in report["findings"] if finding["check"] == check]


def check_of(report, name):
    return next(check for check in report["checks"] if check["id"] == name)


def report_of(*options):
    """From outside: the report of a client in a lab with these options."""
    done = lab.lab("run", "--nat", "full-cone", "--no-servers", *options, "--", "run", *CHECKS, "--format", "json")
    return read(done)


# ---- inside

def ports(*arguments, user=()):
    done = subprocess.run([*user, lab.P2PDIAG, "--profile", "lab", "run", "network.ports", "--format", "json", *arguments],
                          stdout=subprocess.PIPE, check=False)
    report = read(done)
    return check_of(report, "network.ports"), codes(report, "network.ports")


class Program:
    """A program of a user that holds a port until the block ends."""
    CODE = ("import socket, sys; made = socket.socket(socket.AF_INET, getattr(socket, sys.argv[1])); "
            "made.bind((sys.argv[2], int(sys.argv[3]))); sys.argv[1] == 'SOCK_STREAM' and made.listen(); "
            "print('ready', flush=True); sys.stdin.read()")

    def __init__(self, kind, address, port, user=()):
        self.argv = [*user, lab.PYTHON, "-c", self.CODE, kind, address, str(port)]

    def __enter__(self):
        self.process = subprocess.Popen(self.argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        equal(self.process.stdout.readline(), "ready\n", "the program")
        return self.process

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def the_program_is_named():
    with Program("SOCK_DGRAM", "0.0.0.0", 8000) as program:
        check, found = ports()
        equal(found, ["net.port-in-use", "net.no-listener"], check)
        equal(check["status"], "pass", check)
        holder = check["data"]["udp"]["sockets"][0]["processes"][0]
        equal((holder["pid"], holder["executable"]), (program.pid, os.path.realpath(lab.PYTHON)), check)
        true(f"(process {program.pid}, user root" in check["summary"], check["summary"])
    check, found = ports()
    equal(found, ["net.no-listener"], check)


def of_another_user():
    with Program("SOCK_STREAM", "127.0.0.1", 8000, AS_NOBODY):
        check, found = ports()
        equal(found, ["net.listener-loopback-only", "net.no-listener"], check)
        equal(check["data"]["tcp"]["sockets"][0]["processes"][0]["user"], "nobody", check)


def seen_without_rights():
    with Program("SOCK_DGRAM", "0.0.0.0", 8000):
        check, found = ports(user=AS_NOBODY)
        equal((check["status"], found), ("pass", ["net.port-in-use", "net.no-listener"]), check)
        socket = check["data"]["udp"]["sockets"][0]
        equal((socket["user"], socket["processes"], socket["processes_reason"]), ("root", None, "needs-root"), check)
        true("sudo p2pdiag run network.ports" in check["summary"], check["summary"])
    check, found = ports("--port", "80", user=AS_NOBODY)
    equal((check["status"], found), ("warn", ["net.port-not-permitted"]), check)


def only_where_nobody_comes():
    output("client", "ip", "link", "add", "docker0", "type", "bridge")
    output("client", "ip", "addr", "add", "172.17.0.1/16", "dev", "docker0")
    output("client", "ip", "link", "set", "docker0", "up")
    with Program("SOCK_DGRAM", "172.17.0.1", 8000):
        check, found = ports()
        equal((check["status"], found), ("warn", ["net.listener-elsewhere", "net.no-listener"]), check)
        equal(check["data"]["udp"]["use"], "elsewhere", check)


def silent_router():
    """The router's side of the cable is there, but nobody has its address any more."""
    output("router", "ip", "addr", "del", "192.168.7.1/24", "dev", "lan0")
    output("client", "ip", "neigh", "flush", "dev", "eth0")
    output("client", "ip", "ntable", "change", "name", "arp_cache", "dev", "eth0", "retrans", "10")
    lab.udp("client", "0.0.0.0").sendto(b"x", ("192.168.7.1", 9))
    while "FAILED" not in output("client", "ip", "neigh", "show", "to", "192.168.7.1"):
        pass
    done = subprocess.run([lab.P2PDIAG, "--profile", "lab", "run", "network.interfaces", "--format", "json"],
                          stdout=subprocess.PIPE, check=False)
    report = read(done)
    equal(check_of(report, "network.interfaces")["data"]["ipv4"]["gateway_state"], "failed", report)
    equal(codes(report, "network.interfaces"), ["net.gateway-silent"], report)


INSIDE = [the_program_is_named, of_another_user, seen_without_rights, only_where_nobody_comes, silent_router]


class Machine(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        os.environ["P2PDIAG"] = lab.P2PDIAG

    def test_nothing_wrong(self):
        report = report_of()
        self.assertEqual([check["status"] for check in report["checks"]], ["pass"] * 3)
        self.assertEqual([finding["code"] for finding in report["findings"]], ["net.no-listener"])

    def test_no_route(self):
        report = report_of("--no-default-route")
        self.assertEqual(errors(report), ["net.no-default-route"])

    def test_port_taken(self):
        report = report_of("--listen", "udp:0.0.0.0:8000", "--listen", "tcp:[::]:8000")
        self.assertEqual(errors(report), [])
        self.assertEqual(codes(report, "network.ports"), ["net.port-in-use", "net.port-in-use"])

    def test_loopback_listener(self):
        report = report_of("--listen", "udp:127.0.0.1:8000")
        self.assertEqual(errors(report), ["net.listener-loopback-only"])
        self.assertEqual(check_of(report, "network.ports")["status"], "fail")

    def test_few_files(self):
        done = lab.lab("run", "--nat", "open", "--no-servers", "--command", "--", "sh", "-c",
                       f"ulimit -n 200; exec {lab.P2PDIAG} run network.limits --format json")
        report = read(done)
        self.assertEqual(codes(report, "network.limits"), ["net.files-exhausted"])
        self.assertEqual(check_of(report, "network.limits")["status"], "warn")

    def test_who_holds_the_port(self):
        lab.inside(the_program_is_named, "--nat", "full-cone")
        lab.inside(only_where_nobody_comes, "--nat", "full-cone")

    @unittest.skipUnless(os.geteuid() == 0, "needs root, to be several users")
    def test_several_users(self):
        lab.inside(of_another_user, "--nat", "full-cone")
        lab.inside(seen_without_rights, "--nat", "full-cone")

    def test_silent_router(self):
        lab.inside(silent_router, "--nat", "full-cone")


if __name__ == "__main__":
    lab.main(INSIDE)
