"""When a node's rounds of readings begin."""

import asyncio
from types import SimpleNamespace

import pytest

from edge.firmware.sampler import Sampler


class Over(Exception):
    """The test has seen enough."""


class Held:
    """A board whose processor is away for a while: `stalls` ms after the sleep that ends at such a time."""

    def __init__(self, stalls: dict[int, int]) -> None:
        self.now, self.stalls = 0, stalls

    def ticks_ms(self) -> int:
        """Milliseconds since the start."""
        return self.now

    async def sleep_ms(self, ms: int) -> None:
        """Sleep, and longer where it is held up."""
        self.now += ms
        self.now += self.stalls.pop(self.now, 0)


def rounds(stalls: dict[int, int]) -> list[int]:
    """When the first six rounds begin, of one a second."""
    began: list[int] = []
    sampler = Sampler.__new__(Sampler)
    sampler.board, sampler.interval_ms, sampler.sources, sampler.rounds = Held(stalls), 1000, [], 0
    sampler._sleeps, sampler._jobs, sampler.beat = False, [], lambda: None
    sampler.health = sampler.events = SimpleNamespace(tick=lambda: None)

    async def one() -> None:
        began.append(sampler.board.now)
        if len(began) == 6:
            raise Over

    sampler._round = one  # type: ignore[method-assign]
    with pytest.raises(Over):
        asyncio.run(sampler.run())
    return began


@pytest.mark.parametrize(
    ("stalls", "begins"),
    [
        ({}, [0, 1000, 2000, 3000, 4000, 5000]),
        ({1000: 950}, [0, 1950, 2450, 3000, 4000, 5000]),
        ({1000: 300}, [0, 1300, 2000, 3000, 4000, 5000]),
        ({2000: 5400}, [0, 1000, 7400, 7900, 8400, 9000]),
    ],
)
def test_two_rounds_do_not_begin_at_one_moment_after_a_stall(stalls: dict[int, int], begins: list[int]) -> None:
    assert rounds(stalls) == begins
