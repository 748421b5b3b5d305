"""The comparison of the proof sees what is lost, doubled or in another order."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ingest.samples import METERED, city
from tests.kpi_derivation.engine.cities import feed_by_days
from tests.kpi_derivation.engine.model import Reading
from tests.scale import cases
from tests.scale.compare import Difference, Message, difference

WANTED: list[Message] = [(b"a", b"1"), (b"a", b"2"), (b"b", b"1")]


@pytest.mark.parametrize(
    ("found", "lost", "doubled", "wrong"),
    [
        ([(b"b", b"1"), (b"a", b"1"), (b"a", b"2")], 0, 0, 0),
        ([(b"a", b"1"), (b"b", b"1")], 1, 0, 0),
        ([*WANTED, (b"a", b"2")], 0, 1, 0),
        ([(b"a", b"2"), (b"a", b"1"), (b"b", b"1")], 0, 0, 1),
        ([(b"a", b"1"), (b"a", b"3"), (b"b", b"1")], 1, 1, 0),
        ([], 3, 0, 0),
    ],
)
def test_what_differs_is_counted(found: list[Message], lost: int, doubled: int, wrong: int) -> None:
    counted = difference(WANTED, found)
    assert counted == Difference(3, lost, doubled, wrong)
    assert counted.is_equal == (lost + doubled + wrong == 0)


def test_all_readings_of_a_city_reach_both_engines(tmp_path: Path) -> None:
    begin, count = 1_543_622_400_000, 6000  # windows: more than a gateway sends at once
    readings = [Reading("m1", "energy_delta", begin + n * 60_000, 1.0, 0, True) for n in range(count)]
    case = cases.of_readings("random", tmp_path, city(), readings, feed_by_days, 1)
    found = {k: v for k, v in cases.plain(cases.newest(case.written)).items() if k[0] == METERED}
    assert found == {k: v for k, v in case.embedded.items() if k[0] == METERED}
    assert found[METERED, "", "2018-12"].value == count
