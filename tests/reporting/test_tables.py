"""Tables: no line is longer than the terminal, nothing is left out, and wide ones stay one line a row."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reporting.tables import fitted, table, wrapped

WORD = st.text("abc äß%", max_size=30)


def test_columns_that_fit_stand_side_by_side_with_numbers_to_the_right() -> None:
    assert table(("KPI", "value", "unit"), [["A:1", "9.5", "kWh"], ["B:2", "1,234", "%"]], 80) == (
        "KPI  value  unit\nA:1    9.5  kWh\nB:2  1,234  %\n"
    )


def test_what_does_not_fit_stands_below_its_row_with_its_name() -> None:
    rows = [["A:1", "1", "a very long name of a figure", "why"], ["B:2", "2", "another very long name", ""]]
    assert table(("KPI", "value", "name", "notes"), rows, 30) == (
        "KPI  value  notes\n"
        "A:1      1  why\n"
        "    name: a very long name of\n"
        "    a figure\n"
        "B:2      2\n"
        "    name: another very long\n"
        "    name\n"
    )


def test_the_last_column_continues_below_itself() -> None:
    text = table(("KPI", "notes"), [["A:1", "one two three four five six seven eight nine ten"]], 46)
    assert text == "KPI  notes\nA:1  one two three four five six seven eight\n     nine ten\n"


@given(st.integers(1, 8).flatmap(lambda n: st.lists(st.lists(WORD, min_size=n, max_size=n), max_size=5)))
def test_no_line_is_longer_than_the_width_and_no_word_is_lost(rows: list[list[str]]) -> None:
    head = [f"h{i}" for i in range(len(rows[0]) if rows else 1)]
    text = table(head, rows, 60)
    assert max(map(len, text.split("\n"))) <= 60
    letters = sorted("".join(c for row in rows for cell in row for c in cell if not c.isspace()))
    shown = "".join(text.split("\n", 1)[1].split())
    assert all(shown.count(c) >= letters.count(c) for c in set(letters))


def test_a_line_below_a_table_is_wrapped_and_no_id_is_cut_at_its_hyphen() -> None:
    assert wrapped("one two three", 8) == "one two\nthree\n"
    assert wrapped("by air-annual-mean/1", 18) == "by\nair-annual-mean/1\n"


def test_a_long_line_of_prose_continues_further_in() -> None:
    assert fitted("  note: one two three\nshort\n", 16) == "  note: one two\n      three\nshort\n"
