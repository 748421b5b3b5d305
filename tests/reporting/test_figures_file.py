"""A file of reported figures: what is read, and the sentence for everything that is wrong with it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_derivation.catalogue import DERIVATIONS
from reporting.figures.file import blank_form, read_figures
from reporting.figures.points import all_points
from reporting.figures.ratio import factor, quotient
from reporting.figures.reported import QUALITY, Reported, as_value, from_value
from telemetry.errors import UsageError

ZONE = ZoneInfo("Europe/Oslo")
HEADER = "code,part,year,value,numerator,denominator,unit,source,quality,remark\n"


def read(*lines: str) -> list[Reported]:
    return read_figures(HEADER + "\n".join(lines), "figures.csv")


def complaint(*lines: str) -> str:
    with pytest.raises(UsageError) as error:
        read(*lines)
    return str(error.value)


def test_a_value_is_read_with_its_source_class_and_line() -> None:
    [found] = read("ec: ict: ict: 2c,,2020,84.51,,,%,Statistics Norway,measured,")
    assert (found.code, found.value, found.quality, found.line) == ("EC:ICT:ICT:2C", 84.51, "measured", 2)


def test_a_percentage_is_numerator_over_denominator_times_100() -> None:
    """Smart water meters of Karmoy 2020 (p14): 27.27 %."""
    [found] = read("EC:ICT:WS:1C,,2020,,3,11,,water works,survey,")
    assert found.value == pytest.approx(27.27, abs=0.005)
    [found] = read("SC:EH:H:3C,,2020,,120,0.48,,register,measured,")
    assert found.value == 250.0


def test_a_numerator_alone_is_the_result_as_verifiers_move_it() -> None:
    [found] = read("EC:ICT:ICT:5A,,2020,,78,,,city,measured,")
    assert (found.value, found.numerator) == (78.0, None)


def test_yes_and_no_are_1_and_0() -> None:
    found = read("EC:I:UP:2A,compact,2020,yes,,,,plan,measured,", "EC:I:UP:2A,resilient,2020,No,,,,plan,measured,")
    assert [f.value for f in found] == [1.0, 0.0]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("EC:ICT:ICT:9C,,2020,1,,,,x,measured,", "line 2: there is no KPI 'EC:ICT:ICT:9C'; did you mean 'EC:ICT:ICT:"),
        ("LOCAL:EV:ENERGY,,2020,1,,,,x,measured,", "is a local KPI"),
        ("EN:EN:AQ:1C,pm25,20,1,,,,x,measured,", "'20' is not a valid year"),
        ("EN:EN:AQ:1C,pm3,2020,1,,,,x,measured,", "no part 'pm3'; did you mean 'pm10'"),
        ("EN:EN:AQ:1C,no2,2020,15,,,ppb,x,measured,", "ug/m3, not ppb (p95): multiply no2 by 1.9"),
        ("EN:EN:AQ:1C,o3,2020,0.03,,,ppm,x,measured,", "multiply o3 by 1960"),
        ("EN:EN:AQ:1C,pm10,2020,15,,,ppb,x,measured,", "pm10 is particulate matter, which cannot be in ppb"),
        ("EC:I:ES:2C,,2020,2,,,hours,x,measured,", "is in minutes, not in 'hours'; convert it"),
        ("EC:ICT:ICT:1C,,2020,,9,0,,x,measured,", "the denominator is 0"),
        ("EC:ICT:ICT:1C,,2020,,,9,,x,measured,", "a denominator needs its numerator"),
        ("EC:ICT:ICT:1C,,2020,90,9,,,x,measured,", "needs its denominator"),
        ("EC:ICT:ICT:1C,,2020,,,,,x,measured,", "has no figure; give value in %"),
        ("EC:ICT:ICT:1C,,2020,80,9,10,,x,measured,", "value 80 is not numerator / denominator x 100 = 90"),
        ("SC:EH:H:3C,,2020,,500,227560,,x,measured,", "population / 100 000: use 2.2756"),
        ('EC:ICT:ICT:1C,,2020,"84,51",,,,x,measured,', "use a decimal point"),
        ("EC:ICT:ICT:1C,,2020,nan,,,,x,measured,", "value 'nan' is not a number"),
        ("EC:ICT:ICT:1C,,2020,-1,,,,x,measured,", "is below 0"),
        ("EC:ICT:ICT:1C,,2020,90,,,,,measured,", "the source is missing"),
        ("EC:ICT:ICT:1C,,2020,90,,,,x,mesured,", "not a class of data quality; did you mean 'measured'"),
        ("EC:ICT:ICT:1C,,2020,90,,,,x,measured,,,", "12 cells for 10 columns"),
    ],
)
def test_a_wrong_line_is_reported_with_file_line_and_what_to_write(line: str, sentence: str) -> None:
    text = complaint(line)
    assert text.startswith("figures.csv, line 2: ")
    assert sentence in text


def test_all_wrong_lines_are_reported_at_once_and_a_figure_stands_once() -> None:
    text = complaint(*["EC:ICT:ICT:1C,,2020,90,,,,x,measured,"] * 2, "nonsense,,2020,1,,,,x,measured,")
    assert "line 3: EC:ICT:ICT:1C of 2020 is also in line 2" in text
    assert "line 4: there is no KPI 'nonsense'" in text


def test_the_blank_form_has_a_line_for_each_figure_and_reports_nothing() -> None:
    form = blank_form(2018)
    assert len(form.splitlines()) == 1 + 112
    assert read_figures(form, "f.csv") == []
    filled = form.replace("EC:I:ES:2C,,2018,,,,minutes,,,,", "EC:I:ES:2C,,2018,83.5,,,minutes,Grid company,measured,,")
    [found] = read_figures(filled, "f.csv")
    assert (found.code, found.value) == ("EC:I:ES:2C", 83.5)


def test_a_wrong_header_is_reported() -> None:
    for header, sentence in (("kode,year", "unknown column 'kode'; did you mean 'code'"), ("code,year", "missing")):
        with pytest.raises(UsageError, match=sentence):
            read_figures(header + "\n", "f.csv")


@given(st.floats(0, 1e9), st.floats(1e-3, 400), st.sampled_from(["%", "per 100 000 inhab.", "% of city GDP"]))
def test_a_figure_times_its_denominator_is_its_numerator(numerator: float, denominator: float, unit: str) -> None:
    assert quotient(numerator, denominator, unit) * denominator / factor(unit) == pytest.approx(numerator)


def test_a_reported_figure_never_overwrites_a_derived_one() -> None:
    for kpi, part in all_points():
        if kpi.code in DERIVATIONS:
            figure = Reported(code=kpi.code, part=part, year=2018, value=1.0, quality="survey", source="s")
            assert as_value(figure, "c", ZONE).part != part


TEXT = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=30)
NUMBER = st.floats(0, 1e12)


@given(
    st.sampled_from([(kpi.code, part) for kpi, part in all_points()]), st.integers(1990, 2100), NUMBER,
    st.none() | st.tuples(NUMBER, NUMBER), st.sampled_from(list(QUALITY)), TEXT, TEXT | st.just(""),
)  # fmt: skip
def test_a_figure_comes_out_of_the_store_as_it_went_in(
    point: tuple[str, str], year: int, value: float, ratio: tuple[float, float] | None, quality: str, source: str,
    remark: str,
) -> None:  # fmt: skip
    numerator, denominator = ratio or (None, None)
    figure = Reported(
        code=point[0], part=point[1], year=year, value=value, numerator=numerator, denominator=denominator,
        quality=quality, source=source, remark=remark,
    )  # fmt: skip
    assert from_value(as_value(figure, "c", ZONE)) == figure
