"""Sound levels from an I2S microphone: LAeq of an interval, and the levels exceeded 10 and 90 % of it, in dB(A).

Every `sample_s` 128 ms of sound are taken at 16 kHz, weighted (`weighting.py`) and their energy added up. So LAeq is a
sample of the interval, not all of it, and sound above 8 kHz is not in it. The levels of L10 and L90 are those of these
pieces (fast time weighting has 125 ms), in steps of 0.5 dB. Without a calibrator the microphone's tolerance remains:
1 dB for the better ones, else 3 dB.
"""

import array
import math

from micropython import const

from ..buses.weighting import FULL_SCALE, Weighting

KIND = "air"
PART = "I2S microphone (InvenSense INMP441, ICS-43434, Knowles SPH0645)"
BUS = "i2s"
QUANTITIES = ("laeq", "la10", "la90")
OPTIONS = {"sensitivity": -26, "offset": 0, "sample_s": 2}
WIRING = "3.3 V; SCK, WS, SD; L/R to ground; behind a wind screen, its hole outwards"
PARTS = ("INMP441 breakout", "foam wind screen", "100 nF at its supply")

_PIECE = const(256)  # samples worked on without a pause: some 20 ms
_SETTLE = const(1)  # pieces until the filter has settled
_PIECES = const(8)
_LOWEST = const(20)  # dB of the first step of the histogram
_STEPS = const(240)


class Levels:
    """Adds up the pieces of an interval."""

    def __init__(self):
        self._steps = array.array("H", bytes(2 * _STEPS))
        self._begin()

    def _begin(self):
        self._energy = 0.0
        self._count = 0
        for step in range(_STEPS):
            self._steps[step] = 0

    def add(self, level):
        """One piece, in dB(A)."""
        self._energy += 10 ** (level / 10)
        self._count += 1
        step = min(max(int((level - _LOWEST) * 2 + 0.5), 0), _STEPS - 1)
        self._steps[step] = min(self._steps[step] + 1, 65535)

    def _exceeded(self, share):
        """The level exceeded by this share (tenths) of the pieces, in tenths of a decibel."""
        wanted, seen = (self._count * share + 9) // 10, 0
        for step in range(_STEPS - 1, -1, -1):
            seen += self._steps[step]
            if seen >= wanted:
                return _LOWEST * 10 + 5 * step
        return _LOWEST * 10

    def take(self):
        """The readings of the interval, and begin the next."""
        if not self._count:
            return []
        laeq = round(100 * math.log10(self._energy / self._count))  # tenths of a decibel
        out = [("laeq", laeq, 1), ("la10", self._exceeded(1), 1), ("la90", self._exceeded(9), 1)]
        self._begin()
        return out


class Driver:
    """Options: `sck`, `ws`, `sd` pins, `sensitivity` (dBFS of a sine of 94 dB, from the microphone's data sheet),
    `offset` in dB from a calibrator, `sample_s`.
    """

    SAMPLE_S = 2

    def __init__(self, board, options):
        self._board = board
        self._input = board.microphone(options)
        full = 94 - options.get("sensitivity", -26) + options.get("offset", 0)
        self._zero = full - 10 * math.log10(FULL_SCALE * FULL_SCALE / 2)  # dB of one unit
        self._samples = array.array("h", bytes(2 * _PIECE * (_SETTLE + _PIECES)))
        self._levels = Levels()

    async def _listen(self):
        view = memoryview(self._samples)
        for at in list(range(0, 4 * _PIECE, _PIECE)) + list(range(0, len(view), _PIECE)):
            # The first four are what has waited in the driver's buffer: old, and with gaps.
            if self._input.readinto(view[at : at + _PIECE]) != 2 * _PIECE:
                raise OSError(5, "no samples")
            await self._board.sleep_ms(0)

    async def read(self):
        """Listen once; the levels come from `interval`."""
        await self._listen()
        samples = self._samples
        if min(samples) == max(samples):
            raise OSError(5, "the microphone is silent: no clock, or the wrong pin")
        weighting, energy = Weighting(samples[0]), 0
        for piece in range(_SETTLE + _PIECES):
            more = weighting.energy(samples, piece * _PIECE, _PIECE)
            energy += more if piece >= _SETTLE else 0
            await self._board.sleep_ms(0)
        self._levels.add(self._zero + 10 * math.log10(max(energy, 1) / (_PIECE * _PIECES)))
        return []

    def interval(self):
        """LAeq, L10 and L90 of the interval that ends now."""
        return self._levels.take()
