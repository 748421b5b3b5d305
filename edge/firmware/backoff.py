"""Exponential back-off with full jitter: a city's nodes must not come back in step after an outage."""

import os


def _fraction():
    return int.from_bytes(os.urandom(3), "little") / 16777216


class Backoff:
    """Waits that double up to a ceiling; each is drawn evenly between nothing and the current bound."""

    def __init__(self, first_ms=1000, ceiling_ms=300000, fraction=_fraction):
        self.first_ms = first_ms
        self.ceiling_ms = ceiling_ms
        self._fraction = fraction
        self._bound = first_ms

    def next_ms(self):
        """Return the next wait in milliseconds and double the bound."""
        bound = self._bound
        self._bound = min(bound * 2, self.ceiling_ms)
        return int(bound * self._fraction())

    def reset(self):
        """Start again from the first bound; only a link that has proven stable may call this."""
        self._bound = self.first_ms
