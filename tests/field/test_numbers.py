"""Registers that read wrong and boundaries of days: the energy is what the meter counted."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.sqlite.buffer import Buffer
from cityvitals.sources import sources_of
from gateway.core import Core, Incoming
from registry.settings import GatewaySettings
from telemetry.periods import iso
from telemetry.windows import MINUTE
from tests.field.cases import named
from tests.replay import cli

NOW = 1_795_168_800_000 + 6 * 60 * MINUTE
# Where the text of a case allows a range, as (lowest, highest).
RANGES = {
    "counter-jitter": (6.86, 7.54),
    "counter-replaced-higher": (6.9, 7.2),
    "counter-replaced-start-110": (6.9, 7.2),
}
COUNTERS = [
    "counter-lost-digit", "counter-one", "counter-today-register", "counter-all-nines", "counter-jitter",
    "counter-replaced-higher", "counter-replaced-start-110", "boundary-hourly", "boundary-month",
]  # fmt: skip


def replayed(case: dict[str, Any], folder: Path) -> str:
    """The store after the case's files were replayed in its city."""
    (folder / "town.toml").write_text(case["city_toml"])
    files = [folder / f"f{i}.csv" for i in range(len(case["files"]))]
    for path, text in zip(files, case["files"], strict=True):
        path.write_text(text)
    store = f"sqlite:///{folder}/s.db"
    cli.replay(folder / "town.toml", store, *files, how=cli.here)
    return store


def value(store: str, period: str, code: str = "EN:E:E:2C") -> dict[str, Any]:
    found: list[dict[str, Any]] = msgspec.json.decode(cli.show("town", store, period))
    return next(v for v in found if v["code"] == code)


def test_every_case_of_the_kind_is_here() -> None:
    assert sorted(named("counter", "boundary")) == sorted(COUNTERS)


@pytest.mark.parametrize("name", COUNTERS)
def test_the_energy_is_what_the_meter_counted(name: str, tmp_path: Path) -> None:
    case = named("counter", "boundary")[name]
    period = case["command"].split("--period ")[1].split()[0]
    found = value(replayed(case, tmp_path), period)
    low, high = RANGES.get(name, (case["expected_value"],) * 2)
    assert low - 1e-6 <= found["value"] <= high + 1e-6, case["expected"]
    assert ("meter changed: m1 on 2026-10-14" in found["notes"]) == ("replaced" in name)


SESSION_FILES = [
    "sessionfile-decimals", "sessionfile-blank-T", "sessionfile-hash-case", "sessionfile-corrected",
    "sessionfile-end-known-later",
]  # fmt: skip
ENERGY_OF = {"sessionfile-corrected": 12.8}


@pytest.mark.parametrize("name", SESSION_FILES)
def test_a_session_in_another_spelling_is_one_session(name: str, tmp_path: Path) -> None:
    store = replayed(named("session-file")[name], tmp_path)
    found = {code: value(store, "2026-11-20", f"LOCAL:EV:{code}")["value"] for code in ("SESSIONS", "ENERGY")}
    assert found == {"SESSIONS": 1.0, "ENERGY": ENERGY_OF.get(name, 12.3)}


def accepted(case: dict[str, Any], folder: Path) -> tuple[list[str], list[str]]:
    """What a gateway as the case configures it stores, and what it flags, as 'quantity = value at hour'."""
    section = tomllib.loads(case["config"])["gateway"]
    sources = sources_of(GatewaySettings.model_validate(section))
    core = Core(Buffer(folder / "gateway.db", MINUTE), sources)
    texts = case["payload"] if isinstance(case["payload"], list) else [case["payload"]]
    for i, text in enumerate(texts):
        core.accept([Incoming(case["topic"], text.encode())], NOW + i)
    rows = core.buffer.db.execute("SELECT series, value, t, flag FROM every_reading ORDER BY t, series").fetchall()
    plain = [(f"{core.buffer.table[s].quantity} = {v:g} at {iso(t)[11:16]}", flag) for s, v, t, flag in rows]
    return [text for text, flag in plain if not flag], [text for text, flag in plain if flag]


def test_a_session_that_ends_earlier_keeps_no_time_after_its_end(tmp_path: Path) -> None:
    stored, _ = accepted(named("session")["session-shorter-end"], tmp_path)
    seconds = [float(text.split()[2]) for text in stored if text.startswith("connected_time")]
    assert sum(seconds) == 1800.0
    assert "session_energy = 5 at 10:00" in stored


def test_a_session_beyond_any_charger_is_flagged(tmp_path: Path) -> None:
    stored, flagged = accepted(named("session")["session-power"], tmp_path)
    assert flagged == ["session_energy = 140.04 at 10:00"]
    assert stored == ["connected_time = 1200 at 10:00"]


FLAGGED = {
    "novalue-pm-minus-1": ["pm10 = -1 at 10:00", "pm2_5 = -1 at 10:00"],
    "novalue-rh-0": ["humidity = 0 at 10:00"],
    "novalue-pm-swapped": ["pm10 = 20 at 10:00", "pm2_5 = 50 at 10:00"],
}


@pytest.mark.parametrize("name", FLAGGED)
def test_a_number_that_is_no_value_is_flagged(name: str, tmp_path: Path) -> None:
    stored, flagged = accepted(named("no-value")[name], tmp_path)
    assert (stored, sorted(flagged)) == ([], FLAGGED[name])


SAYS = {
    "cfg-hash-middle": "# is only allowed at the end",
    "cfg-device-twice": "'{device}' is in the topic 'a/{device}/{device}' twice",
    "cfg-city-typo": "no city file has the id 'towm'; did you mean 'town'",
    "cfg-rename-typo": "unknown quantity 'powr'; did you mean 'power'",
    "cfg-unknown-placeholder": "'{quantity}' in the topic",
    "cfg-rename-collision": "from 'power1' and 'power2' to one quantity",
    "cfg-senml-time-key": "'time_key' means nothing to the format 'senml'",
}


@pytest.mark.parametrize("name", SAYS)
def test_a_configuration_that_cannot_work_is_a_sentence(name: str, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(named("config-check")[name]["config"])
    (tmp_path / "town.toml").write_text(named("session-file")["sessionfile-decimals"]["city_toml"])
    said = cli.run("config", "check", "--config", tmp_path / "c.toml", fails=2)
    assert "[[gateway.source]] number 1" in said
    assert SAYS[name] in said


def test_a_placeholder_may_be_a_part_of_its_level(tmp_path: Path) -> None:
    """The case wanted a sentence, because it could not work; it works now."""
    case = named("config-check")["cfg-partial-level"]
    section = GatewaySettings.model_validate(tomllib.loads(case["config"])["gateway"])
    core = Core(Buffer(tmp_path / "gateway.db", MINUTE), sources_of(section))
    assert core.sources[0].filter == "v1.1/+/Observations"
    counts = core.accept([Incoming("v1.1/Datastreams(a1)/Observations", b'{"power": 5}')], NOW)
    assert (counts.stored, core.buffer.table[0].device) == (1, "a1")


def test_every_case_is_here() -> None:
    here = {
        *SESSION_FILES,
        *FLAGGED,
        *SAYS,
        "cfg-partial-level",
        "session-power",
        "session-shorter-end",
        "novalue-power-65535",
    }
    assert set(named("session", "session-file", "no-value", "config-check")) == here
