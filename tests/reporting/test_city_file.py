"""City files are checked whole, a corrected file works at once, and one bad entry silences only itself."""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path

import msgspec
import pytest

from adapters.stores import existing_store
from cityvitals.operation import doctor
from registry.config import load_city
from registry.settings import Settings
from reporting.city_file import differing
from telemetry.errors import CityVitalsError, UsageError
from tests.reporting.city import CITY, run

GOOD = '\n[[target]]\ncode = "EN:EN:AQ:1C"\npart = "no2"\nvalue = 10\n'
WITHOUT_DIRECTION = '\n[[target]]\ncode = "EC:P:EM:3A"\nvalue = 0.25\n'
CORRECTED = WITHOUT_DIRECTION + 'direction = "lower"\n'
HEADER = "code,part,year,value,numerator,denominator,source,quality\n"


def file(folder: Path, extra: str) -> Path:
    path = folder / "almby.toml"
    path.write_text(CITY + extra)
    return path


def figures(folder: Path) -> Path:
    path = folder / "figures.csv"
    path.write_text(
        HEADER
        + "EC:P:EM:3A,,2018,0.27,,,s,measured\nEC:P:EM:3A,,2017,0.25,,,s,measured\n"
        + "EN:EN:AQ:1C,no2,2018,12,,,s,measured\n"
    )
    return path


def keep(store: str, extra: str, folder: Path) -> None:
    """Let the store hold a city file that no command would take now."""
    opened = existing_store(store)
    [record] = opened.cities()
    city = load_city(file(folder, extra))
    opened.put_city(record._replace(config=city.model_dump(mode="json", exclude_defaults=True)))
    opened.close()


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        (WITHOUT_DIRECTION, 'EC:P:EM:3A needs a direction; add direction = "higher" or "lower"'),
        ('\n[[target]]\ncode = "EN:EN:AQ:9C"\nvalue = 1\n', "there is no KPI 'EN:EN:AQ:9C'; did you mean"),
        ('\n[[target]]\ncode = "EN:EN:AQ:1C"\nvalue = 1\n', "EN:EN:AQ:1C has several figures; name one in part"),
        (GOOD + GOOD, "EN:EN:AQ:1C no2 has two targets; remove one"),
    ],
)
def test_every_command_that_reads_a_city_file_names_the_line_of_a_bad_entry(
    extra: str, said: str, store: str, tmp_path: Path
) -> None:
    path = file(tmp_path, GOOD * ("two targets" not in said) + extra)
    (tmp_path / "c.toml").write_text('city_files = ["almby.toml"]\n')
    line = CITY.count("\n") + 2 + GOOD.count("\n")
    for call in (
        ("kpi", "report", path, figures(tmp_path), "--store", store),
        ("kpi", "backfill", "--city", path, "--store", store),
        ("replay", tmp_path / "figures.csv", "--city", path, "--store", store),
        ("config", "check", "--config", tmp_path / "c.toml"),
    ):
        with pytest.raises(UsageError) as error:
            run(*call)
        assert f"almby.toml, line {line}: [[target]]: {said}" in str(error.value)


def test_a_bad_target_in_the_store_silences_only_itself(
    store: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run("kpi", "report", "almby", figures(tmp_path), "--store", store)
    keep(store, GOOD + WITHOUT_DIRECTION, tmp_path)
    rows = msgspec.json.decode(run("kpi", "trend", "--city", "almby", "--store", store, "--format", "json"))
    targets = {(r["code"], r["part"]): r["target"] for r in rows}
    assert targets["EC:P:EM:3A", ""] is None
    assert targets["EN:EN:AQ:1C", "no2"]["target"] == 10
    assert "almby: [[target]] number 2 is left out: EC:P:EM:3A needs a direction" in caplog.text
    run("kpi", "snapshot", "--city", "almby", "--store", store, "--period", "2018", "--out", tmp_path / "wheel.svg")
    assert "<svg" in (tmp_path / "wheel.svg").read_text()[:200]
    run("kpi", "export", "--city", "almby", "--store", store, "--format", "ngsi-ld", "--out", tmp_path / "kpis.jsonld")


def test_a_corrected_file_is_used_by_the_next_report(
    store: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keep(store, WITHOUT_DIRECTION, tmp_path)
    corrected = file(tmp_path, CORRECTED)
    run("kpi", "report", corrected, figures(tmp_path), "--store", store)
    assert "the targets of" in caplog.text
    assert "kpi backfill" not in caplog.text  # nothing else differs
    caplog.clear()
    text = run("kpi", "trend", "--city", "almby", "--store", store, "--code", "EC:P:EM:3A", "--format", "json")
    assert [r["target"]["target"] for r in msgspec.json.decode(text)] == [0.25]
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]


def test_a_file_that_differs_in_what_values_rest_on_says_what_to_do(
    store: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = file(tmp_path, GOOD)
    path.write_text(path.read_text().replace("population = 10000", "population = 12000"))
    run("kpi", "report", path, figures(tmp_path), "--store", store)
    assert f"(different: population); run `cityvitals kpi backfill --city {path} --store {store}`" in caplog.text
    caplog.clear()
    run("kpi", "backfill", "--city", path, "--store", store)
    run("kpi", "report", path, figures(tmp_path), "--store", store)
    assert "backfill" not in caplog.text


def test_what_differs_is_named(tmp_path: Path) -> None:
    old = load_city(file(tmp_path, ""))
    new = load_city(
        file(tmp_path, '\n[rules]\nhour_capture = 0.5\n\n[[device]]\nid = "x"\nkind = "noise"\nquantities = ["laeq"]\n')
    )
    assert differing(old, old) == []
    assert differing(old, new) == ["hour_capture", "the device x"]


@pytest.mark.parametrize(
    "command",
    [
        "kpi show --period 2018", "kpi goals", "kpi trend", "kpi export --format csv --out {out}",
        "kpi explain EN:E:E:2C --period 2018", "ledger --period 2018", "forecast --quantity no2 --device street",
        "calibrate street --against park --quantity no2 --period 2018-01",
    ],
)  # fmt: skip
def test_every_command_that_is_given_a_newer_city_file_says_so(
    command: str, store: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = file(tmp_path, GOOD)
    words = [w.format(out=tmp_path / "out") for w in command.split()]
    run("kpi", "backfill", "--city", path, "--store", store)
    caplog.clear()
    with contextlib.suppress(CityVitalsError):  # that there is too little for it is another matter
        run(*words, "--city", path, "--store", store)
    assert "another city file" not in caplog.text
    path.write_text(path.read_text().replace("population = 10000", "population = 12000"))
    with contextlib.suppress(CityVitalsError):
        run(*words, "--city", path, "--store", store)
    assert f"(different: population); run `cityvitals kpi backfill --city {path} --store {store}`" in caplog.text
    assert caplog.text.count("another city file") == 1


def test_doctor_says_that_the_store_has_an_older_city_file(store: str, tmp_path: Path) -> None:
    path = file(tmp_path, GOOD)
    run("kpi", "backfill", "--city", path, "--store", store)
    settings = Settings.model_validate({"store": {"url": store}, "city_files": [path]})
    assert not [f for f in doctor.store(settings) if f.what.startswith("city file")]
    path.write_text(path.read_text().replace('id = "park"', 'id = "garden"'))
    [finding] = [f for f in doctor.store(settings) if f.what.startswith("city file")]
    assert finding.verdict == "warning"
    assert "2 devices: garden, park" in finding.advice
    assert "restart `cityvitals ingest`" in finding.advice
