"""Queries the state of a running node: over USB by a `?` on its console, over MQTT by the command `state`."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from adapters.mqtt.broker import Broker
from edge.tools.ota import connect
from telemetry.errors import CityVitalsError
from telemetry.topics import ROOT
from telemetry.untrusted import read_json

_MARK = "state {"


def from_console(text: str) -> dict[str, Any] | None:
    """The last state that a console shows."""
    for line in reversed(text.splitlines()):
        if line.startswith(_MARK):
            try:
                found = read_json(line.removeprefix("state ").encode())
            except ValueError:
                continue
            return found if isinstance(found, dict) else None
    return None


def over_usb(port: str, seconds: float, whole: bool = False) -> tuple[dict[str, Any], str]:
    """State and console text; `whole`: listen for all of the time. Raises CityVitalsError where there is no answer."""
    from adapters.serial import board  # noqa: PLC0415 - an extra

    text = board.listen(board.chosen(port), seconds, b"?", b"" if whole else _MARK.encode())
    state = from_console(text)
    if state is None:
        last = text.strip().splitlines()[-1:]
        raise CityVitalsError(
            f"The board did not answer in {seconds:g} s; last line: {last[0][:120] if last else 'none'}. Does it"
            " run the firmware of a node? Press its reset button and try again."
        )
    return state, text


def over_mqtt(url: str, city: str, device: str, seconds: float) -> dict[str, Any]:
    """The answer to the command `state`. Raises Unavailable, and CityVitalsError where there is no answer."""
    topic = f"{ROOT}/{city}/{device}/cmd"
    link = connect(Broker.parse(url), [f"{topic}/answer"])
    number = os.getpid()
    try:
        link.publish(topic, json.dumps({"cmd": "state", "id": number}).encode())
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for message in link.receive(0.2):
                answer = read_json(message.payload)
                if isinstance(answer, dict) and answer.get("id") == number and isinstance(answer.get("state"), dict):
                    return dict(answer["state"])
    finally:
        link.close()
    raise CityVitalsError(
        f"{city}/{device} did not answer in {seconds:g} s; is it connected, and may this user send it commands?"
    )
