"""The loss ledger: what devices numbered, what came of it, and what to ask them for again.

A node numbers its records within a boot from 0. A hole in the numbers is a record that is missing; the node is asked
to send it again (`resend`) for as long as there is hope, at growing intervals. The first record of a boot names the
last of the boot before, so that what is missing at the end of a boot, or all of it, is known too.
sent = stored + refused + missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from adapters.sqlite.ledger import Entry, LedgerTable, Totals
from gateway.decoded import Line
from telemetry.ranges import Ranges
from telemetry.windows import HOUR, is_due

_SPANS = 500  # ranges kept of one boot; beyond that its oldest holes are given up
_LATE_START = 5000  # a device first met beyond this number was there before this gateway
_LEAP = 1_000_000  # numbers do not jump that far: what does is no count of records
_FIRST_PAUSE, _ATTEMPTS, _AT_ONCE = 2000, 20, 5
_MOST_RECORDS = 5000  # in one command; nodes refuse more
_CACHED = 100_000

Key = tuple[str, str, int]


class Request(NamedTuple):
    """A `resend` command for a device."""

    city: str
    device: str
    command: dict[str, Any]


@dataclass(slots=True)
class Account:
    """Records of one device and boot. `last`: the largest number the device says it gave, -1 where it has not said."""

    start: int = 0
    seen: Ranges = field(default_factory=Ranges)
    last: int = -1
    received: int = 0
    duplicate: int = 0
    refused: int = 0
    recovered: int = 0
    given_up: int = 0

    def take(self, seq: int, stored: bool) -> None:
        """Count one record."""
        late = seq < self.seen.end or seq <= self.last
        if not self.seen.add(seq):
            self.duplicate += 1
            return
        self.received += 1
        self.refused += not stored
        self.recovered += late
        while len(self.seen) > _SPANS:
            self.given_up += self.seen.close_first_hole(self.start)

    @property
    def missing(self) -> int:
        """Records that were sent and have not come."""
        return self.given_up + sum(b - a + 1 for a, b in self.holes())

    @property
    def end(self) -> int:
        """The largest number that is known to have been given, start - 1 where there is none."""
        return max(self.seen.end, self.last, self.start - 1)

    def holes(self) -> list[tuple[int, int]]:
        """First and last of each range that was sent and has not come."""
        first = max(self.seen.end + 1, self.start)
        return self.seen.holes(self.start) + ([(first, self.end)] if first <= self.end else [])

    def entry(self, key: Key, now: int) -> Entry:
        """As a row."""
        counts = (self.received, self.duplicate, self.refused, self.recovered, self.missing, self.given_up)
        return Entry(*key, self.start, str(self.seen), *counts, now, self.end + 1 - self.start)


@dataclass(slots=True)
class _Asking:
    due: int = 0
    attempts: int = 0


class Ledger:
    """The ledger of one gateway, over its table. `take` belongs into the transaction that stores the readings."""

    def __init__(self, table: LedgerTable) -> None:
        self._table = table
        self._accounts: dict[Key, Account] = {}
        self._asking = {(e.city, e.device, e.boot): _Asking() for e in table.with_holes()}
        self._troubled: set[tuple[str, str]] = set()
        self._number = 0
        self._touched: dict[Key, Account] = {}
        self._late: set[Key] = set()
        self._read_undated()

    def _read_undated(self) -> None:
        self._undated = {key: Ranges(text) for key, text in self._table.undated().items()}
        self._undated_devices = {key[:2] for key in self._undated}
        self._stale = False

    def take(self, lines: Iterable[Line], now: int) -> None:
        """Count records that came and write what was counted. `now`: ms UTC."""
        self.count(lines, now)
        self._table.put(account.entry(key, now) for key, account in self._touched.items())
        if self._late:
            self._table.put_undated((*key, str(self._undated[key])) for key in self._late)
        self._touched, self._late = {}, set()

    def count(self, lines: Iterable[Line], now: int) -> None:
        """Count records that came, in memory; `take` writes them."""
        if self._stale:
            self._read_undated()
        touched, late = self._touched, self._late
        for city, device, boot, seq, stored, undated in lines:
            key = (city, device, boot)
            if undated and stored and self._undated.setdefault(key, Ranges()).add(seq):
                late.add(key)
                self._undated_devices.add(key[:2])
            if stored is None and not self._met(city, device, touched):
                continue  # what a device sent before this gateway knew it went to another
            account = touched.get(key) or self._account(key, 0 if stored is None else seq)
            if not account.start <= seq <= account.end + 1 + _LEAP:
                continue  # from before this gateway's time, or no count of records
            touched[key] = account
            before = account.duplicate + account.refused + account.recovered
            fresh_hole = seq >= account.end + (1 if stored is None else 2)
            if stored is None:
                account.last = max(account.last, seq)
            else:
                account.take(seq, stored)
            if fresh_hole:
                self._asking[key] = _Asking(now + _FIRST_PAUSE)
            if fresh_hole or account.duplicate + account.refused + account.recovered != before:
                self._troubled.add((city, device))

    def mend(self, city: str, device: str, boot: int, seq: int) -> None:
        """A record that was counted as refused is stored now; `count` has just taken it for a duplicate."""
        account = self._touched.get((city, device, boot))
        if account and account.refused and seq >= account.start:
            account.refused -= 1
            account.duplicate -= 1

    def has_undated(self, city: str, device: str) -> bool:
        """Whether any record of the device was dated by its arrival."""
        if self._stale:
            self._read_undated()
        return (city, device) in self._undated_devices

    def undated(self, city: str, device: str, boot: int, seq: int) -> bool:
        """Whether this record was dated by its arrival."""
        return seq in self._undated.get((city, device, boot), ())

    def _met(self, city: str, device: str, touched: Mapping[Key, Account]) -> bool:
        """Whether a boot of the device is known that is not met in this batch for the first time."""
        return self._table.knows(city, device) or sum(k[:2] == (city, device) for k in touched) > 1

    def knows(self, city: str, device: str, boot: int, seq: int) -> bool:
        """Whether this record has been counted before."""
        key = (city, device, boot)
        account = self._touched.get(key) or self._accounts.get(key) or self._load(key)
        return account is not None and (seq < account.start or seq in account.seen)

    def _account(self, key: Key, seq: int) -> Account:
        account = self._accounts.get(key)
        if account is None:
            if len(self._accounts) > _CACHED:
                self._accounts.clear()
            account = self._accounts[key] = self._load(key) or self._open(key, seq)
        return account

    def _load(self, key: Key) -> Account | None:
        e = self._table.get(*key)
        if e is None:
            return None
        last = e.start + e.sent - 1
        return Account(e.start, Ranges(e.seen), last, e.received, e.duplicate, e.refused, e.recovered, e.given_up)

    def _open(self, key: Key, seq: int) -> Account:
        new_here = seq > _LATE_START and not self._table.knows(key[0], key[1])
        return Account(seq if new_here else 0, Ranges())

    def forget(self) -> None:
        """After a transaction that failed: what is on disk holds. It is read when needed; just now it may be away."""
        self._accounts.clear()
        self._touched, self._late, self._stale = {}, set(), True

    def forget_undated(self, before: int) -> None:
        """Let go which records of boots that ended before `before` (ms) were dated by their arrival.

        Their windows are gone: one that comes again, with a time of its own now, is refused for that.
        """
        self._table.drop_undated(before - HOUR)
        self._stale = True

    def requests(self, now: int, limit: int = 200) -> list[Request]:
        """Commands that are due; they become due again until the holes are filled or were asked for often enough."""
        found: list[Request] = []
        for key in [k for k, asking in self._asking.items() if is_due(asking.due, now, HOUR)][:limit]:
            asking = self._asking[key]
            account = self._accounts.get(key) or self._load(key)
            pieces = _pieces(account.holes()) if account else []
            turns = -(-len(pieces) // _AT_ONCE)
            if not pieces or asking.attempts >= max(_ATTEMPTS, 2 * turns):
                del self._asking[key]
                continue
            # The newest first, then on to older ones: those that no node can fill any more must not hide the others.
            end = len(pieces) - asking.attempts % turns * _AT_ONCE
            found += [self._request(key, a, b) for a, b in pieces[max(end - _AT_ONCE, 0) : end]]
            asking.attempts += 1
            asking.due = now + min(_FIRST_PAUSE << min(asking.attempts, 16), HOUR)
        return found

    def _request(self, key: Key, first: int, last: int) -> Request:
        self._number += 1
        command = {"cmd": "resend", "id": self._number, "boot": key[2], "from": first, "to": last}
        return Request(key[0], key[1], command)

    def report(self, changed_since: int | None) -> list[Totals]:
        """Totals of the devices in trouble since the last report, and of those that sent since `changed_since`."""
        troubled, self._troubled = self._troubled, set()
        if changed_since is not None:
            return self._table.totals(changed_since)
        return [total for name in sorted(troubled) for total in self._table.totals_of(*name)]


def _pieces(holes: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The holes, long ones cut into what a node sends at one command."""
    return [
        (start, min(start + _MOST_RECORDS - 1, last))
        for first, last in holes
        for start in range(first, last + 1, _MOST_RECORDS)
    ]
