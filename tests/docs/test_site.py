"""The documentation site: built without warnings, complete, readable from its folder without internet."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.browser import page as opened
from tests.test_docs import GENERATED_NAMES

REPO = Path(__file__).parents[2]
LOADED = re.compile(
    r'<(?:script|img|iframe)[^>]*\ssrc="(?:https?:)?//[^"]+"'
    r'|<link[^>]*rel="(?:stylesheet|preload|preconnect)"[^>]*href="(?:https?:)?//[^"]+"'
)
SITE = REPO / "build" / "site"


@pytest.fixture(scope="module")
def site() -> Path:
    built = subprocess.run([sys.executable, "-m", "tools.site"], cwd=REPO, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    assert "WARNING" not in built.stdout + built.stderr
    return SITE


def pages(site: Path) -> list[Path]:
    return sorted(site.rglob("*.html"))


def test_every_page_of_the_documentation_is_in_the_site(site: Path) -> None:
    missing = [
        page.relative_to(REPO / "docs")
        for page in (REPO / "docs").rglob("*.md")
        if not (site / page.relative_to(REPO / "docs").with_suffix(".html")).is_file()
    ]
    assert missing == []
    assert {p.stem for p in (site / "reference").glob("*.html")} == set(GENERATED_NAMES)


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    loaded = {
        f"{page.name}: {found}"
        for page in pages(site)
        for found in re.findall(r'<(?:script|img|iframe)[^>]*\ssrc="(?:https?:)?//[^"]+"', page.read_text())
        + re.findall(
            r'<link[^>]*rel="(?:stylesheet|preload|preconnect)"[^>]*href="(?:https?:)?//[^"]+"', page.read_text()
        )
    }
    assert loaded == set()


def test_every_link_within_the_site_leads_to_a_page(site: Path) -> None:
    broken = {
        f"{page.relative_to(site)} -> {link}"
        for page in pages(site)
        if page.name != "404.html"
        for link in re.findall(r'<a[^>]*\shref="([^"#]+)', page.read_text())
        if not re.match(r"(?:[a-z]+:|//)", link) and not (page.parent / link).exists()
    }
    assert broken == set()


@pytest.mark.parametrize(
    ("word", "page"), [("max_buffer_mb", "Configuration file"), ("nearest valid key", "City file")]
)
def test_a_search_finds_settings_and_keys_in_the_folder_without_a_server(
    browser: Any, site: Path, word: str, page: str
) -> None:
    with opened(browser, (site / "index.html").as_uri()) as (tab, _):
        tab.locator(".md-search__input").click()
        tab.keyboard.type(word)
        found = tab.locator(".md-search-result__item")
        found.first.wait_for(state="visible")
        assert page.lower() in " ".join(found.all_inner_texts()).lower()


def test_every_key_of_the_two_files_has_a_meaning(site: Path) -> None:
    """tools/key_meanings.toml: none missing, none of a key that is gone."""
    from tools import reference, reference_api

    source = REPO / "build" / "site-source" / "reference"
    texts = [(source / name).read_text() for name in ("city-file.md", "settings.md")]
    assert [line for text in texts for line in text.splitlines() if re.search(r"^\| `.*\|  \|$", line)] == []
    rows = {row for text in texts for row in re.findall(r"^\| `(\w+)` \|.*\| (.+) \|$", text, re.M)}
    unused = {
        f"{section}.{key}" for section, keys in reference.MEANINGS.items() for key, text in keys.items()
        if (key, reference_api.cell(text)) not in rows
    }  # fmt: skip
    assert unused == set()


def test_the_reference_names_every_command_setting_and_quantity(site: Path) -> None:
    from telemetry.quantities import QUANTITIES

    source = REPO / "build" / "site-source" / "reference"
    assert all(f"`{name}`" in (source / "quantities.md").read_text() for name in QUANTITIES)
    for command in ("cityvitals replay", "cityvitals kpi show", "cityvitals run"):
        assert f"## `{command}`" in (source / "cli.md").read_text()
    paths = json.loads((source / "openapi.json").read_text())["paths"]
    api = (source / "api.md").read_text()
    assert all(f" {path}`" in api for path in paths)
    linked = set(re.findall(r"\]\(#(\w+)\)", api))
    assert len(linked) > 20
    assert linked - {name.lower() for name in re.findall(r"^### (\w+)$", api, re.M)} == set()
    assert '"series": [["aq-1","pm2_5"]]' in (source / "wire.md").read_text()
    assert "`cityvitals_store_up` | gauge" in (source / "metrics.md").read_text()
