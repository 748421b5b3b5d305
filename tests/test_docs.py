"""The documentation is true: its commands exist with their options, its links lead somewhere."""

from __future__ import annotations

import functools
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from cityvitals.cli.main import app
from cityvitals.help import present_names

REPO = Path(__file__).parents[1]
GENERATED_NAMES = ("api", "city-file", "cli", "formats", "metrics", "quantities", "settings", "topics", "wire")
NOT_OURS = {".venv", "build", "typings", "node_modules", ".cache"}
# Pages of the site that are made from the code when it is built (tools/reference.py, tests/docs/test_site.py).
GENERATED = {REPO / "docs" / "reference" / f"{name}.md" for name in GENERATED_NAMES}
PAGES = sorted(p for p in REPO.rglob("*.md") if not NOT_OURS & set(p.parts))


def commands(text: str) -> Iterator[str]:
    """Every `cityvitals ...` in code blocks and code spans."""
    blocks = re.findall(r"```(?:sh|console)?\n(.*?)```", text, re.S)
    spans = re.findall(r"`((?:[A-Z_]+=\S+ )?cityvitals [^`\n]+)`", text)
    for line in [line for block in blocks for line in block.splitlines()] + spans:
        found = re.match(r"\s*(?:\$ )?(?:[A-Z_]+=\S+ )*(cityvitals .*)", line)
        if found:
            yield found[1].split("  #")[0].split(" # ")[0].strip()


whole_command = functools.cache(functools.partial(typer.main.get_command, app))


def fault(line: str) -> str | None:
    """Why the command line cannot be, None when the command and its options exist."""
    words = present_names(shlex.split(line.replace("...", ""))[1:])
    command: Any = whole_command()
    while words and hasattr(command, "commands"):
        if words[0].startswith("-"):
            break
        names = words[0].split("|")
        missing = [n for n in names if n not in command.commands]
        if missing:
            return f"there is no command '{missing[0]}'"
        command, words = command.commands[names[0]], words[1:]
    known = {o for p in command.params for o in [*p.opts, *p.secondary_opts]} | {"--help"}
    unknown = [w for w in words if w.startswith("--") and w.split("=")[0] not in known]
    return f"there is no option '{unknown[0]}'" if unknown else None


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(REPO)))
def test_every_command_in_the_documentation_exists(page: Path) -> None:
    wrong = {line: why for line in commands(page.read_text(encoding="utf-8")) if (why := fault(line))}
    assert wrong == {}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(REPO)))
def test_every_link_of_the_documentation_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if not (page.parent / link).exists()]
    assert [link for link in missing if (page.parent / link).resolve() not in GENERATED] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(REPO)))
def test_every_test_the_documentation_names_exists(page: Path) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", page.read_text(encoding="utf-8"))
    missing = [
        f"{file}::{name}"
        for file, name in named
        if not (REPO / file).is_file() or (name and f"\ndef {name}(" not in (REPO / file).read_text(encoding="utf-8"))
    ]
    assert missing == []


def test_the_readme_names_every_top_level_package() -> None:
    text = (REPO / "README.md").read_text(encoding="utf-8")
    packages = {p.parent.name for p in REPO.glob("*/__init__.py")} - {"tests", "edge"}
    assert {p for p in packages if f"`{p}/`" not in text} == set()


def test_the_checks_of_this_file_can_fail() -> None:
    assert fault("cityvitals replay x.csv --cty y.toml") == "there is no option '--cty'"
    assert fault("cityvitals kpi shw") == "there is no command 'shw'"
    assert fault("cityvitals kpi show --city x --store y --period 2018") is None
    assert list(commands("`cityvitals kpi show` and\n```sh\ncityvitals demo --port 1  # x\n```")) == [
        "cityvitals demo --port 1",
        "cityvitals kpi show",
    ]
