"""Headless Chromium, told what to do over a pipe (Chrome DevTools Protocol): it opens a page and answers for it."""
import base64
import itertools
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

PROGRAM = shutil.which("chromium")
# No sandbox, since the tests may run as root; and nothing that would reach for the internet.
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars",
             "--force-color-profile=srgb", "--remote-debugging-pipe"]


class Browser:
    """Use it with `with`. Everything that a page logs, or that goes wrong in it, is in `complaints`; what it asks the network
    for, beside itself, is in `requests`."""

    def __enter__(self):
        self.place = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        to_it, self.commands = os.pipe()
        self.answers, from_it = os.pipe()
        environment = {**os.environ, "HOME": self.place.name}
        # The browser reads from descriptor 3 and writes to 4.
        line = f'exec "$@" 3<&{to_it} 4>&{from_it}'
        self.process = subprocess.Popen(
            ["bash", "-c", line, "chromium", PROGRAM, *ARGUMENTS, "--user-data-dir=" + self.place.name + "/profile", "about:blank"],
            pass_fds=(to_it, from_it), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_it)
        os.close(from_it)
        self.input = os.fdopen(self.answers, "rb")
        self.rest = b""
        self.numbers = itertools.count(1)
        self.session = None
        self.complaints, self.requests, self.loaded = [], [], False
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(domain + ".enable")
        return self

    def __exit__(self, *error):
        self.session = None
        try:
            self.send("Browser.close")
        except (RuntimeError, OSError):
            self.process.kill()
        self.process.wait()
        os.close(self.commands)
        self.input.close()
        self.place.cleanup()

    def receive(self):
        while b"\0" not in self.rest:
            more = self.input.read1(1 << 16)
            if not more:
                raise RuntimeError("the browser has ended")
            self.rest += more
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def take_event(self, event):
        kind, what = event.get("method"), event.get("params")
        if kind in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
            self.complaints.append(what)
        elif kind == "Network.requestWillBeSent":
            self.requests.append(what["request"]["url"])
        elif kind == "Page.loadEventFired":
            self.loaded = True

    def send(self, method, **parameters):
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") != number:
                self.take_event(answer)
            elif "error" in answer:
                raise RuntimeError(f"{method}: {answer['error']}")
            else:
                return answer["result"]

    def open(self, path, width, scheme="light", height=900):
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.send("Emulation.setEmulatedMedia", media="screen",
                  features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.loaded, self.complaints, self.requests = False, [], []
        self.send("Page.navigate", url=pathlib.Path(path).resolve().as_uri())
        while not self.loaded:
            self.take_event(self.receive())

    def evaluate(self, expression):
        """The value of a JavaScript expression; a promise is waited for."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def screenshot(self, path):
        shot = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        pathlib.Path(path).write_bytes(base64.b64decode(shot["data"]))

    def pdf(self):
        return base64.b64decode(self.send("Page.printToPDF", printBackground=False)["data"])
