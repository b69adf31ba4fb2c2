"""A headless Chromium as installed on this machine, driven over a pipe: what a page shows, says and asks for.

Its debugging protocol is JSON with a zero byte after each message, on the file descriptors 3 and 4. The network log is
Chromium's own account of every request that left the browser, and of every one that was stopped.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

__all__ = ["Page", "find_chromium", "open_page", "requests_in"]

SECONDS = 120


def find_chromium() -> str:
    """The program; skips the test, or fails it under ``HSIGEO_REQUIRE_CHROMIUM``."""
    for name in (os.environ.get("HSIGEO_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"):
        if name and (found := shutil.which(name)):
            return found
    reason = "Chromium not found; on Debian: apt-get install --no-install-recommends chromium"
    if os.environ.get("HSIGEO_REQUIRE_CHROMIUM"):
        pytest.fail(f"{reason}, and $HSIGEO_REQUIRE_CHROMIUM is set")
    pytest.skip(reason)


class Page:
    """One tab."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._to, self._from = to_browser, from_browser
        self._buffer = b""
        self._number = 0
        self.events: list[dict[str, Any]] = []
        target = self._send("Target.createTarget", {"url": "about:blank"})["targetId"]
        self._session = self._send("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Audits"):
            self.send(f"{domain}.enable")

    def go(self, url: str) -> None:
        """Open an address and wait until it has loaded."""
        self.events.clear()
        self.send("Page.navigate", {"url": url})
        self._wait_for("Page.loadEventFired")

    def ask(self, script: str) -> Any:
        """The value of a JavaScript expression in the page; the page's own policy does not hold for it."""
        answer = self.send("Runtime.evaluate", {"expression": script, "returnByValue": True, "awaitPromise": True})
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def look(self, *, width: int = 1100, dark: bool = False, height: int | None = None) -> bytes:
        """A picture of the page from top to bottom (or of so much of it), as PNG."""
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.send("Emulation.setEmulatedMedia", {"media": "", "features": scheme})
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.send("Emulation.setDeviceMetricsOverride", size)
        height = height or self.ask("document.documentElement.scrollHeight")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        answer = self.send("Page.captureScreenshot", {"clip": clip, "captureBeyondViewport": True})
        return base64.b64decode(answer["data"])

    def print(self) -> bytes:
        """The page on paper, as PDF."""
        answer = self.send("Page.printToPDF", {"printBackground": False, "preferCSSPageSize": True})
        return base64.b64decode(answer["data"])

    @property
    def complaints(self) -> list[str]:
        """Whatever the console shows, and whatever DevTools lists as an issue of the page."""
        kinds = ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Audits.issueAdded")
        return [json.dumps(event["params"])[:400] for event in self.events if event["method"] in kinds]

    @property
    def requested(self) -> list[str]:
        """Addresses the page asked for."""
        found = [event["params"] for event in self.events if event["method"] == "Network.requestWillBeSent"]
        return [request["request"]["url"] for request in found]

    def send(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """A command to the tab, and its answer."""
        return self._send(method, params or {}, session=self._session)

    def _send(self, method: str, params: dict[str, Any], *, session: str | None = None) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            answer = self._receive()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return dict(answer["result"])
        raise TimeoutError(method)

    def _wait_for(self, event: str) -> None:
        deadline = time.monotonic() + SECONDS
        while not any(seen["method"] == event for seen in self.events):
            if time.monotonic() > deadline:
                raise TimeoutError(event)
            self._receive()

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            if not select.select([self._from], [], [], SECONDS)[0]:
                raise TimeoutError("Chromium says nothing")
            piece = os.read(self._from, 1 << 20)
            if not piece:
                raise ConnectionError("Chromium has ended")
            self._buffer += piece
        line, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        if "method" in message:
            self.events.append(message)
        return message


@contextlib.contextmanager
def open_page(home: Path, log: Path) -> Iterator[Page]:
    """A tab in a new browser with no settings, which writes everything it does on the network to `log`."""
    (command_in, command_out), (answer_in, answer_out) = _pipe(), _pipe()
    # The shell puts the pipes where Chromium looks for them.
    handing_over = ["bash", "-c", f'exec "$@" 3<&{command_in} 4>&{answer_out}', "chromium"]
    browser = subprocess.Popen(
        [
            *handing_over,
            find_chromium(),
            "--headless=new",
            "--no-sandbox",  # a browser of root's has none
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-default-apps",
            "--disable-extensions",
            "--disable-sync",
            "--no-first-run",
            "--no-default-browser-check",
            "--force-color-profile=srgb",
            "--hide-scrollbars",
            f"--user-data-dir={home}",
            f"--log-net-log={log}",
            "--net-log-capture-mode=IncludeSensitive",
            # Whatever asks for a name gets none, so nothing leaves this machine even if a page does ask.
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--remote-debugging-pipe",
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(command_in, answer_out),
    )
    os.close(command_in)
    os.close(answer_out)
    try:
        page = Page(command_out, answer_in)
        yield page
        with contextlib.suppress(ConnectionError, OSError):
            page._send("Browser.close", {})
        browser.wait(SECONDS)  # the log is whole only once the browser has ended
    finally:
        browser.kill()
        browser.wait()
        os.close(command_out)
        os.close(answer_in)


def _pipe() -> tuple[int, int]:
    """Both ends, on numbers that are out of the way of 3 and 4."""
    ends = os.pipe()
    moved = fcntl.fcntl(ends[0], fcntl.F_DUPFD_CLOEXEC, 10), fcntl.fcntl(ends[1], fcntl.F_DUPFD_CLOEXEC, 10)
    for end in ends:
        os.close(end)
    return moved


def requests_in(log: Path) -> list[str]:
    """Addresses that pages asked for, answered or not, by Chromium's own log; its own errands have no origin."""
    events = json.loads(log.read_bytes())["events"]
    asked = [event["params"] for event in events if "initiator" in event.get("params", {})]
    return [params["url"] for params in asked if params["initiator"] != "not an origin"]
