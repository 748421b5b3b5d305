"""What the README of reporting shows can be done."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import typer

from cityvitals.cli.kpi import add_to, app
from reporting.figures.file import read_figures
from reporting.figures.reported import QUALITY
from reporting.snapshot import TargetsFile
from reporting.targets import targets

README = (Path(__file__).parents[2] / "reporting" / "README.md").read_text(encoding="utf-8")


def block(first: str) -> str:
    """The indented block that begins with this text."""
    found = re.search(rf"(^    {re.escape(first)}.*\n(?:    .*\n)*)", README, re.MULTILINE)
    assert found
    return re.sub(r"^    ", "", found[1], flags=re.MULTILINE)


def test_the_figures_are_read() -> None:
    assert [f.value for f in read_figures(block("code,part"), "README.md")] == [84.51, 13.0]


def test_the_target_is_one() -> None:
    entries = TargetsFile.model_validate(tomllib.loads(block("[[target]]"))).target
    assert targets(entries)["EN:EN:AQ:1C", "no2"].value == 20


def test_every_command_is_listed_and_there() -> None:
    add_to(typer.Typer())
    registered = {c.name for c in app.registered_commands}
    assert set(re.findall(r"^\| `cityvitals kpi ([\w-]+)", README, re.MULTILINE)) == registered


def test_the_classes_of_quality_are_named() -> None:
    assert all(f"`{name}`" in README for name in QUALITY)
