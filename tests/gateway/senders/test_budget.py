"""Budgets of many senders: dropping those that have been silent changes no answer, and their number is bounded."""

from __future__ import annotations

import random

import pytest

from gateway.senders import budget
from gateway.senders.budget import Allowance, Budget, Sender


def spent(found: Allowance, rng: random.Random) -> None:
    """One message of some readings, perhaps rejected."""
    if not found.rejects_next(False):
        found.readings -= rng.choice([1, 5_000, 60_000])
    found.rejects -= rng.random() < 0.1


@pytest.mark.parametrize("seed", range(5))
def test_a_sender_has_the_budget_it_would_have_if_all_were_kept(seed: int) -> None:
    rng, kept, plain, now = random.Random(seed), Budget(), dict[Sender, Allowance](), 1_000
    for _ in range(3_000):
        now += rng.choice([0, 100, 1_000, 30_000, 400_000])
        sender = ("c", f"d{min(rng.randrange(40), rng.randrange(40))}")
        found = kept.of(sender, now)
        other = plain.setdefault(sender, Allowance(now))
        if not 0 <= now - other.at < 1000:
            other.refill(now)
        assert (found.readings, found.messages, found.rejects) == (other.readings, other.messages, other.rejects)
        state = rng.getstate()
        spent(found, rng)
        rng.setstate(state)
        spent(other, rng)


def test_the_number_of_senders_that_are_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "_SENDERS", 10)
    kept = Budget()
    first = kept.of(("c", "first"), 1_000)
    for n in range(9):
        kept.of(("c", f"a{n}"), 1_000)
    assert kept.of(("c", "first"), 1_000) is first
    kept.of(("c", "b"), 1_000)
    assert kept.of(("c", "first"), 1_000) is first, "it is in the older generation"
    for n in range(100):
        kept.of(("c", f"c{n}"), 1_000)
        assert len(kept._known) + len(kept._older) <= 20
