"""`cityvitals ledger`: sent = stored + refused + missing, from the series in the store."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from adapters.sqlite.buffer import Buffer
from adapters.sqlite.store import SqliteStore
from cityvitals.operation.reconcile import Account, accounts, accounts_as_of, as_text
from gateway.core import Core, Incoming, Source
from gateway.health import ledger_report
from ingest.core import Ingest
from registry.config import load_city
from telemetry.periods import Period, parse_period
from telemetry.windows import DAY, HOUR, MINUTE
from tests.chaos.world import CITY

T0 = 1_709_290_800_000  # 2024-03-01, noon in Oslo


class Line:
    """A gateway core whose ledger is reported into a store."""

    def __init__(self, folder: Path) -> None:
        self.core = Core(Buffer(folder / "gateway.db", MINUTE), [Source("cv/1/{city}/{device}/data", "senml")])
        self.store = SqliteStore(folder / "store.db")
        self.ingest = Ingest(self.store)
        self.ingest.add_city(load_city(CITY), MINUTE)

    def send(self, device: str, seqs: list[int], now: int, name: str = "no2") -> None:
        body = ",".join(f'{{"n":"{name}","v":1,"bt":{now / 1000 - 1},"boot":1,"seq":{s}}}' for s in seqs)
        self.core.accept([Incoming(f"cv/1/chaos/{device}/data", f"[{body}]".encode())], now)
        self.core.buffer.put(ledger_report(self.core.buffer.table, self.core.ledger.report(0), now))
        dirty, partials = self.core.pending()
        names = self.core.buffer.table
        ids = np.array([self.ingest.table.id_of(names[i]) for i in range(len(names))])
        self.ingest.take("chaos", replace(partials, series=ids[partials.series]))
        self.core.confirm(dirty)

    def accounts(self, text: str = "2024-03-02") -> list[Account]:
        return accounts(self.store, "chaos", self.period(text))

    def period(self, text: str) -> Period:
        return parse_period(text, load_city(CITY).zone)


@pytest.fixture
def line(tmp_path: Path) -> Line:
    made = Line(tmp_path)
    made.send("air-1", list(range(10)), T0)
    made.send("air-2", list(range(5)), T0)
    made.send("air-1", [10, 11, 12, 16, 17], T0 + DAY)
    made.send("air-2", [5, 6], T0 + DAY)
    made.send("air-1", [12, 18], T0 + DAY + HOUR)
    made.send("air-1", [19], T0 + DAY + 2 * HOUR, name="mystery")
    return made


def test_what_is_missing_is_counted_in_the_period_in_which_it_is_missed(line: Line) -> None:
    first, second = line.accounts()
    assert first == Account("air-1", sent=10, stored=6, refused=1, missing=3, duplicate=1, recovered=0)
    assert second == Account("air-2", sent=2, stored=2, refused=0, missing=0, duplicate=0, recovered=0)
    assert (first.whole, second.whole, first.unexplained) == (False, True, 0)


def test_over_both_days_the_accounts_add_up(line: Line) -> None:
    days = [{a.device: a for a in line.accounts(day)} for day in ("2024-03-01", "2024-03-02")]
    for whole in line.accounts("2024-03"):
        parts = [day[whole.device] for day in days]
        assert whole[1:] == tuple(sum(values) for values in zip(*(p[1:] for p in parts), strict=True))


def test_what_comes_after_all_is_recovered_and_no_longer_missing(line: Line) -> None:
    line.send("air-1", [13, 14, 15], T0 + 2 * DAY)
    [account] = [a for a in line.accounts("2024-03") if a.device == "air-1"]
    assert (account.sent, account.stored, account.missing, account.recovered) == (20, 19, 0, 3)
    assert account.whole


def test_a_gateway_with_a_new_buffer_counts_on(line: Line, tmp_path: Path) -> None:
    before = {a.device: a for a in line.accounts("2024-03")}
    line.core = Core(Buffer(tmp_path / "new.db", MINUTE), line.core.sources)
    line.send("air-1", [0, 1, 3], T0 + 2 * DAY)
    after = {a.device: a for a in line.accounts("2024-03")}
    one = Account("air-1", sent=4, stored=3, refused=0, missing=1, duplicate=0, recovered=0)
    assert [a for a in line.accounts("2024-03-03") if a.device == "air-1"] == [one]
    assert after["air-1"][1:] == tuple(a + b for a, b in zip(before["air-1"][1:], one[1:], strict=True))
    assert after["air-2"] == before["air-2"]


def test_a_report_that_a_clock_ahead_of_its_time_left_behind_counts_nothing_twice(line: Line) -> None:
    line.send("air-2", list(range(7, 40)), T0 + 3 * DAY)
    line.send("air-2", [40], T0 + 3 * DAY - 2 * HOUR)  # the clock is right again
    line.send("air-2", [41], T0 + 3 * DAY + HOUR)
    [account] = [a for a in line.accounts("2024-03") if a.device == "air-2"]
    assert (account.sent, account.stored, account.whole) == (42, 42, True)


def test_the_text_names_the_devices_that_break_it(line: Line) -> None:
    assert "devices with missing records: air-1." in as_text(line.accounts(), "table")
    assert "nothing is missing" in as_text(line.accounts("2024-03-01"), "table")
    assert "No device" in as_text(line.accounts("2023"), "table")
    shown = json.loads(as_text(line.accounts(), "json"))
    assert [row["whole"] for row in shown] == [False, True]


def test_the_command_prints_it(line: Line, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/store.db"
    command = [
        sys.executable,
        "-m",
        "cityvitals",
        "ledger",
        "--city",
        "chaos",
        "--store",
        store,
        "--period",
        "2024-03-02",
    ]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "air-1" in answer.stdout


def test_the_longest_ids_are_shown_whole_and_a_sentence_names_twenty() -> None:
    names = [f"{n:x>64}" for n in range(25)]
    text = as_text([Account(name, 100_000_000, 99_999_999, 0, 1, 0, 0) for name in names], "table")
    lines = text.splitlines()
    assert [line.split()[0] for line in lines[1:26]] == names
    verdict = " ".join(lines[27:])
    assert [name for name in names if name in verdict] == names[:20]
    assert verdict.endswith(" and 5 more.")


def test_the_ledger_says_of_when_it_is(line: Line) -> None:
    found, newest = accounts_as_of(line.store, "chaos", line.period("2024-03-02"))
    assert newest == T0 + DAY + 2 * HOUR
    assert "As of 2024-03-02T13:00:00Z: gateways report these counts every ten minutes" in as_text(
        found, "table", newest
    )
    assert {row["as_of"] for row in json.loads(as_text(found, "json", newest))} == {"2024-03-02T13:00:00Z"}
    assert accounts_as_of(line.store, "chaos", line.period("2024-02-01")) == ([], None)
