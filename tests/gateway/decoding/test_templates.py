"""Templates and sources that cannot work are a sentence with file, line and the nearest key, before anything begins."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway.decoding.paths import compiled
from gateway.devices import FOLDER, families, messages, template
from gateway.sources import completed, made_sources
from registry.mapping import Template
from registry.settings import Settings, SourceSettings
from registry.toml import load
from telemetry.errors import UsageError

jmespath = pytest.importorskip("jmespath")

TEMPLATE = """title = "A meter"
gives = "power"

[values]
"meter.power" = { quantity = "power", unit = "W" }

[[message]]
topic = "m/{device}"
"""


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("title", "titlee", "line 1: unknown key 'titlee'; did you mean 'title'"),
        ("[values]", "[valeues]", "line 4: unknown key 'valeues'; did you mean 'values'"),
        ('unit = "W"', 'unti = "W"', "line 5: unknown key 'unti'; did you mean 'unit'"),
        ('quantity = "power"', 'quantity = "powr"', "line 5: .*did you mean 'power'"),
        ('unit = "W"', 'unit = "Watts/s"', "line 5: .*unknown unit 'Watts/s'"),
        ("topic", "topics", "line 8: unknown key 'topics'; did you mean 'topic'"),
    ],
)
def test_a_template_that_is_not_right_names_file_line_and_nearest_key(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    path = tmp_path / "meter.toml"
    path.write_text(TEMPLATE.replace(old, new, 1))
    with pytest.raises(UsageError, match=f"meter.toml, {sentence}"):
        load(path, Template, "device template")


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ({"family": "tasmoda", "city": "t"}, "no device family 'tasmoda'; did you mean 'tasmota'"),
        ({"family": "tasmota"}, "names no city"),
        ({"family": "tasmota", "city": "t"}, "file of city 't' is not among city_files"),
        ({"family": "tasmota", "city": "t", "zone": "Europe/Belin"}, "did you mean 'Europe/Berlin'"),
        ({"family": "shelly_gen2", "city": "t", "topic": "x/{device}"}, "several topics"),
        ({"topic": "m/{device}", "format": "jsn", "city": "t"}, "did you mean"),
        (
            {
                "topic": "m/{device}",
                "format": "json",
                "city": "t",
                "values": {"a..b": {"quantity": "power", "unit": "W"}},
            },
            "not a JMESPath",
        ),
        ({"topic": "m/x", "format": "senml", "city": "t"}, "names no device"),
        ({"family": "p1", "city": "t", "zone": "UTC", "options": {"key": "abc"}}, "32 hex digits"),
        ({"family": "p1", "city": "t", "zone": "UTC", "options": {"kee": "abc"}}, "has the options"),
    ],
)
def test_a_source_that_cannot_work_is_a_sentence(source: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        made_sources([SourceSettings.model_validate(source)])


def test_what_a_source_may_leave_out() -> None:
    given = [
        {"family": "tasmota"},
        {"family": "cityvitals"},
        {"family": "sdm120", "port": "/dev/ttyUSB0"},
        {"family": "sdm120", "port": "/dev/ttyUSB0", "unit": 2},
        {"family": "pms5003", "port": "/dev/ttyUSB1", "device": "air-1"},
        {"family": "files", "folder": "/srv/drop"},
    ]
    sources = [SourceSettings.model_validate(s) for s in given]
    made = completed(sources, ["town"])
    assert [s.city for s in made] == ["town", None, "town", "town", "town", "town"]
    assert [s.device for s in made[2:5]] == ["sdm120", "sdm120-2", "air-1"]
    assert {s.topic for s in made_sources(made, zone_of=lambda _: ZoneInfo("UTC"))} >= {
        "modbus/town/sdm120", "modbus/town/sdm120-2", "serial/town/air-1", "file/town/{device}",
    }  # fmt: skip
    assert [s.city for s in completed(sources, ["a", "b"])] == [None] * 6  # which of them is not known


def test_two_devices_on_wires_need_ids_of_their_own() -> None:
    meter = {"family": "sdm120", "port": "/dev/ttyUSB0"}
    for second in ({**meter, "port": "/dev/ttyUSB1"}, {**meter, "device": "sdm120"}):
        with pytest.raises(UsageError, match="would both be 'sdm120': give each its id"):
            completed([SourceSettings.model_validate(s) for s in (meter, second)], ["town"])
    one = {"family": "pms5003", "port": "/dev/ttyUSB0", "device": "air-1"}  # a station of two instruments
    two = {"family": "sds011", "port": "/dev/ttyUSB1", "device": "air-1"}
    assert len(completed([SourceSettings.model_validate(s) for s in (one, two)], ["town"])) == 2


def test_an_unknown_key_of_a_source_names_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text('[[gateway.source]]\nfamily = "tasmota"\ncity = "t"\ndevcies = { a = "b" }\n')
    with pytest.raises(UsageError, match=r"c.toml, line 4: unknown key 'devcies'; did you mean 'devices'"):
        load(path, Settings, "configuration file")


@pytest.mark.parametrize("family", families())
def test_every_value_of_a_family_has_a_unit_or_says_where_it_stands(family: str) -> None:
    reads_units = {"attributes", "line_protocol"}
    for message in messages(SourceSettings(family=family, city="t")):
        for name, rule in {**message.values, **message.names}.items():
            assert rule.unit or rule.unit_path or message.format in reads_units, f"{family}: {name} has no unit"
    assert template(family).gives
    assert (FOLDER / f"{family}.toml").is_file()


SHAPES: list[Any] = [
    {"a": 1, "b": {"c": 2, "d": None}, "l": [{"c": 1}, {"c": None}, {"x": 2}, 3], "*": 5, "q-1": {"x": 1}},
    [],
    None,
    {"b": [1, 2], "l": {"c": 1}},
    {"a": {"a": {"a": 0}}, "b": {"x": {"c": 7}, "y": {"c": 8}}},
]


@pytest.mark.parametrize("path", ["a", "b.c", "b.d", "l[*].c", "*.c", "b.*.c", "a.a.a", '"q-1".x', "l[0].c", "b.*"])
def test_plain_paths_are_walked_as_the_library_does(path: str) -> None:
    find = compiled(path)
    for shape in SHAPES:
        assert find(shape) == jmespath.search(path, shape)
