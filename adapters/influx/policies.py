"""Where rows are stored that no retention may touch: KPI values and their order, city files, rows of devices.

Their times lie at the start of their period or at 0, so a retention would reject or delete them. Where the default
retention policy of the database has a limited duration, they are stored in a policy of their own, `forever`: in 1.x it
is made here, in 2.x it is a bucket `<bucket>/forever` that is mapped to it (docs/how-to/influxdb.md), in 3 a
database `<database>/forever`, made here, which InfluxQL names as a policy. KPI values are written to the default policy
too, as far as it takes them, for readers that name no policy.
"""

from __future__ import annotations

import logging
import time

import msgspec

from adapters.influx.http import FOREVER, Answer, Connection, PartialWrite, UnreadableAnswer
from telemetry.errors import CityVitalsError, Unavailable

log = logging.getLogger(__name__)

_MIRRORED = "kpi,"
_POLICIES = msgspec.json.Decoder(Answer[list[str | int | bool | None]])  # 1.12 and 3 have other columns than 1.6
_AGAIN_S = 60.0  # until it is looked up again whether the policy exists now


class Policies:
    """The retention policies of one database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._apart = False  # whether the policy exists
        self._look_at = 0.0
        self._times = -1  # how often the database was lost when this was looked up
        self._said = False

    @property
    def apart(self) -> bool:
        """Whether such rows are stored in a policy of their own."""
        connection = self._connection
        if self._times != connection.times_lost or (not self._apart and time.monotonic() >= self._look_at):
            self._apart = self._look_up()
            self._times, self._look_at = connection.times_lost, time.monotonic() + _AGAIN_S
        return self._apart

    def source(self, measurement: str) -> str:
        """The measurement as a query names it."""
        if not self.apart:
            return f'"{measurement}"'
        # Version 3 does not use a policy without its database.
        database = f"{self._connection.quoted_database}." if self._connection.target.version == 3 else ""
        return f'{database}"{FOREVER}"."{measurement}"'

    def sources(self, measurement: str) -> list[str]:
        """All places where rows of the measurement may be, those that count last."""
        return [f'"{measurement}"', *([self.source(measurement)] if self.apart else [])]

    def write(self, lines: list[str]) -> None:
        """Write lines that no retention may touch. Raises as Connection.write."""
        if not self.apart:
            self._connection.write("\n".join(lines))
            return
        self._connection.write("\n".join(lines), FOREVER)
        if mirrored := [line for line in lines if line.startswith(_MIRRORED)]:
            try:
                self._connection.write_all("\n".join(mirrored))
            except PartialWrite as error:
                log.debug("beyond the retention, and kept: %s", error)

    def _look_up(self) -> bool:
        """Whether the policy exists; made where the default one has a limited duration."""
        target = self._connection.target
        question = f"SHOW RETENTION POLICIES ON {self._connection.quoted_database}"
        try:
            if target.version == 3 and f"{target.database}/{FOREVER}" in self._connection.databases3():
                return True
            pieces = list(self._connection.query(question, _POLICIES))
        except (UnreadableAnswer, Unavailable) as error:
            if isinstance(error, Unavailable) and target.version != 2:
                raise
            return False  # a server that supports InfluxDB's writes but not this question
        rows = [dict(zip(piece.columns, row, strict=False)) for piece in pieces for row in piece.values]
        if any(row.get("name") == FOREVER for row in rows):
            return True
        limited = any(row.get("default") and row.get("duration") not in ("0s", "0", None) for row in rows)
        return limited and self._made()

    def _made(self) -> bool:
        """Make the policy. False where the user may not: then what the retention rejects is set aside."""
        try:
            self._connection.make_policy()
        except CityVitalsError as error:
            if isinstance(error, Unavailable):
                raise
            if not self._said:
                self._said = True
                log.warning(
                    'the database has a retention, and the policy "%s" cannot be made (%s): KPI values of periods that '
                    "begin before it are not stored. Let an administrator run: %s",
                    FOREVER, error, self._connection.policy_command,
                )  # fmt: skip
            return False
        log.info('the database has a retention: KPI values and city files are stored in the policy "%s"', FOREVER)
        return True
