"""Documents that a tool writes: each is current, and an old one is reported with the command that writes it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools.generated import generated, tools, write_all

ROOT = Path(__file__).parents[2]
TOOLS = tools()
COMPARED = {"kpi_states"}  # by its own test, which takes ten seconds to calculate the page


@pytest.mark.parametrize("tool", sorted(set(TOOLS) - COMPARED))
def test_the_page_is_current(tool: str) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", f"tools.{tool}", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (answer.returncode, answer.stderr) == (0, "")


def test_all_tools_that_write_a_page_are_found() -> None:
    assert {"device_docs", "kpi_docs", "kpi_states", "kpi_table", "recorded_docs"} <= set(TOOLS)


def text() -> str:
    return "new\n"


def test_an_old_page_is_reported_and_written_without_an_argument(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "a.md"
    assert generated(page, text, ["--check"]) == 1  # there is none
    page.write_text("old\n", encoding="utf-8")
    capsys.readouterr()
    assert generated(page, text, ["--check"]) == 1
    assert capsys.readouterr().err == (
        f"{tmp_path.name}/a.md is not current; run `python -m tests.tools.test_generated`.\n"
    )
    assert page.read_text(encoding="utf-8") == "old\n"
    assert generated(page, text, ["--chek"]) == 2
    assert generated(page, text, []) == 0
    assert page.read_text(encoding="utf-8") == "new\n"
    assert generated(page, text, ["--check"]) == 0


def test_one_command_writes_every_file_whose_test_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []
    monkeypatch.setattr(subprocess, "run", lambda command, **_: started.append(" ".join(command[1:])))
    write_all()
    texts = (path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    named = {found for text in texts for found in re.findall(r"run `python (-m [\w. ]+)`", text)}
    wanted = named - {"-m tests.tools.test_generated"}
    assert {"-m edge.tools.node_kinds", "-m grafana build"} <= wanted
    assert wanted - set(started) == set()
    assert len(started) == len(set(started)) > len(TOOLS)
