"""The UPnP client of lib/net on a real router, miniupnpd: cases of tests/unit/portmap_upnp/lab.cpp, run in a lab."""
import os
import sys
import unittest

import lab

CLIENT = os.path.abspath(sys.argv.pop(2))
ROUTER = ("--nat", "port-restricted-cone", "--igd", "upnp", "--no-servers")


class Miniupnpd(unittest.TestCase):
    def cases(self, tag, *options):
        done = lab.lab("run", *ROUTER, *options, "--command", "--", CLIENT, tag)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("All tests passed", done.stdout)

    def test_search_description_status_and_a_mapping(self):
        self.cases("[.lab]")

    def test_pinholes_over_ipv6(self):
        self.cases("[.lab6]", "--ipv6")


if __name__ == "__main__":
    lab.main([])
