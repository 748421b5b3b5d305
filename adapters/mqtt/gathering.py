"""When messages of a link are taken: a commit costs as much as some twenty of them, so it should be of several.

`Gathering` is for messages that come fast, `Holding` for slow ones of which nothing is sent before the next flush.
"""

from __future__ import annotations

import math
import select
import time
from collections.abc import Callable, Sequence

from adapters.mqtt.interrupts import INTERRUPTS, Waitable
from adapters.mqtt.link import Link

_APART_S = 0.1  # between two batches; a message that comes later than that after the last batch does not wait
_PAUSE_S = 0.01
_ENOUGH = 1000  # messages: of more together each costs nearly the same
_SHARE = 0.25  # of the time that pauses which bring nothing may take
_LONGEST_MS = 1500  # that a slow message waits
_LONGEST_GAP_MS = 1000  # between two messages, as far as it is of interest
_UNACKNOWLEDGED = 10  # of slow messages: brokers send 20 by default, and nothing beyond until they are acknowledged
_SILENCE = 3  # usual times between two messages
_LARGE = 4096  # bytes: of a message that waits fewer are there at once
_SLOWEST_MS = 500  # usual time between two messages, above which few of them could be taken together


class Gathering:
    """When the messages of a link are taken.

    A broker that sends only so many unacknowledged messages sends nothing in a pause. So pauses that bring nothing have
    a budget, and where it is used up there are none.
    """

    def __init__(self, link: Link, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock`: seconds, of one that only advances."""
        self._link, self._clock = link, clock
        self._last = self._seen = clock() - _APART_S
        self._passed = 0
        self._budget = _APART_S

    def wait(self, also: Sequence[Waitable] = ()) -> None:
        """Where messages are there, wait for more if the last batch was taken just now, and nothing of `also` is
        readable.
        """
        link, now = self._link, self._clock()
        if not link.waiting and link.passed == self._passed:
            return
        self._budget = min(self._budget + (now - self._seen) * _SHARE, _APART_S)
        self._seen, over = now, False
        while now < self._last + _APART_S and link.waiting < _ENOUGH and self._budget > 0 and not over:
            before = link.waiting + link.passed
            over = bool(select.select(also, [], [], _PAUSE_S)[0])
            link.read()
            now = self._clock()
            if link.waiting + link.passed == before:
                self._budget -= _PAUSE_S
        self._last, self._passed = now, link.passed


class Holding:
    """Which messages of a link wait for the next flush that sends any, at most 1.5 s: slow ones of a steady flow.

    A message after a silence is taken at once, and so are all once no more come: a broker that sends only so many
    unacknowledged messages may wait for the PUBACKs.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._usual = float(_LONGEST_GAP_MS)  # ms between two messages
        self._alone = False  # whether nothing more came while the last batch waited, perhaps because it did
        self._last = self._since = 0  # ms UTC: the newest message or the last batch, the first that waits
        self._arrivals: list[tuple[int, int]] = []  # how many messages had come by a time, ms UTC
        self._passed = link.passed

    def holds(self, now: int) -> bool:
        """Whether what the link has received waits for more. `now`: ms UTC."""
        link, fresh = self._link, self._link.waiting - self._link.held
        steady = 0 <= now - self._last <= _SILENCE * self._usual
        if fresh > 0:
            self._note(fresh, now)
        elif link.held and not steady:
            self._alone = True
        return (
            bool(link.waiting)
            and link.connected
            and steady
            and self._usual <= _SLOWEST_MS
            and not self._enough()
            and 0 <= now - self._since < _LONGEST_MS
        )

    def _enough(self) -> bool:
        """Whether as many messages are not acknowledged as may wait; also those that were passed over."""
        return self._link.waiting + self._link.passed - self._passed >= _UNACKNOWLEDGED

    def _note(self, fresh: int, now: int) -> None:
        """This many messages have come by `now`."""
        link = self._link
        if not link.held:
            self._since, self._passed = now, link.passed
            self._arrivals.clear()  # of messages that were lost with their connection
        gap = min(now - self._last, _LONGEST_GAP_MS) / fresh if now >= self._last else _LONGEST_GAP_MS
        at_once = self._alone and _SILENCE * gap < self._usual
        self._usual = gap if at_once else self._usual + (gap - self._usual) / 5
        self._alone = False
        self._last, link.held = now, link.waiting
        self._arrivals.append((link.waiting, now))

    def collect(self, until: int, clock: Callable[[], int], also: Sequence[Waitable]) -> None:
        """While messages wait: note when more come, unread, until as many have come as may wait, it is quiet, the time
        is `until` (ms UTC of `clock`), or one of `also` is readable. Then they are read.
        """
        link, blocks, poll = self._link, list[tuple[bytes, int]](), select.poll()
        for one in (link, *also, *INTERRUPTS):
            poll.register(one, select.POLLIN)
        only_link = [(link.fileno(), select.POLLIN)]
        now = last = clock()
        while link.held + len(blocks) < _UNACKNOWLEDGED:
            quiet = max(last, self._last) + _SILENCE * self._usual + 1
            pause = min(min(until, self._since + _LONGEST_MS, quiet) - now, _LONGEST_MS)  # a clock may be set back
            if pause <= 0 or poll.poll(pause) != only_link:
                break
            now = last = clock()
            block = link.collect(_LARGE)
            if not block:
                break
            blocks.append((block, now))
            if len(block) >= _LARGE:
                break
        for block, at in blocks:
            before = link.waiting
            link.add(block)
            if link.waiting > before:
                self._note(link.waiting - before, at)

    def until(self) -> float:
        """When messages that wait are taken at the latest, ms UTC; infinite where none wait."""
        if not self._link.held:
            return math.inf
        if self._enough():
            return 0
        return min(self._since + _LONGEST_MS, self._last + _SILENCE * self._usual + 1)

    def taken(self, now: int) -> list[int]:
        """All messages were taken at `now`. Returns the arrivals of the first of them, ms UTC."""
        found: list[int] = []
        for count, arrival in self._arrivals:
            found += [arrival] * (count - len(found))
        self._last = now
        self._arrivals.clear()
        return found
