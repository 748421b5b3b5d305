"""The one spelling of JSON in signed files: sorted keys, no blanks, shortest numbers, one line end. Pure.

A file is accepted only if writing what was read gives the same bytes, so a key that is listed twice, of which readers
take different values, is found.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

T = TypeVar("T")


def encode(content: object) -> bytes:
    """The bytes of the content."""
    return msgspec.json.encode(content, order="deterministic") + b"\n"


def decode(raw: bytes, kind: type[T]) -> T:
    """The content of such bytes. Raises ValueError where they are not the one spelling of it."""
    try:
        content = msgspec.json.decode(raw, type=kind)
    except msgspec.DecodeError as error:
        raise ValueError(f"it cannot be read: {error}") from None
    if encode(content) != raw:
        raise ValueError("its JSON is not written as CityVitals writes it, or a key is listed twice")
    return content
