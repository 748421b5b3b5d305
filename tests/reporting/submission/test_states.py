"""Drafts, submitted and verified figures: what counts, who may do what, and the history that is left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.sqlite.store import SqliteStore
from adapters.store import CityRecord
from registry.city import City
from reporting.figures.reported import Reported
from reporting.figures.stored import reported_of
from reporting.report import report_figures
from reporting.submission.missing import missing_of
from reporting.submission.steps import Step, as_entry, status_of, step_of
from reporting.submission.work import keep_drafts, statuses_of, submit, submit_drafts, verify, withdraw
from telemetry.errors import UsageError
from telemetry.windows import MINUTE
from tests.reporting.city import run

CITY = City.model_validate({"city": {"id": "town", "name": "Town", "country": "NO", "timezone": "UTC"}})
RND, WATER = ("EC:P:IN:1C", ""), ("EC:I:WS:1C", "")


def figure(value: float, point: tuple[str, str] = RND, year: int = 2025, **more: Any) -> Reported:
    given = {"quality": "measured", "source": "Office", "line": 7, **more}
    return Reported(code=point[0], part=point[1], year=year, value=value, **given)


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    made = SqliteStore(tmp_path / "town.db")
    made.put_city(CityRecord("town", CITY.model_dump(mode="json", exclude_defaults=True), MINUTE))
    return made


def states(store: SqliteStore) -> dict[str, tuple[str, str, float | None, float | None]]:
    """Code -> state, who, the city's value, the draft's value."""
    return {
        s.code: (s.state, s.who, s.figure.value if s.figure else None, s.draft.value if s.draft else None)
        for s in statuses_of(store, CITY)
    }


def stored(store: SqliteStore) -> list[float]:
    return [f.value for f in reported_of(store, CITY)]


def test_a_figure_goes_from_draft_to_submitted_to_verified_and_leaves_its_history(store: SqliteStore) -> None:
    keep_drafts(store, CITY, [figure(3.0)], "f.csv", "anna", 1000)
    assert (states(store), stored(store)) == ({RND[0]: ("draft", "anna", None, 3.0)}, [])
    keep_drafts(store, CITY, [figure(3.1)], "f.csv", "bo", 2000)
    submit_drafts(store, CITY, 2025, "anna", 3000)
    assert (states(store), stored(store)) == ({RND[0]: ("submitted", "anna", 3.1, None)}, [3.1])
    assert verify(store, CITY, [RND], 2025, "bo", 4000) == 1
    assert states(store) == {RND[0]: ("verified", "bo", 3.1, None)}
    [status] = statuses_of(store, CITY)
    assert [(s.time, s.state, s.who, s.figure.value) for s in status.steps] == [
        (1000, "draft", "anna", 3.0), (2000, "draft", "bo", 3.1), (3000, "submitted", "anna", 3.1),
        (4000, "verified", "bo", 3.1),
    ]  # fmt: skip


def test_a_verified_figure_that_changes_is_verified_no_more(store: SqliteStore) -> None:
    submit(store, CITY, [figure(3.0)], "f.csv", "anna", 1)
    verify(store, CITY, [RND], 2025, "bo", 2)
    keep_drafts(store, CITY, [figure(4.0)], "f.csv", "anna", 3)
    assert states(store) == {RND[0]: ("verified", "bo", 3.0, 4.0)}  # until the draft is submitted
    submit_drafts(store, CITY, 2025, "anna", 4)
    assert states(store) == {RND[0]: ("submitted", "anna", 4.0, None)}


def test_a_change_of_the_source_alone_needs_a_new_verification(store: SqliteStore) -> None:
    submit(store, CITY, [figure(3.0)], "f.csv", "anna", 1)
    verify(store, CITY, [RND], 2025, "bo", 2)
    submit(store, CITY, [figure(3.0, source="Another office")], "f.csv", "anna", 3)
    assert states(store) == {RND[0]: ("submitted", "anna", 3.0, None)}


def test_the_same_figure_again_keeps_its_verification(store: SqliteStore) -> None:
    submit(store, CITY, [figure(3.0)], "f.csv", "anna", 1)
    verify(store, CITY, [RND], 2025, "bo", 2)
    submit(store, CITY, [figure(3.0, line=9)], "g.csv", "carl", 3)
    assert states(store) == {RND[0]: ("verified", "bo", 3.0, None)}
    assert len(statuses_of(store, CITY)[0].steps) == 2


def test_nobody_verifies_what_they_submitted_and_all_or_none_are_verified(store: SqliteStore) -> None:
    submit(store, CITY, [figure(3.0)], "f.csv", "anna", 1)
    submit(store, CITY, [figure(90.0, WATER)], "f.csv", "bo", 2)
    with pytest.raises(UsageError, match="EC:P:IN:1C of 2025 was submitted by anna; another person verifies it"):
        verify(store, CITY, [WATER, RND], 2025, "anna", 3)
    with pytest.raises(UsageError, match="EC:I:WS:2C has no figure of 2025; did you mean 'EC:I:WS:1C'"):
        verify(store, CITY, [WATER, ("EC:I:WS:2C", "")], 2025, "carl", 3)
    assert {s for s, *_ in states(store).values()} == {"submitted"}
    assert verify(store, CITY, [WATER, RND, RND], 2025, "carl", 3) == 2
    assert verify(store, CITY, [WATER], 2025, "carl", 4) == 0


def test_a_draft_is_not_verified_and_can_be_withdrawn(store: SqliteStore) -> None:
    keep_drafts(store, CITY, [figure(3.0)], "f.csv", "anna", 1)
    with pytest.raises(UsageError, match="is a draft; submit it first"):
        verify(store, CITY, [RND], 2025, "bo", 2)
    assert withdraw(store, CITY, [RND], 2025, "anna", 3) == 1
    assert states(store) == {}
    keep_drafts(store, CITY, [figure(3.0)], "f.csv", "anna", 1)  # the clock went back
    assert states(store) == {RND[0]: ("draft", "anna", None, 3.0)}
    withdraw(store, CITY, [RND], 2025, "anna", 3)
    with pytest.raises(UsageError, match="has no draft"):
        withdraw(store, CITY, [RND], 2025, "anna", 4)
    with pytest.raises(UsageError, match="Town has no draft of 2025"):
        submit_drafts(store, CITY, 2025, "anna", 4)


def test_a_withdrawn_draft_leaves_the_verification_of_the_figure(store: SqliteStore) -> None:
    submit(store, CITY, [figure(3.0)], "f.csv", "anna", 1)
    verify(store, CITY, [RND], 2025, "bo", 2)
    keep_drafts(store, CITY, [figure(4.0)], "f.csv", "anna", 3)
    with pytest.raises(UsageError, match="has a draft that differs"):
        verify(store, CITY, [RND], 2025, "bo", 4)
    withdraw(store, CITY, [RND], 2025, "anna", 5)
    assert states(store) == {RND[0]: ("verified", "bo", 3.0, None)}


def test_drafts_that_break_a_rule_are_kept_and_not_submitted(store: SqliteStore) -> None:
    done = keep_drafts(store, CITY, [figure(150.0, WATER), figure(3.0)], "f.csv", "anna", 1)
    assert [f.rule for f in done.findings if f.rejected] == ["range"]
    with pytest.raises(UsageError, match="150 is above 100"):
        submit_drafts(store, CITY, 2025, "anna", 2)
    assert stored(store) == []
    assert {s for s, *_ in states(store).values()} == {"draft"}


def test_an_import_over_a_verified_figure_is_submitted_by_nobody_known(store: SqliteStore) -> None:
    submit(store, CITY, [figure(3.0)], "f.csv", "anna", 1)
    verify(store, CITY, [RND], 2025, "bo", 2)
    report_figures(store, CITY, [figure(5.0)], "country.csv", 3)  # as an import: without a step
    assert states(store) == {RND[0]: ("submitted", "", 5.0, None)}
    assert verify(store, CITY, [RND], 2025, "anna", 4) == 1


@pytest.mark.parametrize("who", ["", "  ", "a\x00b", "x" * 101])
def test_somebody_does_it(store: SqliteStore, who: str) -> None:
    with pytest.raises(UsageError, match="Name the person"):
        keep_drafts(store, CITY, [figure(3.0)], "f.csv", who, 1)
    with pytest.raises(UsageError, match="Name the person"):
        submit(store, CITY, [figure(3.0)], "f.csv", who, 1)
    assert stored(store) == []


def test_a_clock_that_stands_still_or_goes_back_loses_no_step(store: SqliteStore) -> None:
    for value in (1.0, 2.0, 3.0):
        keep_drafts(store, CITY, [figure(value)], "f.csv", "anna", 500)
    submit_drafts(store, CITY, 2025, "anna", 100)
    [status] = statuses_of(store, CITY)
    assert [s.time for s in status.steps] == [500, 501, 502, 503]
    assert status.state == "submitted"


text = st.text(max_size=20)


@given(st.integers(0, 2**50), st.floats(0, 1e12), text, text)
def test_a_step_survives_the_store(time: int, value: float, who: str, source: str) -> None:
    step = Step(time=time, state="draft", who=who, figure=figure(value, source=source, line=0))
    assert step_of(as_entry("town", step)) == step


STATES = st.sampled_from(["draft", "submitted", "verified", "withdrawn"])


@given(st.lists(st.tuples(STATES, st.sampled_from([1.0, 2.0])), max_size=8), st.sampled_from([None, 1.0, 2.0]))
def test_verified_is_only_what_is_stored(rows: list[tuple[Any, float]], value: float | None) -> None:
    steps = [Step(time=i, state=s, who="x", figure=figure(v)) for i, (s, v) in enumerate(rows)]
    found = status_of((*RND, 2025), steps, None if value is None else figure(value))
    assert (found.state == "draft") == (value is None)
    if found.state == "verified":
        assert ("verified", value) in rows
    assert (found.draft is not None) == bool(rows and rows[-1][0] == "draft" and rows[-1][1] != value)


def test_the_missing_figures_begin_with_those_that_need_no_hand(store: SqliteStore) -> None:
    submit(store, CITY, [figure(3.0)], "f.csv", "anna", 1)
    found = missing_of(store, CITY, 2025)
    assert (found.kpis, found.with_value, found.needed) == (91, 1, 73 - 1)  # 80 % of 91 are 72.8
    assert len(found.missing) == 112 - 1
    hows = [m.how for m in found.missing]
    assert hows == sorted(hows, key=["sensors", "file", "by hand"].index)
    by_code = {m.code: m.how for m in found.missing}
    assert (by_code["EN:EN:AQ:1C"], by_code["EN:EN:PSN:1C"], by_code["EC:P:IN:2C"]) == ("sensors", "file", "by hand")


def test_the_commands_of_an_officer_and_a_verifier(store: SqliteStore, tmp_path: Path) -> None:
    url, path = f"sqlite:///{tmp_path}/town.db", tmp_path / "f.csv"
    path.write_text("code,part,year,value,source,quality\nEC:P:IN:1C,,2025,3.1,Office,measured\n"
                    "EN:EN:AQ:1C,no2,2025,9,Lab,measured\n")  # fmt: skip
    at = ("--city", "town", "--store", url)
    said = run("kpi", "report", "town", path, "--store", url, "--draft", "--who", "anna")
    assert said.startswith("2 figures of Town for 2025 kept as drafts, 2 new or changed.")
    assert "2025: 0 of 91 KPIs have a figure now" in said
    assert "2 figures of Town for 2025 stored" in run("figures", "submit", *at, "--year", "2025", "--who", "anna")
    assert run("figures", "verify", "EN:EN:AQ:1C/NO2", *at, "--year", "2025", "--who", "bo") == (
        "1 figure of 2025 verified.\n"
    )
    assert run("figures", "verify", "all", *at, "--year", "2025", "--who", "bo") == "1 figure of 2025 verified.\n"
    listed = msgspec.json.decode(run("figures", "list", *at, "--format", "json"))
    assert [(s["code"], s["part"], s["state"], s["who"], s["value"]) for s in listed] == [
        ("EC:P:IN:1C", "", "verified", "bo", 3.1), ("EN:EN:AQ:1C", "no2", "verified", "bo", 9.0),
    ]  # fmt: skip
    assert "R&D Expenditure" in run("figures", "list", *at)  # a code alone names nothing to a person
    history = run("figures", "history", "EC:P:IN:1C", *at, "--format", "csv").splitlines()
    assert [line.split(",")[2:4] for line in history[1:]] == [
        ["draft", "anna"],
        ["submitted", "anna"],
        ["verified", "bo"],
    ]
    assert "2025: 2 of 91 KPIs have a figure; 71 more are needed" in run("figures", "missing", *at, "--year", "2025")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("verify", "EC:P:IN:9C"), "There is no KPI 'EC:P:IN:9C' of U4SSC; did you mean"),
        (("verify", "EN:EN:AQ:1C/no3"), "EN:EN:AQ:1C has no part 'no3'; did you mean"),
        (("verify", "EN:EN:AQ:1C"), "has several figures; name one in part"),
        (("verify", "EC:P:IN:1C"), "EC:P:IN:1C has no figure of 2025; none is submitted"),
        (("verify", "all"), "Town has no submitted figure of 2025 that anna may verify"),
        (("withdraw", "all"), "Town has no draft of 2025"),
        (("submit",), "Town has no draft of 2025"),
        (("history", "LOCAL:EV:ENERGY"), "There is no KPI 'LOCAL:EV:ENERGY' of U4SSC"),
    ],
)
def test_wrong_calls_are_sentences(store: SqliteStore, tmp_path: Path, words: tuple[str, ...], sentence: str) -> None:
    more = () if words[0] == "history" else ("--who", "anna")
    with pytest.raises(UsageError, match=sentence):
        run("figures", *words, "--city", "town", "--store", f"sqlite:///{tmp_path}/town.db", "--year", "2025", *more)
