#!/usr/bin/python3
"""html_page.py WRITER TOOLS: the HTML report in headless Chromium, with axe-core (accessibility) and html5lib (syntax).
TOOLS has the packages of tests/tools."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import chromium

WRITER, AXE = sys.argv[1], pathlib.Path(sys.argv[2]) / "node_modules/axe-core/axe.min.js"
SAMPLES = ("empty", "statuses", "diagnosed", "compared", "interrupted", "hostile", "recorded")
OPEN_ALL = "document.querySelectorAll('details').forEach(one => one.open = true)"
# Text as a person sees it; innerText leaves out what is not shown.
TEXT = "document.body.innerText"
# Those that stick out of the page, with their width.
TOO_WIDE = """[...document.querySelectorAll('body *')].filter(one => !one.closest('.ladder-box, pre, .unseen'))
    .map(one => [one.tagName, one.className.toString(), one.getBoundingClientRect().right])
    .filter(one => one[2] > innerWidth + 0.5)"""


def missing():
    try:
        import html5lib
    except ImportError as error:
        return error.name
    if not AXE.exists():
        return "tests/tools"
    return None if chromium.PROGRAM else "chromium"


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        place = tempfile.TemporaryDirectory()
        cls.addClassCleanup(place.cleanup)
        cls.place = pathlib.Path(place.name)
        subprocess.run([WRITER, place.name], check=True)
        cls.browser = cls.enterClassContext(chromium.Browser())
        cls.axe = AXE.read_text(encoding="utf-8")

    def open(self, name, width=1280, scheme="light"):
        self.browser.open(self.place / (name + ".html"), width, scheme)

    def ask(self, expression):
        return self.browser.evaluate(expression)

    def report(self, name):
        return json.loads((self.place / (name + ".json")).read_bytes().decode("utf-8"))

    def each(self):
        for name in SAMPLES:
            for width in (360, 1280):
                for scheme in ("light", "dark"):
                    with self.subTest(name, width=width, scheme=scheme):
                        self.open(name, width, scheme)
                        yield name, width

    def test_nothing_is_loaded_and_nothing_complains(self):
        for name, _ in self.each():
            self.assertEqual(self.browser.requests, [(self.place / (name + ".html")).as_uri()])
            self.assertEqual(self.browser.complaints, [])

    def test_nothing_sticks_out(self):
        for name, width in self.each():
            for action in ("", OPEN_ALL):
                self.ask(action)
                self.assertLessEqual(self.ask("document.documentElement.scrollWidth"), width)
                self.assertEqual(self.ask(TOO_WIDE), [])

    def test_everything_is_there(self):
        for name in ("statuses", "diagnosed", "recorded"):
            report = self.report(name)
            for width in (360, 1280):
                self.open(name, width)
                first_sight = self.ask(TEXT)
                self.ask(OPEN_ALL)
                everything = self.ask(TEXT)
                self.assertEqual(self.ask("document.querySelector('h1').innerText"), report["verdict"]["headline"])
                for check in report["checks"]:
                    self.assertIn(check["id"], first_sight)
                    self.assertIn(check["summary"], first_sight)
                for finding in report["findings"]:
                    self.assertIn(finding["code"], everything)
                    self.assertIn(finding["message"], everything)
                    self.assertIn("p2pdiag explain " + finding["code"], everything)
                    for key in finding["evidence"]:
                        self.assertIn(f'"{key}"', everything)
                    if finding["severity"] != "info":
                        self.assertIn(finding["message"], first_sight)
                for cause in report["causes"]:
                    self.assertIn(cause["explanation"], first_sight)
                    for remedy in cause["remedies"]:
                        self.assertIn(remedy["title"], first_sight)
                        self.assertIn(remedy["command"], first_sight)

    def test_the_way_is_drawn_in_words_too(self):
        for width, which in ((360, "down"), (1280, "along")):
            self.open("recorded", width)
            drawn = self.ask("[...document.querySelectorAll('svg.path')].filter(one => one.checkVisibility())"
                             ".map(one => [one.classList[1], [...one.querySelectorAll('.state')].map(s => s.textContent),"
                             " one.querySelector('desc').textContent])")
            states = ["works", "limited", "works", "works"]
            self.assertEqual(drawn, [[which, states,
                                      "You to firewall: works; Firewall to router: limited; Router to carrier: works; "
                                      "Carrier to internet: works."]])
            self.assertEqual(self.ask("[...document.querySelectorAll('.legs .chip')].map(one => one.innerText)"), states)
            self.assertIn("Each destination sees another port.", self.ask("document.querySelector('.legs').innerText"))
        self.open("empty")
        self.assertEqual(self.ask("[...document.querySelectorAll('.legs .chip')].map(one => one.innerText)"), ["unknown"] * 4)

    def test_delays_and_handshakes(self):
        self.open("recorded")
        delays = self.ask("document.querySelector('.delays').innerText")
        for text in ("IPv4 router 192.168.1.1", "1.2 ms, jitter 0.2 ms, 0 % lost", "18 ms, jitter 0.4 ms, 6.2 % lost"):
            self.assertIn(text, " ".join(delays.split()))
        self.assertEqual(self.ask("document.querySelectorAll('.ladder .arrow').length"), 4)
        self.ask(OPEN_ALL)
        text = self.ask("document.querySelector('.messages').innerText")
        self.assertIn("1.2 ms, you to STUN Binding request: STUN Binding request", text)
        self.assertIn("(refused)", text)
        self.assertIn("p2pdiag capture analyze run.pcapng", self.ask(TEXT))

    def test_when_the_checks_ran(self):
        self.open("recorded")
        bars = self.ask("[...document.querySelectorAll('.checks .bar')].map(one => { const all = one.getBoundingClientRect(),"
                        " own = one.querySelector('.fill').getBoundingClientRect();"
                        " return [(own.left - all.left) / all.width, own.width / all.width]; })")
        for (start, length), check in zip(bars, self.report("recorded")["checks"], strict=True):
            self.assertAlmostEqual(start, check["started_ms"] / 1234, delta=0.01)
            self.assertAlmostEqual(length, check["duration_ms"] / 1234, delta=0.01)

    def test_texts_of_others_do_nothing(self):
        for width in (360, 1280):
            self.open("hostile", width)
            self.ask(OPEN_ALL)
            self.assertIn("<script>alert('&amp;')</script>]]>", self.ask(TEXT))
            self.assertEqual(self.ask("document.scripts.length"), 0)
            self.assertEqual(self.ask("[...document.querySelectorAll('body *')].flatMap(one => [...one.attributes])"
                                      ".filter(one => /^on|^src$/.test(one.name) || one.name == 'href' && one.value != '#main')"
                                      ".length"), 0)
            tags = self.ask("[...new Set([...document.querySelectorAll('*')].map(one => one.tagName.toLowerCase()))]")
            self.assertLessEqual(set(tags), set(
                "html head meta title style body header main footer section article h1 h2 h3 h4 p a span div dl dt dd ol ul li "
                "time code pre details summary svg g circle rect line path text desc".split()))

    def test_accessible(self):
        """WCAG 2.2 AA as far as axe-core can tell, contrast included, in both colour schemes."""
        for name, _ in self.each():
            self.ask(OPEN_ALL)
            self.ask(self.axe + ";0")
            found = self.ask("axe.run().then(all => ({bad: all.violations.map(v => [v.id, v.nodes.map(n => n.html + n.failureSummary)]),"
                             " done: all.passes.map(p => p.id)}))")
            self.assertEqual(found["bad"], [])
            self.assertLessEqual({"color-contrast", "html-has-lang", "document-title", "heading-order", "region"},
                                 set(found["done"]))

    def test_a_reader_finds_its_way(self):
        self.open("recorded")
        self.assertEqual(self.ask("[...document.querySelectorAll('h1, h2')].map(one => one.innerText).slice(1)"),
                         ["The way to the internet", "Findings", "Checks", "Delay", "Handshakes"])
        self.assertEqual(self.ask("[...document.querySelectorAll('header, main, footer')].map(one => one.tagName)"),
                         ["HEADER", "MAIN", "FOOTER"])
        # By keyboard alone: first past the head, and then to everything that opens.
        self.browser.send("Input.dispatchKeyEvent", type="keyDown", key="Tab", code="Tab", windowsVirtualKeyCode=9)
        self.assertEqual(self.ask("document.activeElement.className"), "skip")
        for _ in range(2):
            self.browser.send("Input.dispatchKeyEvent", type="keyDown", key="Tab", code="Tab", windowsVirtualKeyCode=9)
        self.assertEqual(self.ask("document.activeElement.tagName"), "SUMMARY")

    def test_on_paper_nothing_is_folded(self):
        self.open("recorded")
        hidden = "[...document.querySelectorAll('details pre')].filter(one => one.getBoundingClientRect().height == 0" \
                 " || !one.checkVisibility()).length"
        self.assertGreater(self.ask(hidden), 0)
        self.browser.send("Emulation.setEmulatedMedia", media="print")
        self.assertEqual(self.ask(hidden), 0)
        self.assertTrue(self.browser.pdf().startswith(b"%PDF-"))

    def test_syntax(self):
        import html5lib
        for name in SAMPLES:
            with self.subTest(name):
                html5lib.HTMLParser(strict=True).parse((self.place / (name + ".html")).read_bytes())


if __name__ == "__main__":
    lacking = missing()
    if lacking:
        print(f"{lacking} is missing: scripts/setup test installs it")
        # Where everything is installed, what is not there is a failure.
        sys.exit(1 if os.environ.get("CI") else 77)
    unittest.main(argv=sys.argv[:1])
