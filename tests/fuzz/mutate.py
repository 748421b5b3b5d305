"""Payloads that are nearly right: valid ones, cut, doubled, spliced and with their numbers and words exchanged."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from random import Random

_NUMBERS = [b"0", b"-1", b"1e308", b"1e-320", b"1" * 400, b"NaN", b"Infinity", b"-0.0", b"9007199254740993", b"null",
            b"true", b'"7"', b"1e999", b"4102444800", b"-62135596801", b"[]", b"{}"]  # fmt: skip
_WORDS = [b'""', b'"\\ud800"', b'"\\u0000"', b'"' + b"x" * 300 + b'"', b'"no2"', b'"bn"', b'"v"', b'"../.."', b'"#"']
_BYTES = [b"\x00", b"\xff\xfe", b"\xf0\x9f\x92\xa9", b"[" * 2000, b"{", b"}", b"]", b",", b'"', b"\\", b"\xed\xa0\x80"]
_NUMBER = re.compile(rb"-?\d+\.?\d*(?:[eE][+-]?\d+)?")
_WORD = re.compile(rb'"[^"]*"')


def payloads(seeds: Sequence[bytes], rng: Random, count: int) -> Iterator[bytes]:
    """`count` payloads, each one to four steps away from one of the seeds."""
    for _ in range(count):
        made = rng.choice(seeds)
        for _ in range(rng.randint(1, 4)):
            made = rng.choice(_STEPS)(made, rng, seeds)[:20_000]
        yield made


def _exchange(pattern: re.Pattern[bytes], others: Sequence[bytes], text: bytes, rng: Random) -> bytes:
    found = list(pattern.finditer(text))
    if not found:
        return text
    place = rng.choice(found)
    return text[: place.start()] + rng.choice(others) + text[place.end() :]


def _number(text: bytes, rng: Random, _seeds: Sequence[bytes]) -> bytes:
    return _exchange(_NUMBER, _NUMBERS, text, rng)


def _word(text: bytes, rng: Random, _seeds: Sequence[bytes]) -> bytes:
    return _exchange(_WORD, _WORDS, text, rng)


def _cut(text: bytes, rng: Random, _seeds: Sequence[bytes]) -> bytes:
    a, b = sorted((rng.randint(0, len(text)), rng.randint(0, len(text))))
    return text[:a] + text[b:]


def _double(text: bytes, rng: Random, _seeds: Sequence[bytes]) -> bytes:
    a, b = sorted((rng.randint(0, len(text)), rng.randint(0, len(text))))
    return text[:b] + text[a:b] + text[b:]


def _insert(text: bytes, rng: Random, _seeds: Sequence[bytes]) -> bytes:
    at = rng.randint(0, len(text))
    return text[:at] + rng.choice(_BYTES) + text[at:]


def _flip(text: bytes, rng: Random, _seeds: Sequence[bytes]) -> bytes:
    if not text:
        return text
    at = rng.randrange(len(text))
    return text[:at] + bytes([text[at] ^ (1 << rng.randrange(8))]) + text[at + 1 :]


def _splice(text: bytes, rng: Random, seeds: Sequence[bytes]) -> bytes:
    other = rng.choice(seeds)
    return text[: rng.randint(0, len(text))] + other[rng.randint(0, len(other)) :]


_STEPS = (_number, _number, _word, _cut, _double, _insert, _flip, _splice)
