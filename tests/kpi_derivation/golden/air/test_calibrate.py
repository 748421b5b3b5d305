"""`cityvitals calibrate`: the line is found, the entry is written where it belongs, and the values follow it."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cityvitals.calibrate import with_entry
from kpi_derivation.rules.air.calibration import fit
from registry.city import Calibration
from telemetry.errors import UsageError
from tests.replay import cli

CITY = """# a city that keeps its comments
[city]
id = "c"
name = "C"
country = "GB"
timezone = "UTC"

[[device]]
id = "pa"  # beside ref for a while
kind = "air_lowcost"
quantities = ["pm2_5", "humidity"]
interval_s = 1200

# the reference
[[device]]
id = "ref"
kind = "air_reference"
quantities = ["pm2_5"]
interval_s = 3600

[rules]
period_capture = 0.1
"""
HOURS = 72


def raw(hour: int) -> float:
    return 12.0 + (hour * 37) % 41


def humidity(hour: int) -> float:
    return 35.0 + (hour * 23) % 53


def line(hour: int) -> float:
    return 0.524 * raw(hour) + 5.75 - 0.0862 * humidity(hour)


@pytest.fixture
def place(tmp_path: Path) -> tuple[Path, str]:
    """A city file and a store with three days of a device beside a reference, which it follows by Barkjohn's line."""
    (tmp_path / "c.toml").write_text(CITY)
    rows = ["time,device,quantity,value,unit"]
    for h in range(HOURS):
        day, hour = 1 + h // 24, h % 24
        for third, off in ((0, -1.0), (20, 0.0), (40, 1.0)):
            if h != 5 or third == 0:  # one hour with a third of its readings is not valid
                rows.append(f"2021-03-{day:02}T{hour:02}:{third:02}:00Z,pa,pm2_5,{raw(h) + off},ug/m3")
            rows.append(f"2021-03-{day:02}T{hour:02}:{third:02}:00Z,pa,humidity,{humidity(h) + off},%RH")
        rows.append(f"2021-03-{day:02}T{hour:02}:00:00Z,ref,pm2_5,{line(h)},ug/m3")
    (tmp_path / "readings.csv").write_text("\n".join(rows) + "\n")
    url = f"sqlite:///{tmp_path}/c.db"
    cli.replay(tmp_path / "c.toml", url, tmp_path / "readings.csv", how=cli.here)
    return tmp_path / "c.toml", url


def calibrate(place: tuple[Path, str], *more: str, how: Callable[..., str] = cli.here) -> str:
    words = ("--against", "ref", "--quantity", "pm2_5", "--period", "2021-03-01..2021-03-03")
    return how("calibrate", "pa", "--city", place[0], "--store", place[1], *words, *more)


def test_barkjohns_line_is_found_written_and_followed(place: tuple[Path, str]) -> None:
    found: dict[str, Any] = msgspec.json.decode(calibrate(place, "--humidity", "--format", "json"))
    terms = [found[name] for name in ("gain", "offset", "humidity", "r2", "n")]
    assert terms == pytest.approx([0.524, 5.75, -0.0862, 1.0, HOURS - 1], abs=1e-8)
    before = cli.values("c", place[1], "2021-03-02")["EN:EN:AQ:1C", "pm2_5"]["value"]
    calibrate(place, "--humidity", "--write")
    output = cli.here("kpi", "backfill", "--city", place[0], "--store", place[1])
    assert "KPI values changed" in output
    assert "device pa calibration of pm2_5 from 2021-03-01 on: recalculated: EN:EN:AQ:1C, " in output
    assert before == pytest.approx(sum(line(h) for h in range(24, 48)) / 24)  # of the reference, which stays
    city = tomllib.loads(place[0].read_text())
    assert "calibration" not in city["device"][1]
    assert city["device"][0]["calibration"][0]["valid_from"] == "2021-03-01"
    assert place[0].read_text().startswith("# a city that keeps its comments")
    assert calibrate(place, "--humidity", "--format", "json") != ""  # its own entry does not bend the next fit
    again: dict[str, Any] = msgspec.json.decode(calibrate(place, "--humidity", "--format", "json"))
    assert (again["gain"], again["entry"]["version"]) == (pytest.approx(0.524), 2)


def test_the_entry_corrects_the_hours(place: tuple[Path, str]) -> None:
    calibrate(place, "--humidity", "--write")
    place[0].write_text(place[0].read_text().replace('"air_reference"', '"weather"'))  # so that pa is the city's air
    cli.here("kpi", "backfill", "--city", place[0], "--store", place[1])
    value = cli.values("c", place[1], "2021-03-03")["EN:EN:AQ:1C", "pm2_5"]
    assert value["value"] == pytest.approx(sum(line(h) for h in range(48, 72)) / 24, abs=1e-4)
    assert "calibrated: pa version 1" in value["notes"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--against", "re"), "did you mean 'ref'"),
        (("--against", "pa"), "its own reference"),
        (("--period", "2021-03-02..2021-03-01"), "ends before it starts"),
        (("--period", "2021-04"), "0 hours in which all were measured; a fit needs at least 24"),
        (("--quantity", "pm10"), "does not measure 'pm10'"),
        (("--valid-from", "soon"), "'soon' is not a valid date"),
    ],
)
def test_what_cannot_be_fitted_is_a_sentence(place: tuple[Path, str], words: tuple[str, str], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        calibrate(place, *words)


ENTRY = Calibration(quantity="pm2_5", valid_from="2022-01-01", gain=1.5, note='quoted "well"')


def test_an_entry_goes_after_the_devices_own_and_comments_stay() -> None:
    once = with_entry(CITY, "pa", ENTRY)
    twice = with_entry(once, "pa", ENTRY.model_copy(update={"version": 2}))
    assert [e["version"] for e in tomllib.loads(twice)["device"][0]["calibration"]] == [1, 2]
    assert [line for line in twice.splitlines() if line in CITY.splitlines() and line] == [
        line for line in CITY.splitlines() if line
    ]
    last = with_entry(CITY, "ref", ENTRY)
    assert tomllib.loads(last)["rules"] == {"period_capture": 0.1}
    assert "calibration" in tomllib.loads(last)["device"][1]


def test_a_comment_before_the_next_table_stays_before_it() -> None:
    made = with_entry(CITY, "pa", ENTRY)
    assert made.index("[[device.calibration]]") < made.index("# the reference\n[[device]]")
    assert made.replace(made[made.index("[[device.calibration]]") : made.index("# the reference")], "") == CITY


def test_an_entry_is_appended_to_an_inline_array() -> None:
    entry = 'calibration = [{quantity="pm2_5", valid_from="2020-01-01"}]  # one line'
    inline = CITY.replace("interval_s = 1200", f"interval_s = 1200\n{entry}")
    made = with_entry(inline, "pa", ENTRY)
    assert [e["valid_from"] for e in tomllib.loads(made)["device"][0]["calibration"]] == ["2020-01-01", "2022-01-01"]
    assert "# one line" in made
    assert "[[device.calibration]]" not in made


@given(st.lists(st.sampled_from(["", "# a comment", "note = 'x'  # end", "[device.rollover]", "energy_total = 100.0"])))
def test_whatever_surrounds_a_device_stays_as_it_was_written(lines: list[str]) -> None:
    text = CITY.replace("\n# the reference", "\n".join(["", *lines]) + "\n# the reference")
    try:
        before = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    made = with_entry(text, "pa", ENTRY)
    after = tomllib.loads(made)
    assert after["device"][0].pop("calibration")[0]["note"] == 'quoted "well"'
    assert after == before
    assert [line for line in made.splitlines() if line in text.splitlines() and line] == [
        line for line in text.splitlines() if line
    ]


ANSCOMBE = (
    ("10", "8", "13", "9", "11", "14", "6", "4", "12", "7", "5"),
    ("8.04", "6.95", "7.58", "8.81", "8.33", "9.96", "7.24", "4.26", "10.84", "4.82", "5.68"),
)


def exact_line(x: list[Fraction], y: list[Fraction]) -> tuple[Fraction, Fraction, Fraction]:
    """Slope, intercept and R2 of the least squares line, in exact fractions."""
    n = len(x)
    mx, my = sum(x, Fraction(0)) / n, sum(y, Fraction(0)) / n
    sxx, syy = sum(((a - mx) ** 2 for a in x), Fraction(0)), sum(((b - my) ** 2 for b in y), Fraction(0))
    sxy = sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True))
    return Fraction(sxy / sxx), my - sxy / sxx * mx, Fraction(sxy * sxy / (sxx * syy))


def test_anscombes_first_set_gives_its_published_line() -> None:
    """Anscombe 1973: y = 3.00 + 0.500 x, R2 = 0.67. Three times over, since a fit needs 24 pairs."""
    x, y = ([Fraction(v) for v in column] * 3 for column in ANSCOMBE)
    slope, intercept, r2 = exact_line(x, y)
    assert (round(float(slope), 3), round(float(intercept), 2), round(float(r2), 2)) == (0.5, 3.0, 0.67)
    found = fit(np.array(x, dtype=np.float64), np.array(y, dtype=np.float64))
    assert found[:2] == pytest.approx((float(slope), float(intercept)), rel=1e-12)
    assert found.r2 == pytest.approx(float(r2), rel=1e-12)


@given(st.lists(st.tuples(st.integers(0, 900), st.integers(-50, 900)), min_size=24, max_size=60), st.floats(0.5, 9))
def test_a_fit_is_the_exact_line_and_scales_with_the_reference(points: list[tuple[int, int]], times: float) -> None:
    x, y = ([Fraction(p[i]) for p in points] for i in (0, 1))
    if len(set(x)) < 2 or len(set(y)) < 2:
        return
    slope, intercept, r2 = map(float, exact_line(x, y))
    raw_, reference = (np.array(c, dtype=np.float64) for c in zip(*points, strict=True))
    found, scaled = fit(raw_, reference), fit(raw_, times * reference)
    assert found[:2] == pytest.approx((slope, intercept), rel=1e-6, abs=1e-6)
    assert found.r2 == pytest.approx(r2, abs=1e-9)
    assert (scaled.gain, scaled.offset) == pytest.approx((times * slope, times * intercept), rel=1e-6, abs=1e-5)
