"""Topics: what a pattern matches, and what can name a level."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.topics import data_topic, kpi_topic, matcher, subscription, valid_id, windows_topic

ids = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}", fullmatch=True)
OURS = matcher("cv/1/{city}/{device}/data")


@given(ids, ids)
def test_our_own_topics_are_matched_level_by_level(city: str, device: str) -> None:
    assert OURS(data_topic(city, device)) == {"city": city, "device": device}
    assert OURS(windows_topic(city, device)) is None


@given(st.text(max_size=30))
def test_any_topic_is_matched_or_not_and_nothing_else_happens(topic: str) -> None:
    found = OURS(topic)
    assert found is None or topic == f"cv/1/{found['city']}/{found['device']}/data"


@pytest.mark.parametrize(
    ("pattern", "topic", "named"),
    [
        ("tele/{device}/SENSOR", "tele/plug-7/SENSOR", {"device": "plug-7"}),
        ("tele/{device}/SENSOR", "tele/plug-7/STATE", None),
        ("tele/{device}/SENSOR", "tele/a/b/SENSOR", None),
        ("tele/{device}/SENSOR", "xtele/plug-7/SENSOR", None),
        ("tele/{device}/SENSOR", "tele//SENSOR", None),
        ("zigbee/+/{device}", "zigbee/hall/x", {"device": "x"}),
        ("zigbee/+/{device}", "zigbee/x", None),
        ("up/{device}/#", "up/x/a/b", {"device": "x"}),
        ("a.c/{device}", "abc/x", None),
        ("a(b/{device}", "a(b/x", {"device": "x"}),
    ],
)
def test_a_pattern_gives_the_named_levels(pattern: str, topic: str, named: dict[str, str] | None) -> None:
    assert matcher(pattern)(topic) == named


def test_a_pattern_subscribes_with_plus_for_names() -> None:
    assert subscription("cv/1/{city}/{device}/data") == "cv/1/+/+/data"


def test_levels_may_be_named_within_a_level_and_take_several() -> None:
    assert subscription("zigbee2mqtt/{device*}") == "zigbee2mqtt/#"
    assert subscription("N/{portal}/a/{name*}/x") == "N/+/a/#"
    assert matcher("zigbee2mqtt/{device*}")("zigbee2mqtt/a/b") == {"device": "a/b"}
    assert matcher("v1.1/Datastreams({name})/Observations")("v1.1/Datastreams(42)/Observations") == {"name": "42"}
    assert matcher("a/{device}/x")("a/b/c/x") is None


@pytest.mark.parametrize("text", ["", "-a", ".a", "a/b", "a+b", "#", "a b", "ä", "a" * 65, "a\n", "a\0"])
def test_no_id_is(text: str) -> None:
    assert not valid_id(text)


@pytest.mark.parametrize("text", ["a", "0", "MAC000002", "2-39-123-23", "urn:dev:1.x_y", "a" * 64])
def test_an_id_is(text: str) -> None:
    assert valid_id(text)


def test_a_kpi_without_parts_has_a_topic_all_the_same() -> None:
    assert kpi_topic("aba", "EN:EN:AQ:1C", "no2") == "cv/1/aba/kpi/EN:EN:AQ:1C/no2"
    assert kpi_topic("aba", "EN:E:E:2C", "") == "cv/1/aba/kpi/EN:E:E:2C/-"
