"""A real Chromium for the page tests, driven by Playwright; it talks to the loopback interface only."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from tests.processes import SEARCH_PATH, busy, need

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

PHONE = (390, 844)
DESKTOP = (1280, 800)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium, headless, with a fresh profile; gone when the block ends.

    Playwright's synchronous calls keep an event loop in this thread: no `asyncio.run` inside the block.
    """
    path = shutil.which("chromium-headless-shell", path=SEARCH_PATH) or need("chromium")  # the first without a window
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class OneChromium:
    """One Chromium for all tests of a process: each start costs a second or two of a processor.

    Playwright's event loop belongs to the thread in which it started. Between uses that loop is hidden, so that other
    tests may run loops of their own.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._browser: Browser | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @contextmanager
    def use(self) -> Iterator[Browser]:
        """The browser, started where none runs; what was opened in it is closed when the block ends."""
        if self._browser is None or not self._browser.is_connected():
            self.close()
            self._browser = self._stack.enter_context(chromium())
            self._loop = asyncio._get_running_loop()
        asyncio._set_running_loop(self._loop)
        try:
            yield self._browser
            for context in self._browser.contexts:
                context.close()
        finally:
            asyncio._set_running_loop(None)

    def close(self) -> None:
        """End it."""
        if self._browser is not None:
            asyncio._set_running_loop(self._loop)
            self._stack.close()
            self._browser = None


@contextmanager
def page(browser: Browser, url: str, size: tuple[int, int] = DESKTOP) -> Iterator[tuple[Page, list[str]]]:
    """`url` opened in a window of `size`, and the list of its errors, which grows while the page lives.

    Errors are what a developer would see in red: console errors, uncaught exceptions, failed requests.
    """
    context = browser.new_context(viewport={"width": size[0], "height": size[1]})
    context.set_default_timeout(30_000 * busy())  # ms
    view = context.new_page()
    errors: list[str] = []
    view.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    view.on("pageerror", lambda error: errors.append(str(error)))
    view.on("requestfailed", lambda r: errors.append(f"{r.url}: {r.failure}"))
    try:
        view.goto(url)
        yield view, errors
    finally:
        context.close()
