"""Sentences for a user about values of the wrong form."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from telemetry.errors import form


class Part(msgspec.Struct):
    """A value of each form."""

    v: float | None = None
    n: int | str = 0
    on: bool = False
    many: list[int] = []


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"v": "5"}, "'v' must be a number, not a text"),
        ({"n": None}, "'n' must be a whole number or a text, not nothing"),
        ({"on": 1}, "'on' must be true or false, not a whole number"),
        ({"many": {}}, "'many' must be a list, not a table"),
        ({"many": [1, "x"]}, "'many[1]' must be a whole number, not a text"),
        ([], "the value must be a table, not a list"),
    ],
)
def test_a_value_of_the_wrong_form_is_named_in_plain_words(value: Any, words: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(value, Part)
    assert form(caught.value) == words


def test_another_error_stays_as_it_is() -> None:
    assert form(ValueError("too large")) == "too large"
