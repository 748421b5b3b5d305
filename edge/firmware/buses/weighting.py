"""The A frequency weighting of IEC 61672-1 at 16 kHz, in integers that fit a small int of MicroPython.

The analog curve has zeros at 0 Hz and poles at 20.6 (two), 107.7, 737.9 and 12194 Hz (two). The four low ones are
one-pole high-pass filters, `y = x - x' + y' - c y'`; the two high ones, above half of the sampling rate, are replaced
by three taps whose response follows the curve up to 8 kHz. A test compares the whole with the standard's table.
"""

from micropython import const

_C1 = const(33)  # share that a filter loses with each sample, in 4096ths: pole at 20.6 Hz
_C2 = const(170)  # 107.7 Hz
_C3 = const(1043)  # 737.9 Hz
_HALF = const(2048)
_SIDE = const(15)  # the outer of the three taps, in 256ths
FULL_SCALE = const(122821)  # what a full-scale sine of 1 kHz becomes: 32768 * 4 * 0.93705


class Weighting:
    """The state of the filter between two pieces. `first`: the first sample, so that an offset does not make a step."""

    def __init__(self, first=0):
        self._state = (first << 4, 0, 0, 0, 0, 0)

    def energy(self, samples, start, count):
        """The sum of the squares of weighted samples, in units of FULL_SCALE."""
        x1, a1, b1, c1, d1, e1 = self._state
        total = 0
        for at in range(start, start + count):
            x = samples[at] << 4
            a = x - x1 + a1 - (a1 * _C1 + _HALF >> 12)
            b = a - a1 + b1 - (b1 * _C1 + _HALF >> 12)
            c = b - b1 + c1 - (c1 * _C2 + _HALF >> 12)
            d = c - c1 + d1 - (d1 * _C3 + _HALF >> 12)
            y = d1 - ((2 * d1 - e1 - d) * _SIDE >> 8) >> 2
            x1, a1, b1, c1, e1, d1 = x, a, b, c, d1, d
            total += y * y
        self._state = (x1, a1, b1, c1, d1, e1)
        return total
