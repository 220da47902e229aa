"""A headless Chromium, driven through its own debugging protocol over a pair of pipes."""

import base64
import contextlib
import fcntl
import json
import os
import pathlib
import select
import shutil
import subprocess
import sys
import tempfile
import time

from .console import DevError
from .programs import BROWSER

_OPTIONS = (
    "--headless",
    "--remote-debugging-pipe",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-gpu",
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
    "--hide-scrollbars",
    "--mute-audio",
    "--no-default-browser-check",
    "--no-first-run",
)
# The browser reads the protocol from descriptor 3 and answers on 4, whatever ours are called.
_LAUNCHER = """\
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execvp(sys.argv[3], sys.argv[3:])
"""
_FIRST_HIGH_DESCRIPTOR = 10


class Browser:
    """One window of a browser; use it in a ``with`` statement.

    :param pathlib.Path home: a folder for what the browser writes
    :param dict environ: the environment to find it and run it in
    """

    def __init__(self, home, environ):
        self._home = home
        self._environ = environ
        self._profile = None
        self._process = None
        self._incoming = None
        self._outgoing = None
        self._buffer = b""
        self._last_id = 0
        self._session = None
        self._requests = set()
        self._quiet_since = time.monotonic()
        self.problems = []

    def __enter__(self):
        self._start()
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network"):
            self._call(f"{domain}.enable")
        return self

    def __exit__(self, *_exception):
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._incoming)
        os.close(self._outgoing)
        shutil.rmtree(self._profile, ignore_errors=True)

    def _start(self):
        found = (shutil.which(name, path=self._environ["PATH"]) for name in BROWSER.commands)
        command = next(filter(None, found), None)
        if not command:
            raise DevError("There is no browser: install chromium.")
        self._home.mkdir(parents=True, exist_ok=True)
        self._profile = pathlib.Path(tempfile.mkdtemp(dir=self._home))
        theirs_in, self._outgoing = _high_pipe()
        self._incoming, theirs_out = _high_pipe()
        options = [*_OPTIONS, f"--user-data-dir={self._profile}"]
        if os.geteuid() == 0:
            options.append("--no-sandbox")
        launcher = [sys.executable, "-c", _LAUNCHER, str(theirs_in), str(theirs_out)]
        self._process = subprocess.Popen(
            [*launcher, command, *options],
            pass_fds=(theirs_in, theirs_out),
            env={**self._environ, "HOME": str(self._home)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)

    def _call(self, method, **parameters):
        """Send a command and wait for its answer, handling what happens in between."""
        self._last_id += 1
        message = {"id": self._last_id, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._outgoing, data) :]
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            answer = self._receive(deadline)
            if answer and answer.get("id") == self._last_id:
                if "error" in answer:
                    raise DevError(f"The browser refused {method}: {answer['error']['message']}")
                return answer["result"]
        raise DevError(f"The browser did not answer to {method} within a minute.")

    def _receive(self, deadline):
        """:return: the next message that came before the deadline, or ``None``"""
        while b"\0" not in self._buffer:
            wait = max(deadline - time.monotonic(), 0)
            if not select.select([self._incoming], [], [], wait)[0]:
                return None
            chunk = os.read(self._incoming, 1 << 20)
            if not chunk:
                raise DevError("The browser closed unexpectedly.")
            self._buffer += chunk
        text, _nul, self._buffer = self._buffer.partition(b"\0")
        message = json.loads(text)
        if "method" in message:
            self._notice(message["method"], message["params"])
        return message

    def _notice(self, event, parameters):
        """Count the requests under way, and keep what went wrong in the page."""
        if event == "Network.requestWillBeSent":
            # Of a worker's script only the start is an event, never the end.
            if "/bus/websocket_worker_bundle" not in parameters["request"]["url"]:
                self._requests.add(parameters["requestId"])
        elif event in ("Network.loadingFinished", "Network.loadingFailed"):
            self._requests.discard(parameters["requestId"])
        elif event == "Network.responseReceived" and parameters["response"]["status"] >= 400:
            response = parameters["response"]
            self.problems.append(f"{response['status']} {response['url']}")
        elif event == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.problems.append(details.get("exception", details).get("description", str(details)))
        elif event == "Runtime.consoleAPICalled" and parameters["type"] == "error":
            texts = [str(arg.get("value", arg.get("description"))) for arg in parameters["args"]]
            self.problems.append(" ".join(texts))
        if self._requests or event.startswith("Network."):
            self._quiet_since = time.monotonic()

    def resize(self, width, height):
        """Set the size of the visible page, in pixels."""
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def set_cookie(self, url, name, value):
        """Set a cookie for a site."""
        self._call("Network.setCookie", url=url, name=name, value=value)

    def prefer_language(self, code):
        """Ask for pages in a language, such as ``fr-FR``."""
        self._call("Network.setExtraHTTPHeaders", headers={"Accept-Language": code})

    def open(self, url):
        """Start to load a page."""
        self._requests.clear()
        # A blank page in between makes an address that differs in its "#..." alone load anew.
        self._call("Page.navigate", url="about:blank")
        self.problems.clear()
        self._quiet_since = time.monotonic()
        result = self._call("Page.navigate", url=url)
        if result.get("errorText"):
            raise DevError(f"The browser can't open {url}: {result['errorText']}")

    def evaluate(self, expression):
        """:param str expression: JavaScript; a promise is waited for
        :return: its value
        """
        result = self._call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            details = result["exceptionDetails"]
            text = details.get("exception", details).get("description", details["text"])
            raise DevError(f"The page's script failed: {text}")
        return result["result"].get("value")

    def wait_until(self, condition, what, timeout=60):
        """Wait until a JavaScript condition holds.

        :param str condition: the expression
        :param str what: what is waited for, for the message when it never comes
        :param float timeout: seconds
        """
        deadline = time.monotonic() + timeout
        while not self.evaluate(f"Boolean({condition})"):
            if time.monotonic() > deadline:
                raise DevError(f"The page never showed {what} ({timeout} seconds).")
            self._listen(0.1)

    def wait_quiet(self, seconds=0.6, timeout=30):
        """Wait until nothing was loaded for a while; a page that never rests is taken as it is."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            self._listen(0.1)
            if not self._requests and time.monotonic() - self._quiet_since > seconds:
                return

    def _listen(self, seconds):
        deadline = time.monotonic() + seconds
        while self._receive(deadline):
            pass

    def capture(self, path):
        """Write what the window shows.

        :param pathlib.Path path: the PNG file
        """
        data = self._call("Page.captureScreenshot", format="png")["data"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(data))


def _high_pipe():
    """:return: a pipe whose descriptors can't be confused with those the browser expects"""
    ends = os.pipe()
    with contextlib.ExitStack() as stack:
        for end in ends:
            stack.callback(os.close, end)
        return tuple(fcntl.fcntl(end, fcntl.F_DUPFD, _FIRST_HIGH_DESCRIPTOR) for end in ends)
