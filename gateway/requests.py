"""When missing records are requested from a device.

A command requests up to AT_ONCE ranges of one boot, the newest first, then older ones: those that no node can
fill any more must not hide the others. Commands follow each other after FIRST_PAUSE until all ranges were requested
once; when none of them was answered, the pause doubles, up to an hour, and ends after ATTEMPTS rounds.

The next gaps of a device that answers are requested at once, and so are those of a device that sends after a silence
and of every device after the gateway's own connection was lost: earlier commands may not have reached it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from adapters.sqlite.ledger import Asked, LedgerTable
from telemetry.windows import HOUR, is_due

FIRST_PAUSE, ATTEMPTS, AT_ONCE = 2000, 20, 5
MOST_RECORDS = 5000  # in one command; nodes reject more
_SILENT = 5000  # a device is silent after this many ms beyond three of its usual pauses
_NO_PAUSE = 7 / 8  # of the usual pause remains after a record that came together with the one before
_HEARD = 100_000  # devices of which the pauses are known

Key = tuple[str, str, int]
Gaps = Callable[[Key], list[tuple[int, int]]]


class Request(NamedTuple):
    """A `resend` command for a device."""

    city: str
    device: str
    command: dict[str, Any]


@dataclass(slots=True)
class _State:
    """`due`: ms when the next command leaves; `turn`: commands of this round; `rounds`: without an answer."""

    due: int
    turn: int = 0
    rounds: int = 0
    total: int = 0

    def restart(self, due: int) -> None:
        """Start from the first round."""
        self.due, self.turn, self.rounds = due, 0, 0


@dataclass(slots=True)
class _Heard:
    """When a device was last heard, ms, and its usual pause."""

    at: int
    pause: float = 0.0

    def is_back(self, now: int, records: int) -> bool:
        """Note records that came together at `now` (ms); whether they end a silence."""
        passed = max(now - self.at, 0)
        silent = passed > 3 * self.pause + _SILENT
        if not silent:
            self.pause += (passed - self.pause) / 8
        if records > 1:
            self.pause *= _NO_PAUSE ** (records - 1)
        self.at = now
        return silent


class Requests:
    """The open requests of each boot with gaps. `table`: where they are recorded for operators."""

    def __init__(self, table: LedgerTable) -> None:
        self._table = table
        self._open: dict[tuple[str, str], dict[int, _State]] = {}
        self._heard: dict[tuple[str, str], _Heard] = {}
        self._number = 0
        for entry in table.with_gaps():
            self._open.setdefault((entry.city, entry.device), {})[entry.boot] = _State(0)

    def heard(self, key: Key, now: int, new_gap: bool, filled: bool, records: int = 1) -> None:
        """Records of this boot came at `now` (ms): they showed a gap, filled one, or neither."""
        device = key[:2]
        last = self._heard.get(device)
        if last is None:
            if len(self._heard) > _HEARD:
                self._heard.clear()
            last = self._heard[device] = _Heard(now)
        if last.is_back(now, records):
            for state in self._open.get(device, {}).values():
                state.restart(now + FIRST_PAUSE)
        if new_gap:
            self._open.setdefault(device, {})[key[2]] = _State(now + FIRST_PAUSE)
        elif filled:
            self._filled(device, key[2], now)

    def _filled(self, device: tuple[str, str], boot: int, now: int) -> None:
        state = self._open.setdefault(device, {}).setdefault(boot, _State(now + FIRST_PAUSE))
        if state.rounds or state.due > now + FIRST_PAUSE:
            state.restart(now + FIRST_PAUSE)

    def restart(self) -> None:
        """Request everything that is missing from the first round."""
        self._open.clear()
        for entry in self._table.with_gaps():
            self._open.setdefault((entry.city, entry.device), {})[entry.boot] = _State(0)

    def forget(self, key: Key) -> None:
        """Remove a boot whose records are not kept in detail any more."""
        self._open.get(key[:2], {}).pop(key[2], None)

    def due(self, now: int, limit: int, gaps: Gaps) -> list[Request]:
        """Commands that are due; of each device one boot at a time, so that no boot delays the others."""
        found: list[Request] = []
        asked: list[Asked] = []
        for device, boots in list(self._open.items()):
            if len(found) >= limit:
                break
            for boot in sorted((b for b, state in boots.items() if is_due(state.due, now, HOUR)), reverse=True):
                commands = self._next_commands((*device, boot), boots[boot], now, gaps)
                if commands:
                    found += commands
                    asked.append(Asked(*device, boot, boots[boot].total, boots[boot].due))
                    break
                del boots[boot]
            if not boots:
                del self._open[device]
        if asked:
            self._table.note_asked(asked)
        return found

    def _next_commands(self, key: Key, state: _State, now: int, gaps: Gaps) -> list[Request]:
        """The next commands of one boot; none where nothing is missing or all attempts are used."""
        pieces = _pieces(gaps(key))
        if not pieces or state.rounds >= ATTEMPTS:
            return []
        turns = -(-len(pieces) // AT_ONCE)
        end = len(pieces) - state.turn % turns * AT_ONCE
        state.turn += 1
        state.total += 1
        state.due = now + FIRST_PAUSE
        if state.turn >= turns:
            state.turn = 0
            state.rounds += 1
            state.due = now + min(FIRST_PAUSE << min(state.rounds, 16), HOUR)
        return [self._request(key, a, b) for a, b in pieces[max(end - AT_ONCE, 0) : end]]

    def _request(self, key: Key, first: int, last: int) -> Request:
        self._number += 1
        command = {"cmd": "resend", "id": self._number, "boot": key[2], "from": first, "to": last}
        return Request(key[0], key[1], command)


def _pieces(gaps: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The gaps, long ones cut into what a node sends for one command."""
    return [
        (start, min(start + MOST_RECORDS - 1, last))
        for first, last in gaps
        for start in range(first, last + 1, MOST_RECORDS)
    ]
