"""`python -m tools.site`: gather docs/, the rooms' README files and generated reference pages, and build the site.

The sources go to build/site-source, the site to build/site. `--pages` only gathers them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tools import reference, reference_api

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "build" / "site-source"
SITE = ROOT / "build" / "site"
THEIRS = "https://unpkg.com/iframe-worker/shim"
# Pages that stand beside the code they describe, and where the site shows them.
ELSEWHERE = {
    "edge/README.md": "rooms/edge.md",
    "deploy/README.md": "rooms/deploy.md",
    "api/README.md": "rooms/api.md",
    "reporting/README.md": "rooms/reporting.md",
    "grafana/README.md": "rooms/grafana.md",
    "CONTRIBUTING.md": "rooms/contributing.md",
    "CHANGELOG.md": "changelog.md",
}


def main(arguments: list[str]) -> int:
    """Gather the pages, then run the generator on them; its exit code is ours."""
    gather()
    if "--pages" in arguments:
        return 0
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--clean", "--config-file", str(ROOT / "mkdocs.yml")]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}  # an announcement that would be read as a warning of ours
    code = subprocess.run(command, cwd=ROOT, check=False, env=environment).returncode
    if code == 0:
        own_worker()
    return code


def own_worker() -> None:
    """Use our own script for the search in a folder; the theme would load one from elsewhere."""
    for page in SITE.rglob("*.html"):
        up = "../" * len(page.parent.relative_to(SITE).parts)
        text = page.read_text(encoding="utf-8")
        page.write_text(text.replace(THEIRS, f"{up}assets/iframe-worker.js"), encoding="utf-8")


def gather() -> None:
    """Write every page of the site to `SOURCE`."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    shutil.copytree(ROOT / "docs", SOURCE)
    places = {(ROOT / page).resolve(): SOURCE / place for page, place in ELSEWHERE.items()}
    places |= {p.resolve(): SOURCE / p.relative_to(ROOT / "docs") for p in (ROOT / "docs").rglob("*.md")}
    for page, place in places.items():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(relinked(page, place, places), encoding="utf-8")
    (SOURCE / "reference").mkdir(exist_ok=True)
    for name, text in reference.pages().items():
        (SOURCE / "reference" / name).write_text(text, encoding="utf-8")
    (SOURCE / "reference" / "openapi.json").write_text(json.dumps(reference_api.openapi(), indent=1), encoding="utf-8")


def relinked(page: Path, place: Path, places: dict[Path, Path]) -> str:
    """The text of a page with its links adapted; a link to a file that is not a page becomes its name."""

    def link(found: re.Match[str]) -> str:
        target, _, anchor = found[3].partition("#")
        file = (page.parent / target).resolve()
        if file in places:
            there = Path(*[".."] * len(place.parent.relative_to(SOURCE).parts)) / places[file].relative_to(SOURCE)
            return f"{found[1]}[{found[2]}]({there.as_posix()}{'#' + anchor if anchor else ''})"
        if file.is_relative_to(ROOT / "docs") and file.is_file():
            return found[0]
        if target.startswith("reference/") or "/reference/" in target:
            return found[0]  # a generated page
        return found[2] if found[2].startswith("`") else f"{found[2]} (`{file.relative_to(ROOT).as_posix()}`)"

    text = page.read_text(encoding="utf-8")
    return re.sub(r"(!?)\[([^\]]*)\]\((?!https?:|#|mailto:)([^)\s]+)\)", link, text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
