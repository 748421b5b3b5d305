"""A subscriber by paho's own loop: acknowledges each message and counts it.

python -m tests.bench.bare PORT FILTER FILE
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion


def main(port: int, topic: str, file: Path) -> None:
    """Run until it is ended; writes twice a second how many messages have arrived."""
    client = paho.Client(CallbackAPIVersion.VERSION2, "bare")
    count = [0]

    def arrived(_client: Any, _data: Any, _message: Any) -> None:
        count[0] += 1

    def said(*_: Any) -> None:
        sys.stdout.write("subscribed\n")
        sys.stdout.flush()

    client.on_message, client.on_subscribe = arrived, said
    client.connect("127.0.0.1", port)
    client.subscribe(topic, qos=1)
    client.loop_start()
    while True:
        file.write_text(str(count[0]), encoding="utf-8")
        threading.Event().wait(0.5)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
