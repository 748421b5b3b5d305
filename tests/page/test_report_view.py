"""The view where a reporter enters figures, one by one and as a filled form, in a real Chromium."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from adapters.sqlite.store import SqliteStore
from api.access import add_token
from reporting.figures.stored import reported_among
from telemetry.kpi_value import KpiQuery
from tests.api.city import CITY
from tests.api.conftest import running
from tests.page.opened import VIEWS, opened

CODE = "EC:I:ES:2C"


@pytest.fixture
def reporter(tmp_path: Path, store: SqliteStore, browser: Any) -> Iterator[Any]:
    """The report view, with a reporter's token."""
    path = tmp_path / "tokens"
    token = add_token(path, "office", ["reporter"])
    with running(store, tokens=path) as url, opened(browser, url + VIEWS["report"], errors_expected=True) as view:
        view.get_by_label("Access token").fill(token)
        view.get_by_role("button", name="Show the values").click()
        view.get_by_label("Filled form").wait_for()
        yield view


def stored(store: SqliteStore) -> dict[str, float]:
    return {f.code: f.value for f in reported_among(store.kpis(KpiQuery(CITY, ["year"]))) if f.year == 2026}


def filled(data: bytes, value: float | str) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(data))
    sheet = book["Figures"]
    row = next(r for r in range(2, 120) if sheet[f"A{r}"].value == CODE)
    for column, content in (("J", value), ("M", "measured"), ("N", "Grid company")):
        sheet[f"{column}{row}"] = content
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def load(view: Any, name: str, data: bytes) -> None:
    view.get_by_label("Filled form").set_input_files({"name": name, "mimeType": "", "buffer": data})
    view.get_by_role("button", name="Check and load").click()


def test_a_form_is_downloaded_filled_and_loaded(reporter: Any, store: SqliteStore) -> None:
    assert CODE not in stored(store)
    with reporter.expect_download() as download:
        reporter.get_by_role("button", name="Form, Excel").click()
    assert download.value.suggested_filename == f"{CITY}-2026.xlsx"
    form = Path(download.value.path()).read_bytes()

    load(reporter, "filled.xlsx", filled(form, "many"))
    reporter.get_by_text("value 'many' is not a number").wait_for()
    assert CODE not in stored(store), "a refused form stores nothing"

    load(reporter, "filled.xlsx", filled(form, 83.5))
    reporter.get_by_text("1 figure is stored.").wait_for()
    assert stored(store)[CODE] == 83.5


def test_a_figure_is_entered_and_a_wrong_one_is_refused(reporter: Any, store: SqliteStore) -> None:
    reporter.goto(reporter.url.replace("/report?", f"/report/{CODE}?"))
    reporter.get_by_label("Source").fill("Grid company")
    reporter.get_by_label("Value, minutes").fill("-3")
    reporter.get_by_role("button", name="Check and submit").click()
    reporter.get_by_text("is below 0").first.wait_for()
    reporter.get_by_label("Value, minutes").fill("83.5")
    reporter.get_by_role("button", name="Check and submit").click()
    reporter.get_by_text("Submitted.", exact=True).wait_for()
    assert stored(store)[CODE] == 83.5


def test_a_figure_is_checked_while_typing_kept_as_draft_and_submitted(reporter: Any, store: SqliteStore) -> None:
    reporter.goto(reporter.url.replace("/report?", f"/report/{CODE}?"))
    reporter.get_by_text("Mean length of an electrical interruption").wait_for()  # the definition
    reporter.get_by_text("Nobody has entered this figure yet.").wait_for()
    reporter.get_by_label("Source").fill("Grid company")
    reporter.get_by_label("Value, minutes").fill("-3")
    reporter.get_by_text("is below 0").first.wait_for()  # without a button
    reporter.get_by_label("Value, minutes").fill("83.5")
    reporter.get_by_role("button", name="Keep as draft").click()
    reporter.get_by_text("Kept as draft.").wait_for()
    assert CODE not in stored(store)
    reporter.reload()
    assert reporter.get_by_label("Value, minutes").input_value() == "83.5"
    reporter.get_by_text("1 draft of 2026 is not submitted.").wait_for()
    reporter.get_by_role("button", name="Check and submit", exact=True).click()
    reporter.get_by_text("Submitted.", exact=True).wait_for()
    reporter.get_by_text("History, 2 steps").click()
    reporter.get_by_text("submitted by office, 83.5 (Grid company)").wait_for()
    assert stored(store)[CODE] == 83.5
    assert not reporter.get_by_role("button", name="Verify").count(), "a reporter does not verify"
