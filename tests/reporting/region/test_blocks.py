"""The snapshot by sub-dimension: 7 with 27 blocks, as published, and the golden sums of points."""

from __future__ import annotations

import re
from pathlib import Path

from reporting.figures.figures import figures
from reporting.region.blocks import sentence, sub_dimensions
from reporting.scoring import Score
from reporting.targets import score
from tests.reporting.city import run


def test_there_are_seven_sub_dimensions_with_27_blocks_as_published() -> None:
    """Aukra 2021 p4: Economy 6 + 2 + 6, Environment 5 + 1, Society and Culture 3 + 4."""
    found = sub_dimensions(figures([]), score([], {}))
    assert [len(s.blocks) for s in found] == [6, 2, 6, 5, 1, 3, 4]
    assert sum(b.figures for s in found for b in s.blocks) == 112
    assert {s.score.share for s in found} == {None}


def test_points_of_a_group_are_summed_as_published() -> None:
    assert sentence("Education", Score(points=9, items=4)) == "Education: 56.25 % (band 33-66 %, 4 scored figures)"


def test_the_picture_has_a_row_for_each_and_text_for_all(store: str, tmp_path: Path) -> None:
    out = tmp_path / "sub.svg"
    run("kpi", "sub-dimensions", "--city", "almby", "--store", store, "--period", "2018", "--out", out)
    svg = out.read_text()
    assert svg.count("not scored</text>") == 7
    assert len(re.findall(r"not scored; \d+ of \d+ reported</text>", svg)) == 27
    assert "Public Space and Nature: not scored" in svg
