"""Windows on the wire: what is sent is what is read, bit for bit; everything else is refused with a reason."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from telemetry.errors import Rejected
from telemetry.partials import Partials
from telemetry.readings import Readings
from telemetry.series import SeriesTable
from telemetry.wire import decode, encode, number
from tests.telemetry.samples import T0, bits, folded, readings, table

GOOD = json.loads(encode("aba", 60_000, folded(Readings.of([0, 1], [T0, T0], [1.5, 2.0])), table()))

# Each changes the good message into one that must be refused: name -> (field, value).
WRONG: dict[str, tuple[str, Any]] = {
    "a version of the future": ("v", 2),
    "a version that is not a number": ("v", "1"),
    "a city that is not an id": ("city", "a/b"),
    "an empty city": ("city", ""),
    "a width of nothing": ("width", 0),
    "a negative width": ("width", -60_000),
    "a width that does not divide the hour": ("width", 7_000),
    "an unknown quantity": ("series", [["station", "noo2"], ["meter", "energy_total"]]),
    "a device that is not an id": ("series", [["sta+tion", "no2"], ["meter", "energy_total"]]),
    "a row of a series it does not list": ("at", [0, 2]),
    "a row of a negative series": ("at", [-1, 0]),
    "columns of unequal length": ("sum", [1.5]),
    "a window off its grid": ("start", [T0 + 1, T0]),
    "a window before 1970": ("start", [-60_000, T0]),
    "a window after 2100": ("start", [T0, 4_102_444_800_000]),
    "a negative count": ("n", [-1, 1]),
    "a number beyond 64 bits": ("n", [10**30, 1]),
    "a number beyond what floats hold exactly": ("lag", [2**60, 1]),
    "a number just beyond what floats hold exactly": ("lag", [2**53, 1]),
    "a number as far below zero": ("lag", [-(2**53), 1]),
    "the number of 64 bits that has no positive one": ("lag", [-(2**63), 1]),
    "a row without its sum": ("sum", [None, 2.0]),
    "a row without its sum of squares": ("sumsq", [2.25, None]),
    "a text for a number": ("min", ["1.5", 2.0]),
    "a key nobody knows": ("extra", []),
}


@given(readings())
def test_what_is_sent_is_read_bit_for_bit(found: Readings) -> None:
    plain, own = folded(found), SeriesTable()
    city, width, arrived = decode(encode("aba", 60_000, plain, table()), own)
    assert (city, width) == ("aba", 60_000)
    names = [table()[i] for i in plain.series.tolist()]
    assert [own[i] for i in arrived.series.tolist()] == names
    renumbered = Partials(plain.series, *(getattr(arrived, n) for n in Partials.__slots__ if n != "series"))
    assert bits(renumbered) == bits(plain)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=2))
def test_every_finite_float_survives_the_journey(values: list[float]) -> None:
    plain = folded(Readings.of([0, 1], [T0, T0], [1.0, 2.0]))
    plain.sum[:] = values
    assert bits(decode(encode("aba", 60_000, plain, table()), table())[2]) == bits(plain)


def test_a_message_without_rows_is_a_message() -> None:
    assert len(decode(encode("aba", 60_000, Partials.empty(), table()), SeriesTable())[2]) == 0


@pytest.mark.parametrize("field", sorted(GOOD))
def test_a_message_without_one_of_its_fields_is_refused(field: str) -> None:
    with pytest.raises(Rejected, match=field):
        decode(json.dumps({k: v for k, v in GOOD.items() if k != field}).encode(), SeriesTable())


@pytest.mark.parametrize("case", sorted(WRONG))
def test_refused_is(case: str) -> None:
    field, value = WRONG[case]
    with pytest.raises(Rejected):
        decode(json.dumps(GOOD | {field: value}).encode(), SeriesTable())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("start", [0, T0]),
        ("start", [4_102_444_740_000, T0]),
        ("n", [0, 1]),
        ("lag", [2**53 - 1, 1 - 2**53]),
        ("width", 1),
        ("width", 3_600_000 // 60),
        ("at", [0, 0]),
    ],
)
def test_what_is_just_within_bounds_is_taken(field: str, value: Any) -> None:
    _, width, found = decode(json.dumps(GOOD | {field: value}).encode(), SeriesTable())
    if field == "width":
        assert width == value
    else:
        assert getattr(found, "series" if field == "at" else field).tolist() == value


def test_a_refused_message_numbers_no_series() -> None:
    own = SeriesTable()
    with pytest.raises(Rejected):
        decode(json.dumps(GOOD | {"at": [0, 9]}).encode(), own)
    assert len(own) == 0


@settings(max_examples=10 * settings().max_examples)
@given(st.binary(max_size=60))
@example(b"")
@example(b"{")
@example(b"\xff\xfe{")
@example(b"[" * 100_000)
@example(b'{"v":' + b"[" * 100_000)
@example(b'{"v":1e999}')
@example(b'{"city":"\\ud800"}')
def test_any_bytes_are_refused_and_nothing_else_happens(payload: bytes) -> None:
    with pytest.raises(Rejected):
        decode(payload, SeriesTable())
    assert number(payload) == 0


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        (encode("aba", 60_000, Partials.empty(), table(), message=7), 7),
        (b'{"message": 7, "v": 99}', 7),
        (b'{"message": -1}', 0),
        (b'{"message": 1}', 1),
        (b'{"message": 9007199254740991}', 9007199254740991),
        (b'{"message": 9007199254740992}', 0),
        (b'{"message": 1e30}', 0),
        (b"{}", 0),
        (b'{"x": ' + b"[" * 100_000, 0),
    ],
)
def test_the_number_of_a_message_is_read_whatever_else_is_wrong(payload: bytes, found: int) -> None:
    assert number(payload) == found


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.integers(10**18, 10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=7 * settings().max_examples)
@given(st.sampled_from(sorted(GOOD)), _JSON)
def test_any_json_in_any_field_is_taken_or_refused(field: str, value: Any) -> None:
    try:
        payload = json.dumps(GOOD | {field: value}).encode()
        city, width, arrived = decode(payload, SeriesTable())
    except Rejected:
        return
    assert 3_600_000 % width == 0
    assert city
    assert not (arrived.start % width).any()


@settings(max_examples=10 * settings().max_examples)
@given(st.integers(0, len(msgspec.json.encode(GOOD)) - 1), st.binary(min_size=0, max_size=3), st.integers(0, 8))
def test_a_damaged_message_is_taken_or_refused(place: int, bytes_in: bytes, bytes_out: int) -> None:
    whole = msgspec.json.encode(GOOD)
    with contextlib.suppress(Rejected):
        decode(whole[:place] + bytes_in + whole[place + bytes_out :], SeriesTable())
