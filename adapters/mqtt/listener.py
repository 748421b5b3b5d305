"""A short subscription by asyncio (aiomqtt): the messages of the next seconds, for tools that only look.

Messages are acknowledged on arrival, so nothing may rely on them being stored; gateway and ingest use `link.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import aiomqtt

from adapters.mqtt.broker import Broker
from telemetry.errors import Unavailable, cause

_CONNECT_S = 10.0


async def listen(
    broker: Broker, client_id: str, topic: str, seconds: float, receive: Callable[[str, bytes], bool]
) -> None:
    """Call `receive(topic, payload)` for each message during `seconds`, until it returns False. Raises Unavailable."""
    client = aiomqtt.Client(
        broker.host,
        broker.port,
        username=broker.username,
        password=broker.password,
        identifier=client_id,
        protocol=aiomqtt.ProtocolVersion.V5 if broker.version == "5" else aiomqtt.ProtocolVersion.V311,
        tls_context=broker.tls_context(),
        timeout=_CONNECT_S,
    )
    try:
        async with client:
            await client.subscribe(topic, qos=1)
            async with asyncio.timeout(seconds):
                async for message in client.messages:
                    payload = message.payload if isinstance(message.payload, bytes) else b""
                    if not receive(str(message.topic), payload):
                        return
    except TimeoutError:
        return
    except (aiomqtt.MqttError, OSError) as error:
        raise Unavailable(f"{broker}: {cause(error)}") from error
