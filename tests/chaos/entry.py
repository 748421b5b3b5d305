"""Starts a CityVitals command for the chaos runs: with a clock the run can move, and on request with a mistake in it.

python -m tests.chaos.entry OFFSET_FILE MUTANT COMMAND --config FILE
"""

from __future__ import annotations

import sys
from pathlib import Path

from cityvitals import clock
from cityvitals.__main__ import main
from tests.chaos import mutants


def follow_clock(offset: Path) -> None:
    """Add the ms that the file holds to the clock."""
    plain = clock.now_ms

    def moved() -> int:
        try:
            return plain() + int(offset.read_text() or "0")
        except (OSError, ValueError):
            return plain()

    clock.now_ms = moved


if __name__ == "__main__":
    follow_clock(Path(sys.argv[1]))
    if sys.argv[2] != "none":
        getattr(mutants, sys.argv[2])()
    sys.argv = ["cityvitals", *sys.argv[3:]]
    main()
