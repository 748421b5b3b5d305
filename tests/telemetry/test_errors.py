"""Sentences for a user about values of the wrong form and about files and servers that do not answer."""

from __future__ import annotations

import socket
from typing import Any
from urllib.error import URLError

import msgspec
import pytest
from urllib3 import PoolManager
from urllib3.exceptions import HTTPError

from telemetry.errors import cause, form
from tests.processes import free_port


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


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
        (FileNotFoundError(2, "No such file or directory", "/x"), "No such file or directory"),
        (URLError(socket.gaierror(-2, "Name or service not known")), "Name or service not known"),
        (TimeoutError("timed out"), "timed out"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), "it is not UTF-8 text"),
    ],
)
def test_a_cause_is_said_without_numbers_of_the_system(error: Exception, words: str) -> None:
    assert cause(error) == words


def test_the_cause_of_a_request_is_that_of_its_connection() -> None:
    with pytest.raises(HTTPError) as caught:
        PoolManager(retries=0).request("GET", f"http://127.0.0.1:{free_port()}/")
    assert cause(caught.value) == "Connection refused"
