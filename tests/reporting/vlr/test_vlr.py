"""The view by goal against the reference's counts, and the review as DOCX and PDF, read back."""

from __future__ import annotations

import csv
import io
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import docx
import msgspec
import pytest
from matplotlib.font_manager import FontProperties, findfont, get_font

from reporting.figures.figures import figures
from reporting.sdg.view import goal_views, goals_of, kpis_by_goal
from reporting.targets import score
from reporting.vlr.blocks import Bullets, Grid, Heading, Text
from reporting.vlr.content import CHAPTERS
from reporting.vlr.markdown import blocks_of
from telemetry.errors import UsageError
from tests.reporting.city import CITY, run

# programme.md, section 6.
COUNTS = {
    1: 4,
    2: 1,
    3: 10,
    4: 5,
    5: 4,
    6: 12,
    7: 11,
    8: 5,
    9: 6,
    10: 2,
    11: 31,
    12: 0,
    13: 2,
    14: 1,
    15: 1,
    16: 6,
    17: 4,
}


def test_each_goal_has_as_many_kpis_as_the_map() -> None:
    assert {number: len(codes) for number, codes in kpis_by_goal().items()} == COUNTS


FIGURES = """code,part,year,value,numerator,denominator,source,quality
SC:SH:SI:3C,,{year},10,,,Statistics office,higher-level
SC:SH:SA:1C,,{year},2,,,Police,measured
SC:SH:SA:9C,,{year},{deaths},,,Police,measured
SC:EH:H:3C,,{year},300,,,Health office,measured
"""
TARGETS = """
[[target]]
code = "SC:SH:SI:3C"
value = 5

[[target]]
code = "SC:SH:SA:1C"
value = 2

[[target]]
code = "SC:SH:SA:9C"
value = 3
year = 2030
baseline = 6
baseline_year = 2015
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("vlr")
    (folder / "city.toml").write_text(CITY.replace('"Almby"', '"Älmby Łódź"') + TARGETS)
    for year, deaths in ((2023, 5.5), (2024, 5), (2025, 4)):
        (folder / "figures.csv").write_text(FIGURES.format(year=year, deaths=deaths))
        run("kpi", "report", folder / "city.toml", folder / "figures.csv", "--store", f"sqlite:///{folder}/city.db")
    return f"sqlite:///{folder}/city.db"


def test_a_goal_has_a_score_with_two_scored_figures_only(store: str) -> None:
    text = run("report", "sdg", "--city", "almby", "--store", store, "--period", "2025", "--format", "json")
    goals = {g["number"]: g for g in msgspec.json.decode(text)}
    assert goals[1]["scored"] == 2  # poverty 5/10, deaths in disasters 2/2
    assert goals[1]["score"] == pytest.approx((0.5 + 1.0) / 2)
    assert (goals[3]["scored"], goals[3]["score"], goals[3]["with_value"]) == (1, None, 2)
    assert goals[12]["why"] == "no U4SSC KPI serves this goal"
    assert len(goals) == 17


def test_a_kpi_serves_each_goal_once() -> None:
    views = goal_views(figures([]), score([], {}))
    assert [v.score for v in views] == [None] * 17
    from reporting.figures.points import u4ssc

    assert all(len(set(goals_of(k))) == len(goals_of(k)) for k in u4ssc())


def write(store: str, out: Path, *words: str) -> dict[str, bytes]:
    run("report", "vlr", "--city", "almby", "--store", store, "--period", "2025", "--out", out, *words)
    return {p.name: p.read_bytes() for p in out.iterdir()}


def paragraphs(content: bytes) -> list[tuple[str, str]]:
    return [(p.style.name if p.style else "", p.text) for p in docx.Document(io.BytesIO(content)).paragraphs]


def test_the_review_has_the_chapters_in_order_with_visible_gaps(store: str, tmp_path: Path) -> None:
    files = write(store, tmp_path / "vlr")
    assert set(files) == {"vlr.docx", "vlr.pdf", "vlr.jsonld"}
    found = paragraphs(files["vlr.docx"])
    titles = [text for style, text in found if style == "Heading 1"]
    assert titles == [
        "Älmby Łódź: Voluntary Local Review 2025", *(f"{i} {t}" for i, (_, t) in enumerate(CHAPTERS, start=1)),
        "Annex: indicators",
    ]  # fmt: skip
    gaps = [text for _, text in found if text.startswith("[Missing")]
    assert "[Missing: the city's text opening.md]" in gaps
    assert any(text.startswith("[Missing: values of") and "SC:SH:HO:1C" in text for text in gaps)
    assert files["vlr.pdf"].startswith(b"%PDF-")
    values = msgspec.json.decode(files["vlr.jsonld"])
    assert {v["alternateName"]["value"] for v in values} == {
        "SC: SH: SI: 3C", "SC: SH: SA: 1C", "SC: SH: SA: 9C", "SC: EH: H: 3C",
    }  # fmt: skip


def test_values_trends_targets_and_quality_stand_in_the_table_of_the_goal(store: str, tmp_path: Path) -> None:
    word = docx.Document(io.BytesIO(write(store, tmp_path / "vlr")["vlr.docx"]))
    rows = [[c.text for c in row.cells] for t in word.tables for row in t.rows]
    [deaths] = [r for r in rows if r[0] == "SC:SH:SA:9C" and len(r) == 9]
    # -0.75 a year by least squares over 5.5, 5, 4; towards 3 from 6: 10 of 15 years, 2 of 3 deaths less.
    assert deaths[2:] == ["4", "per 100 000 inhab.", "", "measured", "-0.75", "3", "moderate"]
    assert len(word.inline_shapes) >= 2  # goals with figures of several years have a picture


def test_the_columns_of_a_table_have_their_widths_in_every_program(store: str, tmp_path: Path) -> None:
    word = docx.Document(io.BytesIO(write(store, tmp_path / "vlr")["vlr.docx"]))
    for table in word.tables:
        widths = [column.width for column in table.columns]
        assert widths == [cell.width for cell in table.rows[-1].cells]
        assert len(set(widths)) > 1


def test_no_word_of_a_table_is_wider_than_its_column(store: str, tmp_path: Path) -> None:
    """Measured in DejaVu Sans, which is wider than Calibri and stands in for it where there is none."""
    word = docx.Document(io.BytesIO(write(store, tmp_path / "vlr")["vlr.docx"]))
    font = {bold: get_font(findfont(FontProperties(family="DejaVu Sans", weight=bold))) for bold in ("bold", "normal")}
    too_wide = []
    for table in word.tables:
        for n, row in enumerate(table.rows):
            for cell in row.cells:
                room = cell.width.pt - 2 * 5.4  # the margins of a cell
                for piece in re.split(r"[ /-]", cell.text):
                    measured = font["normal" if n else "bold"]
                    measured.set_size(700, 72)  # 7 pt a hundred times, so that no letter is rounded to a pixel
                    measured.set_text(piece, 0.0)
                    if measured.get_width_height()[0] / 6400 > room:
                        too_wide.append((piece, round(room, 1)))
    assert too_wide == []


def test_the_state_of_each_figure_stands_in_the_review_and_in_the_sheet_of_a_pack(store: str, tmp_path: Path) -> None:
    source, path = store.removeprefix("sqlite:///"), tmp_path / "own.db"
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(path)) as new:
        old.backup(new)  # a plain copy would lack what is still in the write-ahead log
    own, city = f"sqlite:///{path}", ("--city", "almby", "--year", "2025")
    run("figures", "verify", "SC:SH:SA:9C", *city, "--store", own, "--who", "Bo")
    (tmp_path / "drafts.csv").write_text(
        "code,part,year,value,numerator,denominator,source,quality\nSC:SH:HO:1C,,2025,1,,,Housing office,measured\n"
    )
    folder = Path(source).parent
    run("kpi", "report", folder / "city.toml", tmp_path / "drafts.csv", "--store", own, "--draft", "--who", "Anna")

    word = docx.Document(io.BytesIO(write(own, tmp_path / "vlr")["vlr.docx"]))
    annex = {r.cells[0].text: r.cells[4].text for r in word.tables[-1].rows}
    assert annex["SC:SH:SA:9C"] == "reported by the city, verified"
    assert annex["SC:SH:SA:1C"] == "reported by the city, submitted"
    texts = [p.text for p in word.paragraphs]
    assert any("4 are reported, of which 1 are verified by a second person of the city." in t for t in texts)
    assert any(t.startswith("Not reported") and "SC:SH:HO:1C (a draft)" in t for t in texts)

    run("kpi", "pack", "--city", "almby", "--store", own, "--period", "2025", "--out", tmp_path / "pack")
    with (tmp_path / "pack" / "figures.csv").open(encoding="utf-8", newline="") as file:
        rows = {r["Code"]: (r["Result"], r["Origin"]) for r in csv.DictReader(file)}
    assert rows["SC: SH: SA: 9C"] == ("4.0", "reported by the city, verified")
    assert rows["SC: SH: HO: 1C"] == ("NR", "a draft, not counted")
    assert rows["SC: SH: HO: 2A"] == ("NR", "")


def test_the_citys_own_texts_fill_the_gaps(store: str, tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "opening.md").write_text(
        "# From the mayor\n\nWe *measure* <b>what</b> we do.\n\n- one\n- two\n"
    )
    (tmp_path / "texts" / "goal-03.md").write_text("Roads are safer.")
    found = paragraphs(write(store, tmp_path / "vlr", "--texts", str(tmp_path / "texts"))["vlr.docx"])
    assert ("Heading 2", "From the mayor") in found
    assert ("List Bullet", "two") in found
    assert ("Normal", "We measure <b>what</b> we do.") in found
    assert ("Normal", "Roads are safer.") in found
    assert not any("opening.md" in text for _, text in found)


def test_a_text_with_another_name_and_a_month_are_sentences(store: str, tmp_path: Path) -> None:
    (tmp_path / "preface.md").write_text("x")
    with pytest.raises(UsageError, match=r"preface\.md is not a text of a review; its texts are: opening\.md"):
        write(store, tmp_path / "vlr", "--texts", str(tmp_path))
    with pytest.raises(UsageError, match="A review is of a year"):
        run("report", "vlr", "--city", "almby", "--store", store, "--period", "2025-01", "--out", tmp_path / "x")


def test_markdown_becomes_blocks() -> None:
    text = "## A\n\ntwo\nlines\n\n1. x\n2. y\n   - z\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> said\n"
    assert blocks_of(text, 1) == [
        Heading(3, "A"), Text("two lines"), Bullets(("x", "yz")),
        Grid(("a", "b"), (("1", "2"),), (1.0, 1.0)), Text("said"),
    ]  # fmt: skip
