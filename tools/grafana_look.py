"""Pictures of every dashboard from a Grafana that runs, and one page that shows them side by side: the review sheet.

    make grafana-look URL=http://localhost:3000

Each dashboard is opened at 1600x1000 and 1280x720, dark and light; `build/grafana-look/index.html` shows them all and
the errors of the browser's console. Dashboards must have been pushed or provisioned before. A token of the role
Viewer is taken from CITYVITALS_GRAFANA_TOKEN; without one the server must allow anonymous access.
"""

from __future__ import annotations

import argparse
import html
import os
import shutil
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from grafana.links import DASHBOARDS

SIZES = ((1600, 1000), (1280, 720))
THEMES = ("dark", "light")
TIMEOUT_MS = 40_000
QUIET = 5  # times half a second


class Shot(NamedTuple):
    """One picture, and the errors of the console while it was taken."""

    dashboard: str
    name: str
    path: Path
    complaints: list[str]


def settle(page: Page, wait_ms: int) -> None:
    """Wait until no panel has been loading for two seconds, and the picture no longer changes."""
    page.wait_for_selector("[class*=panel-container], [data-panelid], section", timeout=TIMEOUT_MS)
    loading = ".panel-loading, [aria-label='Panel loading bar'], .fa-spinner"
    quiet = 0
    for _ in range(TIMEOUT_MS // 500):
        page.wait_for_timeout(500)
        quiet = 0 if page.locator(loading).count() else quiet + 1
        if quiet >= QUIET:
            break
    page.wait_for_timeout(wait_ms)


def keep_error(complaints: list[str], message: ConsoleMessage) -> None:
    """Add an error that the console shows."""
    if message.type == "error":
        complaints.append(message.text)


def shots(browser: Browser, asked: argparse.Namespace, folder: Path) -> Iterator[Shot]:
    """Open every dashboard in every size and theme."""
    token = os.environ.get("CITYVITALS_GRAFANA_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    for width, height in SIZES:
        context = browser.new_context(
            viewport={"width": width, "height": asked.height or height}, extra_http_headers=headers
        )
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", partial(keep_error, complaints))
        for theme in asked.themes.split(","):
            for name in asked.only.split(",") if asked.only else DASHBOARDS:
                complaints.clear()
                kiosk = f"&{asked.kiosk}" if asked.kiosk else ""
                page.goto(f"{asked.url}/d/cityvitals-{name}?var-city={asked.city}&theme={theme}{kiosk}{asked.more}")
                settle(page, asked.wait)
                path = folder / f"{name}-{width}-{theme}.png"
                page.screenshot(path=path)
                yield Shot(name, f"{width}x{height} {theme}", path, list(complaints))
        context.close()


def sheet(found: list[Shot]) -> str:
    """The review sheet: every dashboard with its pictures and errors."""
    parts = ["<!doctype html><meta charset=utf-8><title>Dashboards</title><style>img{width:48%;margin:.5%}</style>"]
    for name in dict.fromkeys(shot.dashboard for shot in found):
        mine = [shot for shot in found if shot.dashboard == name]
        parts.append(f"<h2>{html.escape(DASHBOARDS[name])}</h2>")
        parts += [f'<img src="{shot.path.name}" alt="{html.escape(shot.name)}">' for shot in mine]
        parts += [f"<p>{html.escape(text)}</p>" for text in sorted({text for shot in mine for text in shot.complaints})]
    return "\n".join(parts)


def main() -> int:
    """Take the pictures and write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--city", default="demo")
    parser.add_argument("--only", default="", help="dashboards, by the end of their uid, with commas")
    parser.add_argument("--themes", default=",".join(THEMES))
    parser.add_argument("--kiosk", default="kiosk")
    parser.add_argument("--more", default="", help="more of the address, like '&from=...&to=...'")
    parser.add_argument("--height", type=int, default=0, help="height of the window, to see a whole dashboard")
    parser.add_argument("--wait", type=int, default=1000, help="ms after the last panel has loaded")
    parser.add_argument("--folder", type=Path, default=Path("build/grafana-look"))
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as p:
        browser = p.chromium.launch(
            executable_path=shutil.which("chromium-headless-shell") or shutil.which("chromium"), args=["--no-sandbox"]
        )
        found = []
        for shot in shots(browser, asked, asked.folder):
            sys.stdout.write(f"{shot.path} {'; '.join(shot.complaints[:2])[:200]}\n")
            sys.stdout.flush()
            found.append(shot)
        browser.close()
    (asked.folder / "index.html").write_text(sheet(found), encoding="utf-8")
    sys.stdout.write(f"{asked.folder / 'index.html'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
