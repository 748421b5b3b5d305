"""The running ingest: windows from the central broker into the store, KPI values out, then receipt and PUBACK."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from adapters.mqtt.link import Link, wait
from adapters.sqlite.connection import Damaged, transaction
from adapters.sqlite.order import Order
from adapters.sqlite.owners import Owners
from adapters.sqlite.rejects import RejectedMessage, Rejects
from adapters.store import Heartbeat
from ingest.core import Ingest
from ingest.events import RejectCounts
from ingest.retention import Retention
from ingest.rounds import Rounds, Waiting
from ingest.senders import Senders, gateway_of
from telemetry.errors import CityVitalsError, Rejected, Unavailable, UsageError
from telemetry.kpi_value import KpiValue, StoredKpi, as_json
from telemetry.partials import Partials
from telemetry.periods import PeriodKind, iso
from telemetry.series import SeriesTable
from telemetry.topics import kpi_topic, valid_id
from telemetry.windows import DAY, EARLIEST, is_due
from telemetry.wire import check_ranges, decode, moved

log = logging.getLogger(__name__)

_LONGEST_ASKED = 300_000  # ms of a pause that the store requests
_LONGEST_PAUSE = 10_000  # ms between attempts while the store is unavailable
_AT_ONCE = 200  # messages that are received and not acknowledged
_LONGEST_WAIT = 5.0  # s for messages, until what only time changes is looked at
_AFTER_ERROR = 10 * 60_000  # ms until a checkpoint is tried a second time
_LINK_WAIT = 0.5  # s, while not connected
_PART_WAIT = 0.05  # s until the next part of what takes several rounds, while nothing arrives
_Current = dict[tuple[str, str, str], dict[PeriodKind, KpiValue]]


@dataclass(slots=True)
class Service:
    """`clock`: ms UTC. `publish`: also publish current KPI values, retained. `beat_ms`: between heartbeats.

    `keep_ms`: how long windows are kept, None: forever.
    """

    ingest: Ingest
    link: Link
    rejects: Rejects
    clock: Callable[[], int]
    publish: bool = True
    beat_ms: int = 10_000
    keep_ms: int | None = None
    _current: _Current = field(default_factory=dict)
    _pause_until: int = 0
    _pause: int = _LONGEST_PAUSE
    _failures: int = 0
    _messages_wait: bool = False
    _underived: bool = True  # whether the file of rejects may name cities whose values are not derived
    _last_status: str = ""
    _rounds: Rounds = field(default_factory=Rounds)
    _order: Order = field(init=False)
    _senders: Senders = field(init=False)
    _retention: Retention = field(init=False)
    _reject_counts: RejectCounts = field(default_factory=RejectCounts)
    _unpublished: set[tuple[str, str, str]] = field(default_factory=set)
    _beats: dict[tuple[str, str], int] = field(default_factory=dict)  # role and name -> ms UTC, since the last write
    _next_beat: int = 0
    _checkpoint_day: int = -1  # of the last checkpoint, UTC
    _next_checkpoint: int = 0  # ms UTC, after one that was not accepted
    _unnoted_starts: set[str] = field(default_factory=set)  # cities whose start is not in the store yet

    def __post_init__(self) -> None:
        """The numbers of stored messages are in the file of the rejects."""
        self._order = Order(self.rejects.db)
        self._retention = Retention(self.ingest, self.keep_ms, self.clock)
        self._unnoted_starts |= self.ingest.cities.keys()
        self._senders = Senders(Owners(self.rejects.db), {c: served.city for c, served in self.ingest.cities.items()})

    def run(self, stop: Callable[[], bool]) -> None:
        """Work until `stop` returns True."""
        for city in self.rejects.underived():
            if city in self.ingest.cities:
                self.ingest.cities[city].touch_everything()
        for served in self.ingest.cities.values():
            self._note(served.newest())
        while not stop():
            self.step()
        self.link.close()
        try:
            self.ingest.checkpoint()
        except CityVitalsError as error:
            log.warning("no checkpoint was stored, so the next start reads the history: %s", error)

    def step(self, timeout: float = _LONGEST_WAIT) -> None:
        """One round: store a part of what has arrived (ingest/rounds.py), derive, acknowledge.

        Without messages: evaluate the KPIs at the present time.
        """
        if not is_due(self._pause_until, self.clock(), self._pause):
            wait([], min(timeout, _LINK_WAIT))
            return
        self._receive(timeout)
        part = self._rounds.next()
        try:
            self._store_starts()
            self._store(part)
            self._derive()
            self._keep_set_aside()
            self._store_heartbeats()
            self._store_checkpoints()
            self._retention.step()
            done = self._rounds.stored(part)
            fresh = [(one.message.topic, one.number) for one in done if not one.overtaken]
            self._note_done(fresh)
        except Damaged:  # waiting does not repair it; the next start sets the file of rejects aside
            raise
        except UsageError:
            raise
        except CityVitalsError as error:  # also a store that accepted the same before rejects it: a token, a database
            self._back_off(error, bool(self._rounds))
            return
        self._note_recovery(bool(part or done))
        self._publish_changes()
        self._receipts(fresh)
        self._request_missing({one.message.topic for one in done if one.overtaken})
        self.link.ack([one.message for one in done])

    def _note_done(self, fresh: Sequence[tuple[str, int]]) -> None:
        """Save, in one commit, which messages are stored and that nothing waits to be derived."""
        derived = self._underived and not self.ingest.waiting
        if not (derived or fresh):
            return
        with transaction(self.rejects.db):
            if derived:
                self.rejects.clear_underived()
            self._order.mark_stored(fresh)
        self._underived = self._underived and not derived

    def _receive(self, timeout: float) -> None:
        """Read what has arrived; wait for it only where nothing is left to be stored.

        Messages that a newer one of their gateway has overtaken are marked (adapters/sqlite/order.py).
        """
        longest = timeout if self.link.connected else min(timeout, _LINK_WAIT)
        longest = min(longest, self._next_part())
        before = self._rounds.numbered()
        batch = self.link.receive(0.0 if before else longest, limit=max(_AT_ONCE - len(before), 1))
        fresh = self._rounds.add(batch)
        late = self._order.superseded([*before, *((one.message.topic, one.number) for one in fresh)])
        for one, overtaken in zip(fresh, list(late)[len(before) :], strict=True):
            one.overtaken = overtaken

    def _next_part(self) -> float:
        """Seconds until a round continues what the last one did not complete; infinite where that is nothing."""
        return _PART_WAIT if self.ingest.has_parts else max(self._retention.wait(), _PART_WAIT)

    def _receipts(self, numbered: Iterable[tuple[str, int]]) -> None:
        """Send gateways the numbers of messages that are stored, or kept as rejects: they do not resend these."""
        numbers: dict[str, list[int]] = {}
        for topic, known in numbered:
            sender, _, kind = topic.rpartition("/")
            if kind == "windows" and known:
                numbers.setdefault(f"{sender}/stored", []).append(known)
        for topic, of_gateway in numbers.items():
            self.link.publish(topic, msgspec.json.encode(of_gateway))

    def _request_missing(self, topics: set[str]) -> None:
        """Send the newest stored number to gateways whose messages were overtaken.

        The gateway requeues windows without a receipt up to that number. A gateway with a new buffer, whose clock was
        ahead before, continues its numbers from there.
        """
        for topic in topics:
            sender, _, kind = topic.rpartition("/")
            if kind == "windows":
                self.link.publish(f"{sender}/stored", msgspec.json.encode([self._order.newest(topic)]))

    def _store(self, part: list[Waiting]) -> None:
        """Store the windows of some messages, one write per city; what cannot be used is kept with its reason."""
        windows: dict[tuple[str, int], list[Partials]] = {}
        rejected: list[RejectedMessage] = []
        for one in part:
            message = one.message
            try:
                table = SeriesTable()
                city, width, partials = decode(message.payload, self.ingest.table, table)
                table = table if len(table) else self.ingest.table
                check_ranges(partials, table, self._senders.ranges)
                gateway = gateway_of(message.topic, city)
                self._beats["gateway", gateway] = self.clock()
                self.ingest.check_width(city, width)
                own, foreign = self._senders.checked(city, gateway, partials, table)
                plausible = self._drop_implausible_times(city, own)
                kept = plausible.take(plausible.start >= self.ingest.kept_from(city))
                kept = moved(kept, table, self.ingest.table)
                windows.setdefault((city, width), []).append(self._rounds.newest(one, kept))
                if len(plausible) < len(own):
                    raise Rejected("windows before 2004 or in the future: the gateway's clock is wrong")
                if len(kept) < len(plausible):
                    raise Rejected("windows of a time whose windows are deleted already (store.keep_windows_days)")
                if foreign:
                    raise Rejected(foreign)
            except Rejected as reason:
                sender = message.topic.split("/")[-2] if "/" in message.topic else ""
                rejected.append(
                    RejectedMessage(self.clock(), message.topic, message.payload, str(reason), sender=sender)
                )
        if windows:
            self.rejects.mark_underived({city for city, _ in windows})
            self._underived = True
        for (city, _), parts in windows.items():
            self.ingest.take(city, Partials.concat(parts).latest())
        self.rejects.add(rejected)
        if rejected and (points := self.ingest.store.points):
            points.put(self._reject_counts.points(((_city(r.topic), r.reason) for r in rejected), self.clock()))

    def _derive(self) -> None:
        """Derive city by city: what one city has stored is published although the store fails at the next."""
        for city in self.ingest.cities.values():
            changed = city.derive(self.clock(), bounded=True)
            self._note(changed)
            self._beats |= dict.fromkeys((("kpi", v.kpi.city) for v in changed), self.clock())

    def _store_starts(self) -> None:
        """Store for the dashboards that the process has started."""
        for name in sorted(self._unnoted_starts):
            if status := self.ingest.cities[name].status:
                status.started(self.clock())
            self._unnoted_starts.discard(name)

    def _store_heartbeats(self) -> None:
        """Write heartbeats to the store: of this process, the gateways it hears, the cities whose values it writes."""
        now = self.clock()
        if not is_due(self._next_beat, now, self.beat_ms):
            return
        self._beats["ingest", self.link.client_id] = now
        self.ingest.store.put_heartbeats(Heartbeat(*key, time) for key, time in self._beats.items())
        self._beats.clear()
        self._next_beat = now + self.beat_ms

    def _store_checkpoints(self) -> None:
        """Once a day, and soon after a start: a start after a crash folds the days since then.

        A store that does not accept it is tried later: it saves time, and must not hold up what arrives.
        """
        now = self.clock()
        if self._checkpoint_day == (today := now // DAY) or not is_due(self._next_checkpoint, now, _AFTER_ERROR):
            return
        try:
            self.ingest.checkpoint(ends=False)
            self._checkpoint_day = today
        except (Damaged, UsageError):
            raise
        except CityVitalsError as error:
            log.warning("no checkpoint was stored, so a start reads more of the history: %s", error)
            self._next_checkpoint = now + _AFTER_ERROR

    def _keep_set_aside(self) -> None:
        """Keep rows that the store cannot hold among the rejects, with the reason."""
        rows = self.ingest.store.set_aside()
        self.rejects.add(RejectedMessage(self.clock(), "store", row.encode(), why, sender="store") for row, why in rows)

    def _drop_implausible_times(self, city: str, partials: Partials) -> Partials:
        """Without windows of 1970 or 2099: one of them would widen the grid of days to that time permanently.

        Only those are left out, not the message: a gateway whose clock was wrong for a moment sends them beside those
        of its devices. A day of difference is allowed, because the clock of this machine may be behind. Raises
        Unavailable where that is certain, because the store holds windows that would be dropped too.
        """
        latest = self.clock() + DAY
        good = (partials.start >= EARLIEST) & (partials.start <= latest)
        if not good.all() and (stored := self.ingest.store.span(city, "window")) and stored[1] > latest:
            raise Unavailable(f"this machine's clock is behind {iso(stored[1])}, which the store shows; set it")
        return partials.take(good)

    def _back_off(self, error: CityVitalsError, had_messages: bool) -> None:
        """Retry later: after a jittered pause, or after the time that the store requests."""
        self._log_once(f"nothing is acknowledged: {error}")
        self._failures += 1
        self._messages_wait |= had_messages
        self.link.abort()
        self._rounds.clear()
        longest = min(500 << min(self._failures, 6), _LONGEST_PAUSE)
        asked = error.retry_after_s if isinstance(error, Unavailable) else 0.0
        self._pause = max(round(random.uniform(200, longest)), min(round(1000 * asked), _LONGEST_ASKED))
        self._pause_until = self.clock() + self._pause

    def _note_recovery(self, had_messages: bool) -> None:
        """A round without messages proves nothing where messages could not be stored: they wait at the broker."""
        if self._messages_wait and not had_messages:
            return
        self._log_once("")
        self._failures, self._messages_wait = 0, False

    def _log_once(self, sentence: str) -> None:
        """One log line per change of state."""
        if sentence != self._last_status:
            log.warning(sentence or "storing again")
            self._last_status = sentence

    def _note(self, changed: Iterable[StoredKpi]) -> None:
        """Keep the newest value of every kind of period, to be published.

        Where values of a time that has not come are withdrawn, a clock was ahead, and the newest are those before them.
        """
        values = [v.kpi for v in changed]
        for city in {v.city for v in values if v.reason == "future"}:
            names = {(v.code, v.part) for v in values if v.reason == "future" and v.city == city}
            for code, part in names:
                self._current.pop((city, code, part), None)
            stored = (v.kpi for v in self.ingest.cities[city].newest())
            values += [v for v in stored if (v.code, v.part) in names]
        for value in values:
            if value.reason == "future":
                continue
            name = (value.city, value.code, value.part)
            kinds = self._current.setdefault(name, {})
            if value.kind not in kinds or value.time >= kinds[value.kind].time:
                kinds[value.kind] = value
                self._unpublished.add(name)

    def _publish_changes(self) -> None:
        """Publish what has changed since it was last published, also while there was no connection."""
        if not self.publish or not self.link.connected:
            return
        for city, code, part in self._unpublished & self._current.keys():
            newest = {kind: as_json(v) for kind, v in self._current[city, code, part].items()}
            self.link.publish(kpi_topic(city, code, part), msgspec.json.encode(newest), retain=True)
        self._unpublished.clear()


def _city(topic: str) -> str:
    """The city of `cv/1/<city>/...`; '-' for another topic."""
    levels = topic.split("/")
    return levels[2] if len(levels) > 3 and valid_id(levels[2]) else "-"
