"""Errors a user can act on.

Every message is a sentence that says what to do; the command line prints it without a traceback.
"""

from __future__ import annotations

import re
from collections.abc import Iterable


class CityVitalsError(Exception):
    """Something failed; the message says what to do. Exit code 1."""


class UsageError(CityVitalsError):
    """The call or a configuration file is wrong. Exit code 2."""


class Unavailable(CityVitalsError):
    """A disk, broker or store does not answer now: acknowledge nothing and retry later.

    `retry_after_s`: how long the other side asked to wait (HTTP Retry-After), 0 where it did not.
    """

    retry_after_s = 0.0


class Rejected(ValueError):
    """A message or a part of it cannot be used, for this reason; it is stored as a reject and listed."""


_LISTED = 30  # of the valid words


def nearest(word: str, valid: Iterable[str]) -> str:
    """Name the valid word most like `word`, as the end of a sentence; else list the valid ones (the first 30)."""
    words = sorted(valid)
    from difflib import get_close_matches  # noqa: PLC0415 - needed for mistakes only

    close = get_close_matches(word, words, n=1, cutoff=0.5)
    if close:
        return f"did you mean '{close[0]}'?"
    more = f" and {len(words) - _LISTED} more" if len(words) > _LISTED else ""
    return f"valid are: {', '.join(words[:_LISTED])}{more}."


_MISTYPED = re.compile(r"Expected `([^`]+)`, got `([^`]+)`(?: - at `\$\.?([^`]*)`)?")
_FORMS = {"float": "a number", "int": "a whole number", "str": "a text", "bool": "true or false", "array": "a list"}
_FORMS |= {"object": "a table", "null": "nothing"}


def form(error: Exception) -> str:
    """What msgspec says about a value of the wrong type, without Python's own names; other errors as they are."""

    def plain(found: re.Match[str]) -> str:
        wanted = [_FORMS.get(name, name) for name in found[1].split(" | ") if name != "null"]
        name = f"'{found[3]}'" if found[3] else "the value"
        return f"{name} must be {' or '.join(dict.fromkeys(wanted))}, not {_FORMS.get(found[2], found[2])}"

    return _MISTYPED.sub(plain, str(error))


def cause(error: Exception) -> str:
    """Why a file or server does not answer, in words for a sentence: without number, path and Python's own names."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, OSError) and found.strerror:
            return found.strerror
        reason = getattr(found, "reason", None)  # of urllib and urllib3
        found = reason if isinstance(reason, BaseException) else found.__cause__
    return "it is not UTF-8 text" if isinstance(error, UnicodeError) else str(error)
