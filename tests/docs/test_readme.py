"""README.md's examples run as they stand, with the files of the repository; and its pointers are true."""

from __future__ import annotations

import gzip
import os
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_docs import fault

REPO = Path(__file__).parents[2]
README = (REPO / "README.md").read_text(encoding="utf-8")
# Sections whose commands start servers or need a board, brokers and Docker; they have tests of their own.
ELSEWHERE = ("## Try it", "## Run it in production")


def commands() -> list[str]:
    """Every command of the sections that run on the sample city."""
    found = []
    for section in re.split(r"^(?=## )", README, flags=re.M):
        if not section.startswith(ELSEWHERE):
            for block in re.findall(r"```sh\n(.*?)```", section, re.S):
                found += [line.split("   #")[0].strip() for line in block.splitlines() if line and line[0] != "#"]
    return found


def run(line: str, folder: Path) -> str:
    words = shlex.split(line, comments=True)
    if words[0] == "cityvitals":
        words = [sys.executable, "-m", *words]
    environment = {**os.environ, "PYTHONPATH": str(REPO), "COLUMNS": "80"}
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What each command prints, run in their order in a folder with `examples`."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "examples").symlink_to(REPO / "examples")
    return {line: run(line, folder) for line in commands()}


def answer(answers: dict[str, str], start: str) -> str:
    [found] = [text for line, text in answers.items() if line.startswith(start)]
    return found


def test_every_example_runs(answers: dict[str, str]) -> None:
    assert len(answers) >= 11
    assert re.search(r"rejected +0\n", answer(answers, "cityvitals replay"))
    assert re.search(r"^LOCAL:EV:ENERGY .* kWh +final", answer(answers, "cityvitals kpi show"), re.M)


def test_the_examples_find_what_the_sample_was_made_with(answers: dict[str, str]) -> None:
    gain = re.search(r"^  gain +([\d.]+)", answer(answers, "cityvitals calibrate"), re.M)
    assert gain is not None
    assert 0.55 < float(gain[1]) < 0.75  # 1 / 1.4 = 0.71, less for the noise of the sensor
    assert answer(answers, "cityvitals measure effect").startswith("The measure lowered the value: -")
    assert "->managed" in answer(answers, "cityvitals plan charging")
    assert "LOCAL:E:PEAK" in answer(answers, "cityvitals plan scenario")


def test_no_line_is_longer_than_a_terminal(answers: dict[str, str]) -> None:
    tables = ("cityvitals kpi show", "cityvitals plan scenario")
    assert [line for start in tables for line in answer(answers, start).splitlines() if len(line) > 80] == []


def test_the_sample_is_what_its_program_makes() -> None:
    made = runpy.run_path(str(REPO / "examples" / "sample" / "make.py"))["contents"]()
    assert set(made) == {"readings.csv.gz", "sessions.csv.gz"}
    for name, text in made.items():
        assert gzip.decompress((REPO / "examples" / "sample" / name).read_bytes()).decode() == text


def test_every_place_to_change_something_exists() -> None:
    table = README.split("### Where to change what")[1].split("\n\n")[1]
    named = re.findall(r"`([a-z_]+/[\w/.<>]*)`", table)
    assert len(named) >= 10
    assert [n for n in named if "<" not in n and not (REPO / n).exists()] == []


def test_the_programs_are_started_as_on_the_pages_whose_commands_are_executed() -> None:
    """Servers are started by tests/docs/test_how_to.py, nodes by tests/docs/test_flash_a_node.py."""
    [servers, nodes] = re.findall(
        r"```sh\n(.*?)```", README.split("## Run it in production")[1].split("\n## ")[0], re.S
    )
    page = (REPO / "docs" / "how-to" / "servers.md").read_text(encoding="utf-8")
    lines = [line.split("  ")[0] for line in servers.splitlines()]
    assert lines == re.findall(r"^cityvitals .*", page, re.M)
    assert {tuple(line.split()[1:2]) for line in nodes.splitlines()} == {("enrol",), ("node",), ("ota",)}


def test_the_commands_of_the_other_sections_exist() -> None:
    lines = re.findall(r"^cityvitals [^\n#]+", README, re.M)
    assert len(lines) > len(commands()) - 2
    assert {line: why for line in lines if (why := fault(line.strip()))} == {}
