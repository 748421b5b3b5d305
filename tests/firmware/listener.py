"""What arrived at the broker: a persistent QoS 1 subscriber that keeps node records by (boot, seq)."""

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion


class Listener:
    """Subscribes to everything of one city; records and other messages are there to be looked at."""

    def __init__(self, port: int, city: str, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives the time of arrival, for nodes whose time runs faster."""
        self.clock = clock
        subscribed = threading.Event()
        self.records: dict[tuple[int, int], dict[str, Any]] = {}
        self.copies = 0
        self.messages: list[tuple[str, bytes]] = []
        self.lock = threading.Lock()
        self.city = city
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"listener-{city}", clean_session=False)
        self.client.on_connect = lambda client, *_: client.subscribe(f"cv/1/{city}/#", 1)
        self.client.on_message = lambda _client, _data, message: self._take(message.topic, bytes(message.payload))
        self.client.reconnect_delay_set(1, 1)
        self.client.connect_async("127.0.0.1", port)
        self.client.on_subscribe = lambda *_: subscribed.set()
        self.client.loop_start()
        assert subscribed.wait(10), "the broker gave no subscription"

    def close(self) -> None:
        """Disconnect; the session stays at the broker."""
        self.client.disconnect()
        self.client.loop_stop()

    def __enter__(self) -> "Listener":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def on(self, end: str) -> list[Any]:
        """The JSON messages so far on topics that end so."""
        with self.lock:
            return [json.loads(payload) for topic, payload in self.messages if topic.endswith(end) and payload]

    def faults(self) -> list[Any]:
        """The faults in the log so far; changes of state are left out."""
        return [line for line in self.on("/log") if line["fault"]]

    def command(self, device: str, **fields: Any) -> None:
        """Send a command to a device."""
        self.client.publish(f"cv/1/{self.city}/{device}/cmd", json.dumps(fields), 1)

    def send(self, device: str, end: str, payload: bytes, retain: bool = True) -> None:
        """Publish on a topic of a device."""
        self.client.publish(f"cv/1/{self.city}/{device}/{end}", payload, 1, retain)

    def with_values(self, *names: str) -> list[dict[str, Any]]:
        """The records that hold all of these quantities, in order."""
        with self.lock:
            found = sorted(self.records.items())
        return [rec for _, rec in found if all(name in rec["values"] for name in names)]

    def _take(self, topic: str, payload: bytes) -> None:
        arrival = self.clock()
        with self.lock:
            if topic.endswith("/data"):
                self._pack(json.loads(payload), arrival)
            else:
                self.messages.append((topic, payload))

    def _pack(self, pack: list[dict[str, Any]], arrival: float) -> None:
        sent = pack[0].get("sent")
        for entry in pack:
            if "seq" in entry:
                place = (entry["boot"], entry["seq"])
                self.copies += place in self.records
                when = entry.get("bt", arrival - (sent - entry["up"]) if "up" in entry else None)
                rec: dict[str, Any] = {"head": entry, "time": when, "arrival": arrival, "values": {}}
                self.records[place] = rec
            rec["values"][entry["n"]] = entry["v"]
