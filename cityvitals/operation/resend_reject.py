"""A rejected message, corrected or as it was, resent to the gateway's broker while the gateway runs."""

from __future__ import annotations

import time
from uuid import uuid4

from adapters.mqtt.broker import Broker
from adapters.mqtt.link import Link, wait
from telemetry.errors import Unavailable, UsageError

_WAIT_S = 10.0


def resend(broker: Broker, topic: str, payload: bytes) -> str:
    """Publish at QoS 1 and wait for the PUBACK. Returns a sentence to print. Raises UsageError, Unavailable."""
    if topic.startswith("replay:") or topic.endswith("/windows") or any(c in topic for c in "+#\0") or not topic:
        raise UsageError(f"'{topic[:80]}' is not a topic of a device; only messages of devices are resent.")
    link = Link(broker, f"cityvitals-again-{uuid4().hex[:12]}", session=False)
    deadline, sent = time.monotonic() + _WAIT_S, None
    try:
        while time.monotonic() < deadline:
            wait([link], 0.1)
            if link.connected and sent is None:
                sent = link.publish(topic, payload)
            if sent is not None and sent in link.delivered():
                return "Sent. The gateway stores it, or rejects it again with its reason, in a few seconds."
    finally:
        link.close()
    raise Unavailable("The broker did not take the message in 10 s; try again, or look at its log.")
