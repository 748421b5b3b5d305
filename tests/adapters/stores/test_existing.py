"""Commands that read do not make a store where the path was mistyped."""

from __future__ import annotations

from pathlib import Path

import pytest

from telemetry.errors import UsageError
from tests.replay.cli import here, run

READING = [
    ("kpi", "show", "--city", "aba", "--period", "2018"),
    ("kpi", "explain", "EN:EN:AQ:1C", "--city", "aba", "--period", "2018"),
    ("kpi", "export", "--city", "aba", "--format", "json"),
    ("ledger", "--city", "aba", "--period", "2018"),
]


@pytest.mark.parametrize("words", READING, ids=lambda words: " ".join(words[:2]))
def test_a_store_that_is_not_there_is_not_made(words: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "mistyped.db"
    with pytest.raises(UsageError, match=r"There is no store .*mistyped\.db"):
        here(*words, "--store", f"sqlite:///{path}")
    assert not path.exists()


def test_it_is_a_sentence_and_the_exit_code_of_wrong_usage(tmp_path: Path) -> None:
    said = run(*READING[0], "--store", f"sqlite:///{tmp_path}/mistyped.db", fails=2)
    assert said.startswith("cityvitals: There is no store")
