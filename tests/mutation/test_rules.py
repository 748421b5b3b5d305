"""The list of mistakes fits the sources: each place is there once, each test file exists."""

from __future__ import annotations

import ast

import pytest

from tests.mutation.copies import ROOT
from tests.mutation.rules import Mistake, changed, mistakes


@pytest.mark.parametrize("m", mistakes(), ids=lambda m: m.rule)
def test_a_mistake_has_its_place_and_its_tests(m: Mistake) -> None:
    source = changed(m)
    ast.parse(source)
    assert source != (ROOT / m.file).read_text(encoding="utf-8")
    assert [test for test in m.tests if not (ROOT / test).exists()] == []
