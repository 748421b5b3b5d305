"""A real gateway for a test, in the node's fast time, and a look into its store.

python -m tests.firmware.gateway CLOCK gateway --config FILE   is how it starts.
"""

import sqlite3
import sys
from collections import defaultdict
from contextlib import closing
from pathlib import Path

from adapters.sqlite.blocks import readable
from cityvitals import clock
from cityvitals.__main__ import main
from tests.chain import Chain
from tests.chaos.world import CITY
from tests.firmware.timeserver import FastClock, NodeClock, clock_of
from tests.processes import start, wait_for

NODE = ("chaos", "air-2")  # city and device of `CITY`
# Without what the gateway itself says of the device.
_READINGS = """
SELECT t, quantity, value FROM every_reading JOIN buffer_series ON id = series
WHERE city = ? AND device = ? AND quantity NOT LIKE 'ledger_%'
"""


class Gateway:
    """`cityvitals gateway` behind a broker on this port; its clock is `clock`."""

    def __init__(self, folder: Path, port: int, clock: FastClock | NodeClock) -> None:
        folder.mkdir(parents=True)
        self.chain = Chain(folder, CITY, port, "sqlite:///unused.db")
        self.file = folder / "gateway.db"
        command = [
            sys.executable,
            "-m",
            "tests.firmware.gateway",
            clock.name,
            "gateway",
            "--config",
            str(self.chain.config),
        ]
        self.chain.processes["gateway"] = start(command, log=folder / "gateway.log")
        wait_for(lambda: "connected" in self.chain.log("gateway"), 30, "the gateway")

    def readings(self) -> dict[int, dict[str, float]]:
        """What its store holds of the node: by time (ms UTC), the value of each quantity."""
        found: dict[int, dict[str, float]] = defaultdict(dict)
        for t, quantity, value in self._rows(_READINGS, *NODE):
            found[t][quantity] = value
        return found

    def missing(self) -> int:
        """Records of the node that the gateway knows of and does not have."""
        return int(
            self._rows("SELECT coalesce(sum(missing), 0) FROM ledger WHERE city = ? AND device = ?", *NODE)[0][0]
        )

    def _rows(self, sql: str, *values: str) -> list[tuple]:  # type: ignore[type-arg]
        with closing(readable(sqlite3.connect(f"file:{self.file}?mode=ro", uri=True, timeout=20))) as db:
            return db.execute(sql, values).fetchall()

    def __enter__(self) -> "Gateway":
        return self

    def __exit__(self, *_: object) -> None:
        self.chain.stop()


if __name__ == "__main__":
    now = clock_of(sys.argv[1])
    clock.now_ms = lambda: round(now() * 1000)
    sys.argv = ["cityvitals", *sys.argv[2:]]
    main()
