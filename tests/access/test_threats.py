"""The threat table of docs/security.md names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
NAMED = sorted(set(re.findall(r"`(tests/\S+?\.py)::(\w+)`", (REPO / "docs" / "security.md").read_text())))


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_the_test_is_there(path: str, name: str) -> None:
    assert f"def {name}(" in (REPO / path).read_text()


def test_every_threat_has_a_test() -> None:
    table = (REPO / "docs" / "security.md").read_text().split("\n\n")[2].splitlines()[2:]
    assert len(table) >= 15
    assert [row for row in table if "::test_" not in row] == []
