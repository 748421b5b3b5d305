"""What plans cannot answer is a sentence that names what is missing, by command and over HTTP; nothing is stored."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import msgspec
import pytest
from typer.testing import CliRunner

from adapters.sqlite.store import SqliteStore
from api.state import Turns
from cityvitals.cli.main import app
from planning import scenario
from telemetry.errors import UsageError
from telemetry.kpi_value import KpiQuery
from telemetry.periods import iso
from tests.api.conftest import running
from tests.planning import town

HEAD = "start,end,device,energy_kwh,user_hash"
NO_ROWS, NO_USERS = f"{HEAD}\n", f"{HEAD}\n2018-01-05T18:00:00Z,,garage,9,\n"
CARS = '[scenario]\nname = "x"\ndraws = 5\n\n[[transform]]\nkind = "ev_share"\nshare = 0.5\nleast_kwh = 1\n'
AT = {"points": 6, "connection": "63A", "period": "2019-01", "meters": ["meter-0"], "least_kwh": 1, "draws": 20}


def csv(open_ended: int = 0) -> str:
    """The town's sessions, the first `open_ended` without an end."""
    s = town.sessions()
    rows = zip(s.start.tolist(), s.end.tolist(), s.kwh.tolist(), s.user.tolist(), strict=True)
    ends = [("" if i < open_ended else iso(b), iso(a), kwh, s.users[u]) for i, (a, b, kwh, u) in enumerate(rows)]
    return "\n".join([HEAD, *(f"{a},{b},garage,{kwh},{user}" for b, a, kwh, user in ends)]) + "\n"


class Place(NamedTuple):
    """The town, its folder and its API."""

    folder: Path
    store: SqliteStore
    url: str

    def state(self) -> Any:
        """Everything that is stored, the files beside it, and the feed."""
        kept = [msgspec.json.encode(self.store.kpis(KpiQuery("town"))), self.store.cities()[0].config]
        with sqlite3.connect(f"file:{self.folder / 'town.db'}?mode=ro", uri=True) as raw:
            tables = [t for (t,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            kept += [(t, raw.execute(f'SELECT COUNT(*) FROM "{t}"').fetchone()) for t in sorted(tables)]
        return kept, httpx.get(f"{self.url}/v1/index/changes").json()

    def refused(self, *words: str) -> str:
        """The sentence of a command that cannot answer."""
        where = ["--city", "town", "--store", f"sqlite:///{self.folder / 'town.db'}"]
        with pytest.raises(UsageError) as error:
            CliRunner().invoke(app, [*words, *where], catch_exceptions=False)
        return str(error.value)

    def answered(self, path: str, body: Any) -> httpx.Response:
        """The answer of the API: a POST where there is a body."""
        url = f"{self.url}/v1/cities/town/plan/{path}"
        return httpx.post(url, json=body, timeout=60) if body is not None else httpx.get(url, timeout=60)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("town")
    store = town.stored(folder)[0]
    for name, text in (("good", csv()), ("rows", NO_ROWS), ("users", NO_USERS), ("open", csv(5))):
        (folder / f"{name}.csv").write_text(text)
    (folder / "cars.toml").write_text(CARS)
    (folder / "pv.toml").write_text('[scenario]\n\n[[transform]]\nkind = "battery"\nkwh = 3\n')
    with running(store, clock=lambda: town.NOW) as url:
        yield Place(folder, store, url)
    store.close()


# What is asked, and what the sentence says: words of the command, then the request with the same fault.
CHARGING = ["plan", "charging", "--points", "6", "--least-kwh", "1", "--draws", "20", "--meter", "meter-0"]
CASES: dict[str, tuple[list[str], str, Any, str]] = {
    "connection smaller than the base load": (
        [*CHARGING, "--connection", "1A", "--period", "2019-01", "--sessions", "good.csv"],
        "charging", AT | {"connection": "1A", "sessions_csv": csv()}, "The building alone reaches",
    ),
    "no sessions in the file": (
        [*CHARGING, "--connection", "63A", "--period", "2019-01", "--sessions", "rows.csv"],
        "charging", AT | {"sessions_csv": NO_ROWS}, "has no charging session that can be used",
    ),
    "sessions without users": (
        [*CHARGING, "--connection", "63A", "--period", "2019-01", "--sessions", "users.csv"],
        "charging", AT | {"sessions_csv": NO_USERS}, "The sessions name no users",
    ),
    "a meter that was not read": (
        [*CHARGING, "--connection", "63A", "--period", "2019-02", "--sessions", "good.csv"],
        "charging", AT | {"period": "2019-02", "sessions_csv": csv()}, "has quarters of an hour in 2019-02",
    ),
    "a meter with gaps": (
        [*CHARGING, "--connection", "63A", "--period", "2019-01..2019-02", "--sessions", "good.csv"],
        "charging", AT | {"period": "2019-01..2019-02", "sessions_csv": csv()},
        "47 % of the building's intervals are missing",
    ),
    "a feeder that is not there": (
        ["plan", "charging", "--points", "6", "--feeder", "north", "--period", "2019-01", "--sessions", "good.csv"],
        "charging", {"points": 6, "feeder": "north", "period": "2019-01", "sessions_csv": csv()},
        "no [[feeder]] entry",
    ),
    "neither connection nor feeder": (
        [*CHARGING, "--period", "2019-01", "--sessions", "good.csv"],
        "charging", {k: v for k, v in AT.items() if k != "connection"} | {"sessions_csv": csv()},
        "Give either a connection",
    ),
    "a forecast in the past": (["forecast", "--at", "2022-02-01"], "forecast", None, "would lie in the past"),
    "a scenario without sessions": (
        ["plan", "scenario", "cars.toml", "--period", "2019-01"],
        "scenario", {"period": "2019-01", "transforms": [{"kind": "ev_share", "share": 0.5}]},
        "needs recorded sessions",
    ),
    "a scenario on a year without data": (
        ["plan", "scenario", "cars.toml", "--period", "2017", "--sessions", "good.csv"],
        "scenario", {"period": "2017", "transforms": []}, "no measured value of 'town' in 2017",
    ),
    "a battery without photovoltaics": (
        ["plan", "scenario", "pv.toml", "--period", "2019-01"],
        "scenario", {"period": "2019-01", "transforms": [{"kind": "battery", "kwh": 3}]}, "put a pv before it",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_command_and_the_api_say_the_same_and_store_nothing(
    place: Place, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place.folder)
    words, path, body, sentence = CASES[case]
    before = place.state()
    said = place.refused(*words)
    assert sentence in said
    answer = place.answered(path, body)
    assert answer.status_code == 422
    assert sentence in answer.json()["detail"]
    assert said.endswith((".", "?"))
    assert place.state() == before


def test_sessions_without_end_and_a_few_gaps_are_planned_and_said(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place.folder)
    asked = [*CHARGING, "--connection", "63A", "--period", "2019-01", "--sessions", "open.csv", "--format", "json"]
    where = ["--city", "town", "--store", f"sqlite:///{place.folder / 'town.db'}"]
    by_command = msgspec.json.decode(CliRunner().invoke(app, [*asked, *where], catch_exceptions=False).output)
    by_api = place.answered("charging", AT | {"sessions_csv": csv(5)}).raise_for_status().json()
    assert any("5 sessions without a plug-out" in note for note in by_api["notes"])
    assert by_api.pop("label") == "planned: not measured"
    assert by_api == by_command


def test_sessions_of_the_server_are_used_and_named(place: Place, tmp_path: Path) -> None:
    (tmp_path / "town.csv").write_text(csv())
    with running(place.store, clock=lambda: town.NOW, sessions=tmp_path) as url:
        plan = f"{url}/v1/cities/town/plan"
        assert httpx.get(f"{plan}/sessions").json() == {
            "sessions": len(town.sessions()), "users": 12,
            "first": iso(int(town.sessions().start.min())), "last": iso(int(town.sessions().start.max())),
        }  # fmt: skip
        own = httpx.post(f"{plan}/charging", json=AT).raise_for_status().json()
        assert own == place.answered("charging", AT | {"sessions_csv": csv()}).json()
        cars = [{"kind": "ev_share", "share": 0.5, "least_kwh": 1}]
        body = {"period": "2019-01", "transforms": cars, "draws": 5}
        assert httpx.post(f"{plan}/scenario", json=body, timeout=60).status_code == 200
        (tmp_path / "town.csv").write_bytes(b"\xff\xfe")
        broken = httpx.post(f"{plan}/charging", json=AT)
        assert (broken.status_code, "cannot read the sessions in town.csv" in broken.text) == (503, True)
    assert place.answered("sessions", None).json()["sessions"] == 0
    assert "this server has none of 'town'" in place.answered("charging", AT).json()["detail"]


def test_a_second_plan_at_once_is_refused_for_a_while(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first plan is held in its calculation; the second is answered 503 with Retry-After, then it is its turn."""
    began, free = threading.Event(), threading.Event()
    real = scenario.run

    def held(*given: Any) -> Any:
        began.set()
        assert free.wait(60)
        return real(*given)

    monkeypatch.setattr(scenario, "run", held)
    monkeypatch.setattr(Turns, "wait_s", 0.05)
    body, codes = {"period": "2019-01", "transforms": [{"kind": "saving", "percent": 10}]}, list[int]()
    first = threading.Thread(target=lambda: codes.append(place.answered("scenario", body).status_code))
    first.start()
    assert began.wait(60)
    for path, second in (("scenario", body), ("charging", AT | {"sessions_csv": csv()})):
        answer = place.answered(path, second)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) >= 1
        assert answer.json()["detail"].startswith("Another plan is being calculated")
    free.set()
    first.join(60)
    assert codes == [200]
    assert place.answered("scenario", body).status_code == 200
