"""ufw, firewalld and the files that rules come from, for tests: a copy of /etc and a /run that nobody else sees."""
import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import kernel
from kernel import Refused

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNS, _MS_BIND, _MS_REC, _MS_PRIVATE = 0x00020000, 4096, 16384, 1 << 18

BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/><allow eavesdrop="true"/></policy></busconfig>
"""


def mount(source, target, kind, flags):
    if _libc.mount(source.encode(), target.encode(), kind.encode(), flags, None) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def own_files():
    """A copy of /etc, and a /run, that nobody else sees."""
    if not kernel.is_real_root():
        raise kernel.Unavailable("ufw and firewalld work for root alone")
    for tool in ("ufw", "firewalld", "firewall-cmd", "dbus-daemon"):
        if shutil.which(tool) is None:
            raise kernel.Unavailable(f"{tool} is not installed")
    copy = tempfile.mkdtemp()
    shutil.copytree("/etc", f"{copy}/etc", symlinks=True)
    if _libc.unshare(_CLONE_NEWNS) != 0:
        raise kernel.Unavailable("no mount namespace")
    mount("none", "/", "none", _MS_REC | _MS_PRIVATE)
    mount(f"{copy}/etc", "/etc", "none", _MS_BIND)
    for path in ("/run", "/var/log"):
        mount("tmpfs", path, "tmpfs", 0)
    for name in ("dbus", "lock", "firewalld"):
        os.mkdir(f"/run/{name}")
    return copy


def files(name):
    """What stands in them."""
    found = {}
    for folder, _, names in os.walk(f"/etc/{name}"):
        for one in names:
            path = os.path.join(folder, one)
            if os.path.islink(path):
                found[path] = os.readlink(path)
                continue
            with open(path, "rb") as file:
                found[path] = file.read()
    return found


def put(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    os.chmod(path, mode)


def enable_nft_file():
    """So that /etc/nftables.conf is what the machine starts with."""
    link = "/etc/systemd/system/sysinit.target.wants/nftables.service"
    os.makedirs(os.path.dirname(link), exist_ok=True)
    if not os.path.lexists(link):
        os.symlink("/lib/systemd/system/nftables.service", link)


def start_firewalld(test, machine):
    """firewalld, on a bus of its own, until the test ends."""
    with open("/run/bus.conf", "w", encoding="ascii") as file:
        file.write(BUS)
    for argv in (["dbus-daemon", "--config-file=/run/bus.conf", "--nofork", "--nopidfile"],
                 ["firewalld", "--nofork", "--nopid"]):
        with machine.on(machine.host):
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        test.addCleanup(process.wait)
        test.addCleanup(process.kill)
        for _ in range(600):
            if _answers(machine, argv[0]):
                break
            time.sleep(0.1)
        else:
            test.fail(f"{argv[0]} does not start")


def _answers(machine, name):
    if name == "dbus-daemon":
        return os.path.exists("/run/dbus/system_bus_socket")
    try:
        return "running" in machine.tool("firewall-cmd", "--state")
    except Refused:
        return False


def main():
    """As kernel.main(), with own_files()."""
    try:
        kernel.isolate()
        copy = own_files()
    except kernel.Unavailable as error:
        print("skipped:", error, file=sys.stderr)
        sys.exit(77)
    kernel.pin()
    try:
        unittest.main()
    finally:
        shutil.rmtree(copy, ignore_errors=True)
