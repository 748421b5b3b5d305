"""`cityvitals kpi report`: all figures of a file or none; revisions; beside the derived values."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.stores import open_store
from reporting.figures.stored import figures_of, reported_of
from reporting.show import stored_city
from telemetry.errors import UsageError
from telemetry.kpi_value import KpiQuery
from tests.reporting.city import run, show, write
from tests.servers import InfluxDB

HEADER = "code,part,year,value,numerator,denominator,source,quality\n"
BROADBAND = ("EC:ICT:ICT:2C", "")


def report(store: str, folder: Path, *lines: str, options: tuple[str, ...] = ()) -> str:
    file = folder / "figures.csv"
    file.write_text(HEADER + "\n".join(lines) + "\n")
    return run("kpi", "report", "almby", file, "--store", store, *options)


def shown(store: str, code: str, year: str = "2018") -> dict[tuple[str, str], dict[str, object]]:
    opened = open_store(store)
    _, found = figures_of(opened, stored_city(opened, "almby"), year)
    return {
        (f.code, f.part): {"value": f.value, "derived": f.derived, "counts": f.counts} for f in found if f.code == code
    }


def test_a_figure_is_stored_and_shown_with_its_source_and_class(store: str, tmp_path: Path) -> None:
    text = report(store, tmp_path, "EC:ICT:ICT:2C,,2018,,4225.5,5000,Statistics office,survey")
    assert "1 figures of Almby for 2018 stored, 1 new or changed." in text
    assert "of 91 KPIs have a figure now; a verifier returns it where more than 20 % are missing" in text
    values = run("kpi", "show", "--city", "almby", "--store", store, "--period", "2018", "--code", "EC:ICT:ICT:2C",
                 "--format", "csv")  # fmt: skip
    assert "84.51,%,1.0,final,0,1,reported/survey,4225.5 / 5000.0; source: Statistics office" in values


def test_the_same_file_again_changes_nothing_and_another_value_is_a_revision(store: str, tmp_path: Path) -> None:
    for _ in range(2):
        text = report(store, tmp_path, "EC:ICT:ICT:2C,,2018,84.51,,,office,survey")
    assert "0 new or changed" in text
    report(store, tmp_path, "EC:ICT:ICT:2C,,2018,85.0,,,office,survey")
    [stored] = [v for v in open_store(store).kpis(KpiQuery("almby", ["year"])) if v.kpi.code == "EC:ICT:ICT:2C"]
    assert (stored.kpi.value, stored.kpi.revision, stored.previous) == (85.0, 2, 84.51)


def test_a_reported_figure_stands_beside_the_derived_one_and_counts(store: str, tmp_path: Path) -> None:
    before = show(store, "2018-01")["EN:EN:AQ:1C", "no2"]
    report(store, tmp_path, "EN:EN:AQ:1C,PM10,2018,13.0,,,city laboratory,measured")
    found = shown(store, "EN:EN:AQ:1C")["EN:EN:AQ:1C", "pm10"]
    assert found["value"] == 13.0
    assert found["derived"] is not None
    assert show(store, "2018-01")["EN:EN:AQ:1C", "no2"] == before


def test_contradictory_figures_are_refused_with_the_rule_and_none_is_stored(store: str, tmp_path: Path) -> None:
    lines = ["EC:ICT:ICT:1C,,2018,97,,,office,measured", "EC:I:WS:2C,,2018,96,,,office,measured",
             "EC:I:WS:1C,,2018,95,,,office,measured"]  # fmt: skip
    with pytest.raises(UsageError) as error:
        report(store, tmp_path, *lines)
    assert str(error.value).endswith(
        "figures.csv, line 3: EC:I:WS:2C: potable water supply 96 % is more than basic water supply 95 % "
        "(rule: potable below basic, p68)."
    )
    assert shown(store, "EC:ICT:ICT:1C")["EC:ICT:ICT:1C", ""]["value"] is None


def test_a_figure_is_checked_against_those_stored_before(store: str, tmp_path: Path) -> None:
    report(store, tmp_path, "EC:I:WS:1C,,2018,95,,,office,measured")
    with pytest.raises(UsageError, match="potable below basic"):
        report(store, tmp_path, "EC:I:WS:2C,,2018,96,,,office,measured")


def test_what_a_verifier_would_look_into_is_listed_and_rejected_only_when_asked(store: str, tmp_path: Path) -> None:
    line = "EC:ICT:ICT:1C,,2018,,4000,5500,office,measured"
    with pytest.raises(UsageError, match="from the city's households 5000"):
        report(store, tmp_path, line, options=("--strict",))
    assert "check EC:ICT:ICT:1C (Household Internet Access, 2018)" in report(store, tmp_path, line)


def test_a_city_without_any_sensor_can_report(tmp_path: Path) -> None:
    city, _ = write(tmp_path)
    file, store = tmp_path / "figures.csv", f"sqlite:///{tmp_path}/new.db"
    file.write_text(HEADER + "SC:SH:SI:2C,,2018,0.27,,,office,measured\n")
    run("kpi", "report", city, file, "--store", store)
    assert show(store, "2018")  # the city is known to the store
    assert "1 figures" in run("kpi", "report", "almby", file, "--store", store)


def test_a_file_that_is_not_there_is_reported(store: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"There is no file .*nothing\.csv"):
        run("kpi", "report", "almby", tmp_path / "nothing.csv", "--store", store)


def test_a_form_is_written_once_and_not_over_figures(tmp_path: Path) -> None:
    form = tmp_path / "form.csv"
    run("kpi", "form", "--year", "2018", "--out", form)
    assert form.read_text().startswith("code,part,year,value")
    with pytest.raises(UsageError, match="exists and may contain figures"):
        run("kpi", "form", "--year", "2018", "--out", form)


def test_a_report_lies_in_an_influxdb_as_in_the_embedded_store(influxdb: InfluxDB, tmp_path: Path) -> None:
    influxdb.create("reported")
    city, _ = write(tmp_path)
    url = f"influxdb://{influxdb.host}:{influxdb.port}/reported"
    file = tmp_path / "figures.csv"
    remark = 'after "the flood", 3\\4; so'
    file.write_text(
        "code,part,year,numerator,denominator,source,quality,remark\n"
        f'EN:EN:AQ:1C,no2,2018,21,,"Office, n = 3",measured,"{remark.replace(chr(34), chr(34) * 2)}"\n'
        "EC:ICT:ICT:2C,,2018,4225.5,5000,Office,survey,\n"
    )
    run("kpi", "report", city, file, "--store", url)
    found = {f.code: f for f in reported_of(open_store(url), stored_city(open_store(url), "almby"))}
    assert (found["EN:EN:AQ:1C"].part, found["EN:EN:AQ:1C"].source) == ("no2", "Office, n = 3")
    assert found["EN:EN:AQ:1C"].remark == remark
    assert (found["EC:ICT:ICT:2C"].numerator, found["EC:ICT:ICT:2C"].value) == (4225.5, 84.51)
