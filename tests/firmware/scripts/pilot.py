"""Feeds control-pilot voltages to the J1772 driver. Runs on any interpreter.

pilot.py cases CASES.json      the letters (or null) after each top, for each case
pilot.py fuzz STREAMS          random stations with noise and glitches; prints `steady false late`
"""

import json
import random
import sys

from firmware.sensors import j1772

NOMINAL = {"A": 12000, "B": 9000, "C": 6000, "D": 3000, "E": 0, "F": -12000}


def letters(tops: list) -> list:
    """What a pilot says after each top."""
    pilot = j1772.Pilot()
    states = [pilot.feed(top) for top in tops]
    return [state and state[0] for state in states]


def noisy(letter: str) -> int:
    """A top of a state, further off than the 0.6 V that the standard allows."""
    return NOMINAL[letter] + random.randrange(-1100, 1101)


def fuzz(count: int) -> None:
    """No state that was not there three times running; a lasting one is found within three good tops."""
    steady = false = late = 0
    for seed in range(count):
        random.seed(seed + 1)
        pilot = j1772.Pilot()
        recent = []
        for _ in range(random.randrange(1, 6)):
            letter = "ABCDEF"[random.randrange(6)]
            good = 0
            for _ in range(random.randrange(1, 9)):
                glitch = random.randrange(5) == 0
                top = random.randrange(-40000, 40000) if glitch else noisy(letter)
                good = 0 if glitch else good + 1
                recent = recent[-2:] + [top]  # noqa: RUF005 - MicroPython has no * there
                said = pilot.feed(top)
                late += good >= 3 and (not said or said[0] != letter)
                if said:
                    steady += 1
                    inside = [top for top in recent if said[1] - 300 <= top <= said[2] + 300]
                    false += len(inside) < 3
    print(steady, false, late)


def main() -> None:
    """Command line."""
    if sys.argv[1] == "fuzz":
        fuzz(int(sys.argv[2]))
        return
    with open(sys.argv[2]) as f:  # noqa: PTH123
        print(json.dumps([letters(case) for case in json.load(f)]))


main()
