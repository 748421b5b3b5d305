"""CITY.toml: an error names the file, the line and the nearest valid key; documentation keys are set aside."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry.config import load_city
from telemetry.errors import UsageError

GOOD = """\
[city]
id = "aba"
name = "Aba"
country = "NG"
timezone = "Africa/Lagos"
population = 1000000
population_year = 2020
population_source = "a census"

[city.extra]
anything = 1

[rules]
hour_capture = 0.9

[[device]]
id = "s1"
kind = "air_reference"
quantities = ["no2"]

[[device]]
id = "m1"
kind = "electricity_meter"
quantities = ["energy_total"]
interval_s = 900
"""

# what is wrong: (text of GOOD, its replacement, what the sentence must hold)
WRONG = {
    "a misspelt key of the city": ("population = 1", "populaton = 1", ["line 6", "'populaton'", "'population'"]),
    "a misspelt key of a rule": ("hour_capture", "hour_captur", ["line 14", "'hour_captur'", "'hour_capture'"]),
    "a misspelt key of the second device": ("interval_s", "intervals", ["line 25", "'intervals'", "'interval_s'"]),
    "a misspelt section": ("[rules]", "[rule]", ["line 13", "'rule'", "'rules'"]),
    "an unknown quantity": ('["no2"]', '["no22"]', ["line 19", "'no22'", "'no2'"]),
    "an unknown time zone": ("Africa/Lagos", "Africa/Lagoss", ["line 5", "'Africa/Lagos'"]),
    "an unknown kind": ('"air_reference"', '"air"', ["line 18", "air_reference"]),
    "a misspelt kind": ('"air_reference"', '"air_referense"', ["line 18", "'air_referense'", "mean 'air_reference'?"]),
    "a device without kind": ('kind = "air_reference"\n', "", ["line 16", "device.0.kind", "missing"]),
    "a device listed twice": ('"m1"', '"s1"', ["'s1'", "twice"]),
    "a share above one": ("0.9", "1.9", ["line 14", "hour_capture"]),
    "a device that is not an id": ('"m1"', '"m 1"', ["line 22", "id"]),
    "a negative population": ("= 1000000", "= -1", ["line 6", "population"]),
    "documentation of no key": ("population_year", "popultion_year", ["line 7", "'popultion_year'"]),
    "no TOML": ("[rules]", "[rules", ["not valid TOML", "line 13"]),
    "a city without id": ('id = "aba"\n', "", ["line 1", "city.id", "missing"]),
}


def write(folder: Path, text: str) -> Path:
    path = folder / "aba.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_city_file_is_read(tmp_path: Path) -> None:
    city = load_city(write(tmp_path, GOOD))
    assert (city.id, city.zone.key, city.rules.hour_capture, len(city.device)) == ("aba", "Africa/Lagos", 0.9, 2)
    assert city.documented == {"population_year": 2020, "population_source": "a census"}
    assert city.city.extra == {"anything": 1}


@pytest.mark.parametrize("case", sorted(WRONG))
def test_the_sentence_names_file_line_and_key_for(case: str, tmp_path: Path) -> None:
    old, new, words = WRONG[case]
    assert old in GOOD
    with pytest.raises(UsageError) as error:
        load_city(write(tmp_path, GOOD.replace(old, new)))
    assert "aba.toml" in str(error.value)
    assert [word for word in words if word not in str(error.value)] == [], str(error.value)


CALIBRATED = (
    GOOD
    + """
[[device.calibration]]
quantity = "energy_total"
valid_from = "2021-01-01"

[[device]]
id = "s2"
kind = "air_lowcost"
quantities = ["pm2_5"]

[[device.calibration]]
quantity = "pm2_5"
valid_from = "2021-01-01"

[[device.calibration]]
quantity = "pm2_5"
valid_from = "2021-07-01T00:00:00Z"
gain = 1.5
"""
)
# what is wrong: the last occurrence of a text, its replacement, the key it is at, what the sentence must hold
WRONG_CALIBRATIONS = {
    "an unknown quantity": ('quantity = "pm2_5"', 'quantity = "pm25"', "quantity", ["'pm25'", "'pm2_5'"]),
    "a quantity the device does not measure": ('quantity = "pm2_5"', 'quantity = "no2"', "calibration", ["'no2'"]),
    "a day that is none": ("2021-07-01T", "2021-07-32T", "valid_from", ["2021-07-32", "2026-03-01"]),
    "a gain that is not a number": ("gain = 1.5", "gain = nan", "gain", ["calibration.1.gain"]),
    "a gain of zero": ("gain = 1.5", "gain = 0", "gain", ["greater than 0"]),
    "a misspelt key": ("gain", "gian", "gian", ["'gain'"]),
    "a humidity nobody measures": ("gain = 1.5", "humidity = -0.1", "calibration", ["'humidity'"]),
    "one entry twice": ("2021-07-01T00:00:00Z", "2021-01-01", "calibration", ["twice"]),
}


@pytest.mark.parametrize("case", sorted(WRONG_CALIBRATIONS))
def test_the_sentence_names_file_line_and_key_of_a_calibration_with(case: str, tmp_path: Path) -> None:
    old, new, key, words = WRONG_CALIBRATIONS[case]
    text = new.join(CALIBRATED.rsplit(old, 1))
    lines = text.splitlines()
    first = lines.index('quantities = ["pm2_5"]') + 3  # an entry against the others is reported at their start
    line = first if key == "calibration" else max(i for i, one in enumerate(lines, 1) if one.startswith(key))
    with pytest.raises(UsageError) as error:
        load_city(write(tmp_path, text))
    assert f"aba.toml, line {line}:" in str(error.value)
    assert [word for word in words if word not in str(error.value)] == [], str(error.value)


def test_a_missing_city_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"There is no city file .*nowhere\.toml"):
        load_city(tmp_path / "nowhere.toml")


def test_a_city_file_that_is_no_text_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "aba.toml"
    path.write_bytes(b"\xff\xfe[city]")
    with pytest.raises(UsageError, match="cannot be read"):
        load_city(path)


def test_a_city_survives_being_stored_and_read_back(tmp_path: Path) -> None:
    city = load_city(write(tmp_path, GOOD))
    assert type(city).model_validate(city.model_dump(mode="json", exclude_defaults=True)) == city
