"""What others wrote comes to a terminal escaped: names and reasons of nodes, of brokers, of boards."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from adapters.sqlite.buffer import Buffer
from cityvitals import __main__
from cityvitals.cli.main import app
from cityvitals.operation import doctor
from telemetry.errors import CityVitalsError
from telemetry.untrusted import printable, read_json

CLEAR = "\x1b[2J"


def test_text_keeps_its_letters_and_loses_its_effects() -> None:
    assert printable(f"Zählerstand 5 µg {CLEAR}\r\n\x9b\u202e\ud800") == r"Zählerstand 5 µg \x1b[2J\r\n\x9b\u202e\ud800"


@pytest.mark.parametrize("text", [b"[" * 100_000, '{"a":' * 300 + "1" + "}" * 300, b"\xff", b"["])
def test_what_is_no_usable_json_is_a_value_error(text: bytes | str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_json(text)
    assert read_json('{"a": [{"b": [1, null]}]}') == {"a": [{"b": [1, None]}]}


def test_the_list_of_refused_messages_is_escaped(tmp_path: Path) -> None:
    buffer = Buffer(tmp_path / "gateway.db", None)
    buffer.rejects.add([(0, f"cv/1/c/{CLEAR}/data", CLEAR.encode(), f"there is no '{CLEAR}'")])
    buffer.close()
    done = CliRunner().invoke(app, ["rejects", "list", "--buffer", str(tmp_path / "gateway.db")])
    assert done.exit_code == 0, done.exception
    assert r"cv/1/c/\x1b[2J/data  there is no '\x1b[2J'" in done.output
    assert all(line.isprintable() for line in done.output.splitlines())


def test_the_doctors_findings_are_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    finding = doctor.Finding("ok", f"ledger {CLEAR}", "fine")
    monkeypatch.setattr(doctor, "examine", lambda *_: iter([finding]))
    assert CliRunner().invoke(app, ["doctor"]).output == "ok       ledger \\x1b[2J: fine\n"
    assert doctor.shown("mqtt://user:p@ss@hub") == "mqtt://hub"


def test_an_error_is_escaped_and_keeps_its_lines(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    def fails() -> None:
        raise CityVitalsError(f"The board says: {CLEAR}\nTry again.")

    monkeypatch.setattr("cityvitals.cli.main.app", fails)
    monkeypatch.setattr(sys, "exit", lambda code: None)
    __main__.main()
    assert capsys.readouterr().err == "cityvitals: The board says: \\x1b[2J\nTry again.\n"
