"""A corrected reject goes through a real broker, as the device's own message does."""

from __future__ import annotations

import pytest

from adapters.mqtt.broker import Broker
from adapters.mqtt.link import Link, wait
from cityvitals.operation.resend_reject import resend
from telemetry.errors import UsageError
from tests.processes import wait_for
from tests.servers import Mosquitto


def test_the_message_arrives_as_it_was_corrected(mosquitto: Mosquitto) -> None:
    broker = Broker("127.0.0.1", mosquitto.port)
    listener = Link(broker, "listener", ["cv/1/again/+/data"], session=False)

    def listens() -> bool:
        wait([listener], 0.05)
        return listener.connected

    wait_for(listens, 10, "the listener")
    try:
        said = resend(broker, "cv/1/again/meter-11/data", b'[{"n":"power","v":12.5}]')
        assert said.startswith("Sent.")
        (message,) = wait_for(lambda: listener.receive(0.1), 10, "the message")
        assert (message.topic, message.payload) == ("cv/1/again/meter-11/data", b'[{"n":"power","v":12.5}]')
    finally:
        listener.close()


@pytest.mark.parametrize("topic", ["", "cv/1/+/x/data", "cv/#", "replay:file.csv:3", "cv/1/gw/town/windows"])
def test_what_is_not_a_devices_topic_is_not_sent(topic: str) -> None:
    with pytest.raises(UsageError, match="is not a topic of a device"):
        resend(Broker("127.0.0.1", 1), topic, b"[]")
