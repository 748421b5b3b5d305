"""Messages that come fast are stored together: a commit costs as much as some twenty of them."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Sequence

from adapters.mqtt.link import Link, Waitable

_APART_S = 0.1  # between two batches; a message that comes later than that after the last batch does not wait
_PAUSE_S = 0.01
_ENOUGH = 1000  # messages: of more together each costs nearly the same
_SHARE = 0.25  # of the time that pauses which bring nothing may take


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
