"""The catalogue of 91 as the publisher counts it."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from kpi_derivation.catalogue import KPIS, Kpi, canonical
from reporting.figures.points import all_points, data_points, part_named, points, u4ssc

CODES = u4ssc()


def test_there_are_91_kpis_54_core_and_37_advanced() -> None:
    assert len(CODES) == 91
    assert Counter(kpi.level for kpi in CODES) == {"core": 54, "advanced": 37}


def test_the_three_dimensions_have_45_17_and_29() -> None:
    assert Counter(kpi.dimension for kpi in CODES) == {"Economy": 45, "Environment": 17, "Society and Culture": 29}


def test_there_are_7_sub_dimensions_and_22_categories_in_27_blocks() -> None:
    assert len({kpi.sub_dimension for kpi in CODES}) == 7
    assert len({kpi.category for kpi in CODES}) == 22
    assert len({(kpi.sub_dimension, kpi.category) for kpi in CODES}) == 27


def test_there_are_111_data_points_and_112_figures() -> None:
    assert sum(data_points(kpi) for kpi in CODES) == 111
    assert len(list(all_points())) == 112


@pytest.mark.parametrize("kpi", CODES, ids=lambda kpi: kpi.code)
def test_a_row_is_whole(kpi: Kpi) -> None:
    assert re.fullmatch(r"(EC|EN|SC):[A-Z]{1,3}:[A-Z]{1,3}:[1-9][CA]", kpi.code)
    assert kpi.level == {"C": "core", "A": "advanced"}[kpi.code[-1]]
    assert kpi.dimension[:2].upper() in {"EC", "EN", "SO"}
    assert kpi.type in {"smart", "sustainable", "structural", "unknown"}
    assert kpi.unit_status in {"verified", "secondary", "unconfirmed"}
    assert kpi.direction in {"higher", "lower", "nearest", ""}
    assert kpi.name
    assert kpi.unit
    assert kpi.definition
    assert kpi.source
    assert kpi.sdg
    assert len(set(kpi.parts)) == len(kpi.parts)


@pytest.mark.parametrize("kpi", CODES, ids=lambda kpi: kpi.code)
def test_the_goals_are_goals_or_targets_of_the_17(kpi: Kpi) -> None:
    for goal in kpi.sdg:
        assert re.fullmatch(r"([1-9]|1[0-7])(\.[0-9a-z]+)?", goal)


def test_20_kpis_are_smart_and_no_two_share_a_code_or_an_alias() -> None:
    assert sum(kpi.type == "smart" for kpi in CODES) == 20
    names = [name for kpi in KPIS.values() for name in (kpi.code, *kpi.aliases)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("EC: ICT: ICT: 5C", "EC:ICT:ICT:5A"),
        ("SC:EH:ED:5A", "SC:EH:H:6A"),
        ("SA:EH:C:1C", "SC:EH:C:1C"),
        ("sa:eh:h:5a", "SC:EH:H:5A"),
        ("EN:EN:WS:3C", "EN:EN:WS:3C"),
    ],
)
def test_other_ways_to_write_a_code_are_known(written: str, code: str) -> None:
    assert canonical(written) == code


def test_a_part_is_found_as_people_write_it_and_else_named() -> None:
    air = KPIS["EN:EN:AQ:1C"]
    assert part_named(air, "PM2.5") == "pm2_5"
    assert points(air)[0] == ("EN:EN:AQ:1C", "pm2_5")
    assert part_named(KPIS["EC:ICT:ICT:1C"], "") == ""
    with pytest.raises(ValueError, match="did you mean 'no2'"):
        part_named(air, "no")
    with pytest.raises(ValueError, match="name one in part"):
        part_named(air, "")
    with pytest.raises(ValueError, match="one figure only"):
        part_named(KPIS["EC:ICT:ICT:1C"], "3G")
