"""The options of all commands: one spelling an idea, one sentence a name, help that fits 80 columns."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main

from cityvitals.cli import SECTIONS
from cityvitals.cli.main import app
from cityvitals.help import FORMER, present_names

# Options that mean one thing wherever they stand, with the sentences that may explain them.
ONE_MEANING = ("--store", "--config", "--buffer", "--pki", "--code", "--region", "--group", "--seed", "--sessions")
# Another word for the idea of a present option: it must not be added a second time.
OTHER_WORDS = {
    "--folder": "--pki or --out", "--output": "--out", "--database": "--store", "--db": "--store",
    "--ntp": "--time-server",
    "--count": "--limit", "--number": "--limit", "--type": "--kind", "--node": "--kind", "--kpi": "--code",
    "--indicator": "--code", "--year-month": "--period", "--time": "--period",
    "--form": "--format", "--json": "--format",
    "--settings": "--config", "--dir": "--out", "--wifi-password": "--wifi-password-file", "--certificates": "--pki",
}  # fmt: skip


def commands(name: str = "", command: Any = None) -> Iterator[tuple[str, Any]]:
    command = command or typer.main.get_command(app)
    for word, sub in getattr(command, "commands", {}).items():
        yield f"{name} {word}".strip(), sub
        yield from commands(f"{name} {word}".strip(), sub)


ALL = dict(commands())
ENDS = {name: c for name, c in ALL.items() if not getattr(c, "commands", None) and not c.hidden}


def shown(*words: str) -> str:
    command = [sys.executable, "-m", "cityvitals", *words, "--help"]
    environment = {**os.environ, "COLUMNS": "80"}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout


def test_every_option_is_explained_and_every_command_has_an_example() -> None:
    assert [f"{n} {p.name}" for n, c in ENDS.items() for p in c.params if not p.help and p.name != "help"] == []
    assert [n for n, c in ENDS.items() if "Example: " not in c.help and n != "version"] == []


@pytest.mark.parametrize("option", ONE_MEANING)
def test_an_option_has_one_meaning_in_all_commands(option: str) -> None:
    sentences = {p.help for c in ENDS.values() for p in c.params if option in p.opts and p.default is not ...}
    allowed = {"--sessions": 2, "--buffer": 2, "--store": 2}  # the store of the demo has a default
    assert 1 <= len(sentences) <= allowed.get(option, 1), sentences


def test_one_idea_has_one_option() -> None:
    wrong = {f"{n} {o}" for n, c in ENDS.items() for p in c.params for o in p.opts if o in OTHER_WORDS}
    assert wrong == set()


def test_a_file_to_write_can_always_be_given_in_short() -> None:
    outs = {n: p.opts for n, c in ENDS.items() for p in c.params if "--out" in p.opts}
    assert len(outs) > 8
    assert {n for n, opts in outs.items() if "-o" not in opts} == set()


def test_a_former_name_works_with_a_notice(capsys: pytest.CaptureFixture[str]) -> None:
    assert present_names(["enrol", "device", "a", "--node", "air", "--folder=x"]) == [
        "enrol", "device", "a", "--kind", "air", "--pki=x",
    ]  # fmt: skip
    notice = capsys.readouterr().err
    assert "--node is now --kind" in notice
    assert "--folder is now --pki" in notice
    assert present_names(["kpi", "show", "--folder", "x"]) == ["kpi", "show", "--folder", "x"]
    for command, _, present in FORMER:
        ends = [c for n, c in ENDS.items() if f"{n} ".startswith(f"{command} ")]
        assert any(present in p.opts for c in ends for p in c.params), (command, present)


def test_commands_are_listed_by_what_they_are_for() -> None:
    text = shown()
    first = [c for n, c in ALL.items() if " " not in n and not c.hidden]
    assert {c.rich_help_panel for c in first} <= set(SECTIONS)
    assert "Commands:" not in text
    places = [text.index(f"\n{section}:\n") for section in SECTIONS if f"\n{section}:\n" in text]
    assert places == sorted(places)
    assert len(places) >= 6


@pytest.mark.parametrize("group", ["", *(n for n, c in ALL.items() if getattr(c, "commands", None))])
def test_a_list_of_commands_fits_and_cuts_no_sentence(group: str) -> None:
    lines = shown(*group.split()).splitlines()
    assert max(map(len, lines)) <= 80
    cut = [line for line in lines if line.endswith("...") and "Usage:" not in line]
    assert cut == [], "shorten the sentence, or the longest name of a command in its section, which makes the column"
