"""A serial line whose driver reports bytes that are not there yet, and one that was unplugged."""

from __future__ import annotations

from typing import Any

import pytest
import serial

from adapters.serial import retries
from adapters.serial.line import SerialLine
from adapters.serial.settings import LineSettings

NOTHING = "device reports readiness to read but returned no data (device disconnected or multiple access on port?)"


class Port:
    """Gives what is in `answers`, in this order: bytes, or the words of an error."""

    def __init__(self, *answers: bytes | str) -> None:
        self.answers, self.in_waiting = list(answers), 3

    def read(self, size: int) -> bytes:
        found = self.answers.pop(0)
        if isinstance(found, str):
            raise serial.SerialException(found)
        return found[:size]


def opened(monkeypatch: pytest.MonkeyPatch, *answers: bytes | str) -> SerialLine:
    def made(*_: Any, **__: Any) -> Port:
        return Port(*answers)

    monkeypatch.setattr(serial, "serial_for_url", made)
    monkeypatch.setattr(retries, "_PAUSE_S", 0.0)
    return SerialLine(LineSettings("/dev/ttyUSB0"))


def test_bytes_that_come_a_moment_later_do_not_close_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    made = opened(monkeypatch, NOTHING, b"a", b"", NOTHING, NOTHING, b"", *[NOTHING] * 4, b"b", b"cde")
    assert [made.read() for _ in range(3)] == [b"a", b"", b"bcde"]


def test_a_line_that_never_has_what_it_reports_is_unplugged(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OSError, match="no data"):
        opened(monkeypatch, *[NOTHING] * 5).read()


def test_any_other_error_is_one_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OSError, match="read failed"):
        opened(monkeypatch, "read failed: [Errno 5]").read()
