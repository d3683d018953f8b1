"""The rules of the house that a compiler does not check: who may include whom, what a plugin exports and needs,
one page for every code and check, and no co_await expression that g++ 12 miscompiles."""
import pathlib
import re
import subprocess
import sys
import unittest

SOURCE, BUILD = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])

LIBRARIES = ["base", "wire", "crypto", "net", "peer", "capture", "redact"]

# Part -> the parts of the project it may include besides itself.
MAY_INCLUDE = {
    "base": [],
    "wire": ["base"],
    "crypto": ["base"],
    "net": ["wire", "base"],
    "capture": ["wire", "base"],
    "peer": ["net", "crypto", "wire", "base"],
    "redact": ["capture", "wire", "base"],
    "sdk": [],
    "host": ["sdk", "base"],
    "plugins": ["sdk", *LIBRARIES],
}

# Include path -> (parts that may have it, why nobody else).
RESTRICTED = {
    r"boost/asio|boost/beast": (["net", "peer", "capture", "plugins", "sdk"],
                                "codecs stay free of sockets; the host knows only children and JSON"),
    r"sodium\.h|openssl/(?!ssl|x509)": (["crypto"], "keys are touched in one place"),
    r"openssl/(ssl|x509)|boost/asio/ssl": (["net"], "TLS is a transport"),
    r"base/random": (["base", "net", "peer", "crypto", "plugins", "host"], "codecs are given their random numbers"),
    r"pcap": (["capture"], "no other plugin may need libpcap"),
    r"pugixml": (["wire"], "XML is read in lib/wire/upnp alone"),
    r"ares\.h": (["net"], "name servers are asked in lib/net/dns_query alone: docs/adr/0009"),
    r"miniupnpc": (["net"], "of miniupnpc, lib/net/portmap uses the names of errors: docs/adr/0008"),
    r"spdlog|fmt/": (["host"], "no logger type near the plugin boundary"),
    r"toml\+\+": (["host"], "profiles are the host's"),
    r"CLI/": (["host"], "the command line is the host's"),
    r"boost/dll": (["host"], "only the host loads plugins"),
}

# A shared library that a plugin may need, beyond those every C++ program has.
ALWAYS_ALLOWED = r"lib(stdc\+\+|gcc_s|c|m|asan|ubsan|tsan)\.so|ld-linux|libboost_(json|container)"
ALLOWED_LIBRARIES = {"capture": r"lib(z|pugixml)\.so", "network": r"libcares\.so", "stun": r"lib(ssl|crypto)\.so",
                     "upnp": r"lib(miniupnpc|pugixml)\.so"}


def sources(*folders):
    for folder in folders:
        for path in sorted((SOURCE / folder).rglob("*")):
            if path.suffix in (".hpp", ".cpp", ".h"):
                yield path


def part_of(path):
    parts = path.relative_to(SOURCE).parts
    return parts[1] if parts[0] == "lib" else parts[0]


def includes(path):
    return re.findall(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', path.read_text(), re.M)


def part_of_include(including, target):
    """The part of the project that an include line names, or None for the outside world."""
    first = target.split("/")[0]
    if first == "p2pdiag":
        return "sdk"
    if first in LIBRARIES and "/" in target:
        return first
    if (SOURCE / "host" / target).exists():
        return "host"
    return None


class Includes(unittest.TestCase):
    def test_direction(self):
        for path in sources("sdk/include", "lib", "host", "plugins"):
            part = part_of(path)
            for kind, target in includes(path):
                # <net/if.h> is the system's.
                if kind == "<" and not target.startswith("p2pdiag/"):
                    continue
                other = part_of_include(path, target)
                if part == "plugins" and (path.parent / target).exists():
                    continue
                if other and other != part:
                    self.assertIn(other, MAY_INCLUDE[part], f"{path} includes {target}")

    def test_plugins_do_not_include_each_other(self):
        for path in sources("plugins"):
            for kind, target in includes(path):
                self.assertNotRegex(target, r"\.\./|^plugins/", f"{path}")

    def test_restricted(self):
        for path in sources("sdk/include", "lib", "host", "plugins"):
            for _, target in includes(path):
                for pattern, (allowed, why) in RESTRICTED.items():
                    if re.match(pattern, target):
                        self.assertIn(part_of(path), allowed, f"{path} includes {target}: {why}")

    def test_abi_includes_nothing_of_ours(self):
        targets = [target for _, target in includes(SOURCE / "sdk/include/p2pdiag/abi.h")]
        self.assertEqual(targets, ["stddef.h", "stdint.h"])


class BuiltPlugins(unittest.TestCase):
    plugins = sorted((BUILD / "lib/p2pdiag/plugins").glob("*.so"))

    def test_there_are_some(self):
        names = {path.stem for path in self.plugins}
        self.assertLessEqual({"stun", "lab", "network", "upnp", "firewall", "capture"}, names)

    def test_one_exported_symbol(self):
        for plugin in self.plugins:
            out = subprocess.run(["nm", "-D", "--defined-only", plugin], capture_output=True, text=True).stdout
            names = [line.split()[-1] for line in out.splitlines()]
            self.assertEqual(names, ["p2pdiag_plugin_v1"], plugin)

    def test_needed_libraries(self):
        for plugin in self.plugins:
            out = subprocess.run(["readelf", "-d", plugin], capture_output=True, text=True).stdout
            for library in re.findall(r"\(NEEDED\).*\[(.*)\]", out):
                allowed = ALWAYS_ALLOWED + "|" + ALLOWED_LIBRARIES.get(plugin.stem, "$^")
                self.assertRegex(library, allowed, f"{plugin.name} needs {library}")


class Pages(unittest.TestCase):
    # Codes are written as string literals; this finds "area.word-word" in quotes.
    CODE = re.compile(r'"((?:net|nat|portmap|firewall|capture|p2p|chat|server|host|cause)\.[a-z0-9-]+)"')

    def codes_in_use(self):
        found = {code for path in sources("host", "lib", "plugins") for code in self.CODE.findall(path.read_text())}
        # Some plugins have checks, changes and recorders whose ids look the same.
        ids = self.check_ids() | self.ids("change") | self.ids("recorder")
        return {code for code in found if not code.endswith((".key", ".crt"))} - ids

    def check_ids(self):
        return self.ids("check")

    def ids(self, kind):
        pattern = r'\b' + kind + r'<[^;{]*\{\.id = "([a-z0-9-]+\.[a-z0-9-]+)"'
        return {match for path in sources("plugins") for match in re.findall(pattern, path.read_text())}

    def pages(self):
        return {line[3:].strip() for page in (SOURCE / "docs/codes").glob("*.md")
                for line in page.read_text().splitlines() if line.startswith("## ")}

    def test_every_code_has_a_page(self):
        self.assertGreater(len(self.codes_in_use()), 10)
        self.assertEqual(self.codes_in_use() - self.pages(), set())

    def sections(self):
        """Code and text of each page."""
        for page in (SOURCE / "docs/codes").glob("*.md"):
            for section in re.split(r"^## ", page.read_text(), flags=re.M)[1:]:
                yield section.split("\n", 1)

    def missing_parts(self, code, text):
        """What it means is the first paragraph; how it was measured; what to do, by system where that makes a difference."""
        first = next((line for line in text.splitlines() if line), "")
        missing = [] if first and not first.startswith(("-", "|", "#", "Measured", "Stands on")) else ["meaning"]
        wanted = {"measured": r"^Measured"}
        if code.startswith("cause."):
            wanted = {"findings": r"^Stands on\s(.*\n)*?.*`", "what to do": r"What\sto\sdo:\s+\S"}
        elif not re.search(r"^(Nothing to do|The same on every system: )", text, re.M):
            wanted |= {"Linux": "Linux", "Windows": "Windows", "macOS": "macOS", "router": "[Rr]outer"}
        return missing + [name for name, pattern in wanted.items() if not re.search(pattern, text, re.M)]

    def test_every_page_has_its_parts(self):
        missing = {code: parts for code, text in self.sections() if (parts := self.missing_parts(code, text))}
        self.assertEqual(missing, {})
        self.assertGreater(len(list(self.sections())), 110)
        self.assertEqual(self.missing_parts("net.x", "\nMeasured.\n- Linux: x\n"), ["meaning", "Windows", "macOS", "router"])
        self.assertEqual(self.missing_parts("cause.x", "\nText.\n"), ["findings", "what to do"])

    def test_pages_name_codes_that_exist(self):
        for code, text in self.sections():
            for named in re.findall(r"`((?:net|nat|portmap|firewall|capture|host|cause)\.[a-z0-9-]+)`", text):
                self.assertIn(named, self.pages() | self.check_ids(), code)

    def test_every_check_has_a_page(self):
        ids = self.check_ids()
        self.assertLessEqual({"stun.nat", "stun.servers", "stun.lifetime", "upnp.gateways", "upnp.mapping",
                              "firewall.inbound"}, ids)
        for check in ids:
            self.assertTrue((SOURCE / f"docs/checks/{check}.md").exists(), check)


class Coroutines(unittest.TestCase):
    """g++ 12.2 frees twice or too early what a capturing lambda or braces inside a co_await expression hold, and
    evaluates a co_await on the right of && or || whatever the left side is."""

    @staticmethod
    def expressions(text):
        text = re.sub(r"//[^\n]*", "", text)
        for match in re.finditer(r"\bco_await\b", text):
            depth, end = 0, match.end()
            while end < len(text) and not (depth <= 0 and text[end] in ";{}" and text[end] != "{"):
                if text[end] in "({[":
                    depth += 1
                if text[end] in ")}]":
                    depth -= 1
                    if depth < 0:
                        break
                end += 1
            yield text[match.start():end]

    def bad(self, text):
        found = [e for e in self.expressions(text) if "{" in e or re.search(r"\[[^\]]+\]\s*[({]", e)]
        return found + re.findall(r"(?:&&|\|\|)\s*!?\s*co_await\b.*", re.sub(r"//[^\n]*", "", text))

    def test_the_lint_finds_what_it_should(self):
        self.assertTrue(self.bad("co_await f([p] { use(p); });"))
        self.assertTrue(self.bad("auto r = co_await g({a, b});"))
        self.assertTrue(self.bad("while (more && co_await next()) {}"))
        self.assertFalse(self.bad("if (co_await f(x)) { return; }"))
        self.assertFalse(self.bad("auto [error] = co_await timer.async_wait(use);"))

    def test_all_sources(self):
        for path in sources("sdk/include", "lib", "host", "plugins", "tests"):
            self.assertEqual(self.bad(path.read_text()), [], path)


class Size(unittest.TestCase):
    def test_files_stay_readable(self):
        long = [str(path) for path in sources("sdk", "lib", "host", "plugins")
                if len(path.read_text().splitlines()) > 600]
        self.assertEqual(long, [], "does each still have one reason to exist?")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
