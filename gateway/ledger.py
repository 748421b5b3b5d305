"""The loss ledger: which numbered records of devices arrived, and which ones to request a second time.

A node numbers its records within a boot from 0. A gap in the numbers is a missing record, which the gateway requests
(`resend`, see gateway/requests.py). The first record of a boot names the last of the boot before, so that records
missing at the end of a boot, or a whole boot, are found too. sent = stored + rejected + missing.

The rows that one device can add are bounded: BOOTS boots in detail (older ones are added up in one row), and of
each boot SPANS ranges; new boots beyond a budget are not counted at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from adapters.sqlite.ledger import Entry, LedgerTable, Totals
from gateway.decoding.decoded import Line
from gateway.requests import Request, Requests
from telemetry.ranges import Ranges
from telemetry.windows import HOUR, MINUTE

SPANS = 500  # ranges kept of one boot; beyond that its oldest gaps are given up
BOOTS = 64  # kept of one device; older ones are added up
BOOTS_PER_MINUTE = 1  # new ones of one device, after the first BOOTS
_LATE_START = 5000  # a device whose first number is larger sent records before this gateway was there
_LEAP = 1_000_000  # a larger jump is not a count of records
_CACHED = 100_000

Key = tuple[str, str, int]


@dataclass(slots=True)
class Account:
    """Records of one device and boot. `last`: the largest number as the device reports it, else -1."""

    start: int = 0
    seen: Ranges = field(default_factory=Ranges)
    last: int = -1
    received: int = 0
    duplicate: int = 0
    refused: int = 0
    recovered: int = 0
    given_up: int = 0

    def add(self, seq: int, stored: bool) -> None:
        """Count one record."""
        late = seq < self.seen.end or seq <= self.last
        if not self.seen.add(seq):
            self.duplicate += 1
            return
        self.received += 1
        self.refused += not stored
        self.recovered += late
        self._bound()

    def add_next(self, first: int, count: int) -> None:
        """Count records that were stored, whose numbers begin with `first`, the next one, and leave none out."""
        self.seen.extend(first, count)
        self.received += count
        self._bound()

    def _bound(self) -> None:
        """Give up the oldest gaps where there are more ranges than are kept."""
        while len(self.seen) > SPANS:
            self.given_up += self.seen.fill_first_gap(self.start)

    @property
    def end(self) -> int:
        """The largest number known to be used, start - 1 where there is none."""
        end = self.seen.end
        return end if end >= self.last and end >= self.start else max(end, self.last, self.start - 1)

    def gaps(self) -> list[tuple[int, int]]:
        """First and last of each range that was sent and has not arrived."""
        first = max(self.seen.end + 1, self.start)
        return self.seen.gaps(self.start) + ([(first, self.end)] if first <= self.end else [])

    def entry(self, key: Key, now: int) -> Entry:
        """As a row."""
        sent, seen = self.end + 1 - self.start, self.seen
        missing = self.given_up + sent - seen.count
        return Entry(
            *key, self.start, str(seen),
            self.received, self.duplicate, self.refused, self.recovered, missing, self.given_up, now, sent,
        )  # fmt: skip


@dataclass(slots=True)
class _Boots:
    """The boots known of one device; `written`: how many of them are on disk; `budget`: new ones still allowed."""

    known: set[int]
    written: int
    budget: float = BOOTS
    refilled: int = 0

    def allows_new_boot(self, now: int) -> bool:
        """Whether a new boot is counted, at `now` (ms)."""
        passed = min(max(now - self.refilled, 0), BOOTS * MINUTE) if self.refilled else 0
        self.budget, self.refilled = min(self.budget + passed / MINUTE * BOOTS_PER_MINUTE, BOOTS), now
        if self.budget < 1:
            return False
        self.budget -= 1
        return True


class Ledger:
    """The ledger of one gateway, over its table. `store` belongs into the transaction that stores the readings."""

    def __init__(self, table: LedgerTable) -> None:
        self._table = table
        self._accounts: dict[Key, Account] = {}
        self._boots: dict[tuple[str, str], _Boots] = {}
        self._requests = Requests(table)
        self._troubled: set[tuple[str, str]] = set()
        self._touched: dict[Key, Account] = {}
        self._late: set[Key] = set()
        self.passed_over = 0  # records of boots beyond what is counted of one device
        self._read_undated()

    def _read_undated(self) -> None:
        self._undated = {key: Ranges(text) for key, text in self._table.undated().items()}
        self._undated_devices = {key[:2] for key in self._undated}
        self._stale = False

    def store(self, lines: Iterable[Line], now: int) -> None:
        """Count records and write the counts. `now`: ms UTC."""
        self.count(lines, now)
        self._table.put(account.entry(key, now) for key, account in self._touched.items())
        if self._late:
            self._table.put_undated((*key, str(self._undated[key])) for key in self._late)
        for device in {key[:2] for key in self._touched}:
            boots = self._boots.get(device)
            if boots is not None and len(boots.known) != boots.written:
                self._fold(device, boots)
        self._touched, self._late = {}, set()

    def _fold(self, device: tuple[str, str], boots: _Boots) -> None:
        """Add up the boots that changed longest ago where there are more than are kept."""
        if len(boots.known) > BOOTS:
            for boot in self._table.fold(*device, BOOTS):
                boots.known.discard(boot)
                key = (*device, boot)
                self._accounts.pop(key, None)
                self._undated.pop(key, None)
                self._requests.forget(key)
        boots.written = len(boots.known)

    def count(self, lines: Iterable[Line], now: int) -> None:
        """Count records in memory; `store` writes them."""
        if self._stale:
            self._read_undated()
        boots: dict[Key, list[Line]] = {}
        for line in lines:
            key = line[:3]
            if key in boots:
                boots[key].append(line)
            else:
                boots[key] = [line]
        for key, of_boot in boots.items():
            self._count_boot(key, of_boot, now)

    def _count_boot(self, key: Key, lines: list[Line], now: int) -> None:
        """Count records of one boot; the usual case, records that follow each other, at once."""
        account = self._touched.get(key) or self._accounts.get(key)
        if account is not None:
            first = account.end + 1
            if _follow(first, lines):
                account.add_next(first, len(lines))
                self._touched[key] = account
                self._requests.heard(key, now, False, False, len(lines))
                return
        for line in lines:
            self._count_one(line, now)

    def _count_one(self, line: Line, now: int) -> None:
        city, device, boot, seq, stored, undated = line
        key = (city, device, boot)
        if stored is None and not self._has_earlier_boot(city, device):
            return  # records from before this gateway were sent to another one
        account = self._touched.get(key) or self._account(key, 0 if stored is None else seq, now)
        if account is None:
            self.passed_over += 1
            return
        if undated and stored:
            self._note_undated(key, seq)
        if not account.start <= seq <= account.end + 1 + _LEAP:
            return  # sent before this gateway was there, or not a count of records
        self._touched[key] = account
        before = account.duplicate + account.refused + account.recovered
        recovered = account.recovered
        new_gap = seq >= account.end + (1 if stored is None else 2)
        if stored is None:
            account.last = max(account.last, seq)
        else:
            account.add(seq, stored)
        self._requests.heard(key, now, new_gap, account.recovered > recovered)
        if new_gap or account.duplicate + account.refused + account.recovered != before:
            self._troubled.add((city, device))

    def _note_undated(self, key: Key, seq: int) -> None:
        ranges = self._undated.setdefault(key, Ranges())
        if ranges.add(seq):
            if len(ranges) > SPANS:
                ranges.drop_first()
            self._late.add(key)
            self._undated_devices.add(key[:2])

    def mark_stored(self, city: str, device: str, boot: int, seq: int) -> None:
        """Correct the counts of a record that was counted as rejected, and now as a duplicate, and is stored now."""
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

    def _has_earlier_boot(self, city: str, device: str) -> bool:
        """Whether a boot of the device was known before this batch."""
        boots = self._boots_of(city, device)
        return boots.written > 0 or len(boots.known) > 1

    def is_counted(self, city: str, device: str, boot: int, seq: int) -> bool:
        """Whether this record was counted before."""
        key = (city, device, boot)
        account = self._touched.get(key) or self._accounts.get(key)
        if account is None and boot in self._boots_of(city, device).known:
            account = self._load(key)
        return account is not None and (seq < account.start or seq in account.seen)

    def _boots_of(self, city: str, device: str) -> _Boots:
        found = self._boots.get((city, device))
        if found is None:
            if len(self._boots) > _CACHED and not self._touched:
                self._boots.clear()
            known = set(self._table.boots(city, device))
            found = self._boots[city, device] = _Boots(known, len(known), max(BOOTS - len(known), 1))
        return found

    def _account(self, key: Key, seq: int, now: int) -> Account | None:
        """The account of a boot; None where it is one more than is counted of this device."""
        account = self._accounts.get(key)
        if account is None:
            if len(self._accounts) > _CACHED:
                self._accounts.clear()
            boots = self._boots_of(key[0], key[1])
            if key[2] in boots.known:
                account = self._load(key)
            if account is None:
                if not boots.allows_new_boot(now):
                    return None
                account = self._open(seq, boots)
                boots.known.add(key[2])
            self._accounts[key] = account
        return account

    def _load(self, key: Key) -> Account | None:
        e = self._table.get(*key)
        if e is None:
            return None
        last = e.start + e.sent - 1
        return Account(e.start, Ranges(e.seen), last, e.received, e.duplicate, e.refused, e.recovered, e.given_up)

    def _open(self, seq: int, boots: _Boots) -> Account:
        new_here = seq > _LATE_START and not boots.written
        return Account(seq if new_here else 0, Ranges())

    def forget(self) -> None:
        """Drop the cache after a failed transaction: the state on disk is read when it is needed next."""
        self._accounts.clear()
        self._boots.clear()
        self._touched, self._late, self._stale = {}, set(), True

    def forget_undated(self, before: int) -> None:
        """Remove the undated records of boots that ended before `before` (ms).

        Their windows are gone: a record that is resent, with a time of its own now, is rejected for that reason.
        """
        self._table.drop_undated(before - HOUR)
        self._stale = True

    def requests(self, now: int, limit: int = 200) -> list[Request]:
        """Commands that are due, at `now` (ms)."""
        return self._requests.due(now, limit, self._gaps)

    def reconnected(self) -> None:
        """Commands may have been lost with the broker: request everything that is missing from the start."""
        self._requests.restart()

    def _gaps(self, key: Key) -> list[tuple[int, int]]:
        account = self._accounts.get(key) or self._load(key)
        return account.gaps() if account else []

    def report(self, changed_since: int | None) -> list[Totals]:
        """Totals of the devices in trouble since the last report, and of those that sent since `changed_since`."""
        troubled, self._troubled = self._troubled, set()
        if changed_since is not None:
            return self._table.totals(changed_since)
        return [total for name in sorted(troubled) for total in self._table.totals_of(*name)]


def _follow(first: int, lines: list[Line]) -> bool:
    """Whether these are stored records with times of their own, numbered from `first` on without a gap."""
    for number, (_, _, _, seq, stored, undated) in enumerate(lines, first):
        if seq != number or not stored or undated:
            return False
    return True
