"""The KPI values that the central broker retains for new clients."""

from __future__ import annotations

import json

from adapters.mqtt.broker import Broker
from adapters.mqtt.link import Link, wait


class Published:
    """A reader of retained KPI values. `found`: (code, part, kind) -> period and value."""

    def __init__(self, port: int) -> None:
        self._link = Link(Broker("127.0.0.1", port), "chaos-reader", ["cv/1/chaos/kpi/#"], session=False)
        self.found: dict[tuple[str, str, str], tuple[str, float | None]] = {}

    def step(self) -> None:
        """Take what has come."""
        wait([self._link], 0.02)
        batch = self._link.received()
        for message in batch:
            code, part = message.topic.split("/")[4:6]
            for kind, value in json.loads(message.payload).items():
                self.found[code, part.removeprefix("-"), kind] = (value["period"], value["value"])
        self._link.ack(batch)

    def close(self) -> None:
        """Disconnect."""
        self._link.close()
