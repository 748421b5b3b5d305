"""Work on a store that is unavailable for a moment, as a busy server is: tried again instead of ended."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from telemetry.errors import Unavailable

T = TypeVar("T")
PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)  # s between attempts

log = logging.getLogger(__name__)


def retried(work: Callable[[], T]) -> T:
    """The result of `work`, tried a few times. Raises Unavailable where the store stays away."""
    for pause in PAUSES:
        try:
            return work()
        except Unavailable as error:
            log.warning("trying once more in %.0f s: %s", pause, error)
            time.sleep(pause)
    return work()
