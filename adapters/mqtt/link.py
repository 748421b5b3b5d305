"""MQTT for programs that must not lose a message: one thread, and the caller decides when to acknowledge.

A `Link` is one connection. `receive` returns the messages that have arrived and acknowledges none; the caller stores
them and calls `ack`. While the caller is busy nothing is read, so TCP slows the broker down. After a broken connection
the broker redelivers unacknowledged messages (persistent session, fixed client id), and every connect subscribes.
"""

from __future__ import annotations

import logging
import random
import select
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from adapters.mqtt.broker import Broker
from adapters.mqtt.bulk_client import BulkClient
from adapters.mqtt.interrupts import INTERRUPTS, Waitable
from adapters.mqtt.publishes import Message
from telemetry.errors import cause

__all__ = ["Link", "Message", "wait"]

log = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 60.0
_MOST_COLLECTED = 2000  # messages that are read of a collected block at once; the others with the next `read`
_INBOX_BYTES = 32 << 20  # of payloads that the caller has not received yet
_SESSION_S = 30 * 86_400  # MQTT 5: how long a broker keeps the session of a program that is not connected
_IDENTIFIERS = 65_535  # of packets
_STABLE = 30.0  # after a connection that lasted this long, the next pause starts small


class Link:
    """One connection to one broker. Not thread-safe; drive it with `receive` (or `wait` for several links)."""

    def __init__(
        self,
        broker: Broker,
        client_id: str,
        filters: Sequence[str] = (),
        *,
        keepalive: int = 30,
        session: bool = True,
        foreign: Callable[[str], bool] | None = None,
    ) -> None:
        """`foreign`: whether messages of a topic are for somebody else: acknowledged without the caller, unread."""
        self.broker, self.client_id = broker, client_id
        self._filters, self._keepalive = list(filters), keepalive
        self.connected = False
        self.epoch = self._began = self._subscribed = 0
        self._name = f"{client_id} at {broker}"
        self._is_5, self._session = broker.version == "5", session
        self._inbox: list[Message] = []
        self._inbox_bytes = 0
        self.held = 0  # received messages that the caller leaves for later: `wait` waits for more
        # A caller need not look at them: an identifier is used a second time after so many.
        self._delivered, self._rejected = deque[int](maxlen=_IDENTIFIERS), deque[int](maxlen=_IDENTIFIERS)
        self._pause, self._retry_at, self._since = _FIRST_PAUSE, 0.0, 0.0
        self._last_status = ""
        self._started = self._closing = self._refused = False
        self._shared, self._open = foreign is not None, 0  # messages of this connection that are not acknowledged
        self._client = self._make_client(session, foreign)

    def _make_client(self, session: bool, foreign: Callable[[str], bool] | None) -> BulkClient:
        client = BulkClient(
            CallbackAPIVersion.VERSION2,
            self.client_id,
            clean_session=None if self._is_5 else not session,
            protocol=paho.MQTTv5 if self._is_5 else paho.MQTTv311,
            manual_ack=True,
            reconnect_on_failure=False,
            foreign=foreign,
        )
        client.max_inflight_messages_set(1000)
        if self.broker.username:
            client.username_pw_set(self.broker.username, self.broker.password)
        if (context := self.broker.tls_context()) is not None:
            client.tls_set_context(context)
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message, client.on_publish = self._on_message, self._on_publish
        # With these set, paho queues packets instead of one system call per PUBACK; `_flush` writes them.
        client.on_socket_register_write = client.on_socket_unregister_write = lambda *_: None
        return client

    # -- callbacks -------------------------------------------------------------------------------------------------

    def _on_connect(self, client: paho.Client, _data: object, flags: Any, reason: Any, _props: object) -> None:  # noqa: ANN401
        if reason.is_failure:
            self._refused = True
            self._log_once(f"{self.broker} rejected {self.client_id}: {reason}. Check user, password and access rules.")
            return
        self.connected, self._since = True, time.monotonic()
        if not flags.session_present:
            self._began = self.epoch
        if self._filters:
            client.subscribe([(f, 1) for f in self._filters])
        else:
            self._connected_status()

    def _on_subscribe(self, _client: paho.Client, _data: object, _mid: int, reasons: list[Any], _props: object) -> None:
        if any(reason.is_failure for reason in reasons):
            self._log_once(f"{self.broker} denied a subscription of {self.client_id}. Check its access rules.")
        else:
            self._connected_status()

    def _connected_status(self) -> None:
        """The status from which on no published message is missed."""
        self._subscribed = self.epoch
        self._log_once(f"connected to {self.broker} as {self.client_id}")

    def _on_disconnect(
        self, _client: paho.Client, _data: object, _flags: object, reason: object, _props: object
    ) -> None:
        self.connected = False
        if not (self._closing or self._refused):  # the reason for the rejection is logged already
            self._log_once(f"connection to {self.broker} lost ({reason}); retrying")

    def _on_message(self, _client: paho.Client, _data: object, m: paho.MQTTMessage) -> None:
        """An unusual message, which paho has read."""
        message = Message(m.topic, bytes(m.payload), m.retain, m.dup, m.mid, m.qos, *self._origin())
        self._inbox.append(self._client.reader.after_passed(message))

    def _origin(self) -> tuple[int, str, int]:
        """Epoch, session and began of the messages that are read now."""
        return self.epoch, self._name, self._began

    def _on_publish(self, _client: paho.Client, _data: object, mid: int, reason: Any, _props: object) -> None:  # noqa: ANN401
        if self._is_5 and reason.is_failure:  # a negative acknowledgement: the broker did not accept the message
            self._log_once(f"{self.broker} rejected a message of {self.client_id}: {reason}")
            self._rejected.append(mid)
            return
        self._delivered.append(mid)

    def _log_once(self, sentence: str) -> None:
        """One log line per change of state."""
        if sentence != self._last_status:
            self._last_status = sentence
            log.info(sentence)

    # -- connection ------------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        """Connect when the back-off has passed. Full jitter, also after a short connection."""
        now = time.monotonic()
        if now < self._retry_at:
            return
        self._pause = (
            _FIRST_PAUSE if self._since and now - self._since > _STABLE else min(self._pause * 2, _LONGEST_PAUSE)
        )
        self._since = 0.0
        self._retry_at = now + random.uniform(0.1, self._pause)
        self.epoch += 1
        self._open = 0
        self._refused = False
        try:
            if self._started:
                self._client.reconnect()
            else:
                self._client.connect(self.broker.host, self.broker.port, self._keepalive, **self._connect_options())
                self._started = True
        except OSError as error:
            self._log_once(f"{self.broker} cannot be reached ({cause(error)}); retrying")

    def _connect_options(self) -> dict[str, Any]:
        """Of MQTT 5: the session continues where it is to be kept, and lives long without this program."""
        if not self._is_5:
            return {}
        properties = Properties(PacketTypes.CONNECT)
        if self._session:
            properties.SessionExpiryInterval = _SESSION_S
        return {"clean_start": not self._session, "properties": properties}

    @property
    def subscribed(self) -> bool:
        """Whether the broker has confirmed the subscriptions of this connection."""
        return self.connected and self._subscribed == self.epoch

    @property
    def state(self) -> str:
        """The last logged status of the connection."""
        return self._last_status

    def fileno(self) -> int:
        """For select; -1 while not connected."""
        socket = self._client.socket()
        return socket.fileno() if socket is not None else -1

    @property
    def is_quiet(self) -> bool:
        """Whether it is connected, and nothing is queued to be written."""
        return self.connected and self.fileno() >= 0 and not self._client.want_write()

    def step(self) -> None:
        """Read and write without waiting; reconnect when due."""
        if self._client.socket() is None:
            self.connected = False
            self._connect()
            return
        self._flush()
        self._client.loop_misc()

    def _flush(self) -> None:
        if self._client.want_write() and self._client.socket() is not None:
            self._client.loop_write()

    def _read(self, limit: int) -> None:
        """Read packets until the socket is empty or the inbox holds `limit` messages, or too many bytes.

        It also ends where `limit` were passed over, so that keepalive and acknowledgements have their turn.
        """
        most = self.passed + limit
        while self._client.socket() is not None and len(self._inbox) < limit and self._inbox_bytes < _INBOX_BYTES:
            before = len(self._inbox)
            if self.passed > most or not self._client.read_messages(self._inbox, limit, self._origin):
                break
            self._note_fresh(self._inbox[before:])

    def _note_fresh(self, fresh: Sequence[Message]) -> None:
        self._inbox_bytes += sum([len(m.payload) for m in fresh])
        if self._shared:
            self._open += sum([m.qos > 0 for m in fresh])
            self._acknowledge_passed()

    def collect(self, most: int) -> bytes:
        """So many bytes that have arrived, unread, for `add`, and what TLS has behind them; empty where there are none.

        A third of the cost of `read`.
        """
        return self._client.collect(most) if self.fileno() >= 0 and not self._client.has_unread else b""

    def add(self, block: bytes) -> None:
        """Read the messages of what was collected; every block is to be added, in the order of `collect`."""
        before = len(self._inbox)
        self._client.add(block, self._inbox, before + _MOST_COLLECTED, self._origin)
        self._note_fresh(self._inbox[before:])

    def _acknowledge_passed(self) -> None:
        """Queue the PUBACKs of what was passed over, unless an earlier message is not acknowledged yet."""
        if not self._open and self._client.socket() is not None:
            self._client.queue_acks(self._client.reader.taken_acks())

    @property
    def passed(self) -> int:
        """How many messages were passed over since the start, because they are for somebody else."""
        return self._client.reader.passed

    def read(self, limit: int = 2000) -> None:
        """Read what has arrived by now, and write what is queued; see `wait`."""
        self.step()
        if self.fileno() >= 0:
            self._read(limit)

    @property
    def waiting(self) -> int:
        """How many received messages the caller has not taken."""
        return len(self._inbox)

    # -- use -------------------------------------------------------------------------------------------------------

    def received(self, limit: int = 2000) -> list[Message]:
        """Received messages, oldest first; nothing is acknowledged."""
        batch, self._inbox, self.held = self._inbox[:limit], self._inbox[limit:], 0
        self._inbox_bytes = sum(len(m.payload) for m in self._inbox)
        return batch

    def receive(self, timeout: float, limit: int = 2000) -> list[Message]:
        """Wait up to `timeout` seconds for messages and return them."""
        wait([self], timeout, limit)
        return self.received(limit)

    def ack(self, messages: Sequence[Message]) -> None:
        """Acknowledge stored messages. Those of an earlier connection are skipped: the broker redelivers them."""
        if self._client.socket() is not None:
            mine = [m for m in messages if m.epoch == self.epoch and m.qos]
            self._client.acknowledge(mine)
            if self._shared:
                self._open = max(self._open - len(mine), 0)
                self._acknowledge_passed()
        self._flush()

    def abort(self) -> None:
        """Close this connection without acknowledging; the broker redelivers everything unacknowledged."""
        self._inbox.clear()
        self._inbox_bytes = self.held = 0
        socket = self._client.socket()
        if socket is not None:
            self._client._sock_close()
            self._pause = _FIRST_PAUSE  # it is not the broker that failed
        self.connected = False

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> int:
        """Queue a message; its id appears in `delivered` once the broker acknowledged it (QoS 1)."""
        return self._client.publish(topic, payload, qos=qos, retain=retain).mid

    def delivered(self) -> list[int]:
        """Ids of messages acknowledged by the broker since the last call."""
        return _taken(self._delivered)

    def rejected(self) -> list[int]:
        """Ids of messages that the broker did not accept (MQTT 5), since the last call: it is not sent them again."""
        return _taken(self._rejected)

    def set_will(self, topic: str, payload: bytes) -> None:
        """Set what the broker publishes (retained) when this link ends unexpectedly. Call before the first connect."""
        self._client.will_set(topic, payload, qos=1, retain=True)

    def close(self) -> None:
        """Write what is queued and disconnect."""
        self._closing = True
        if self._client.socket() is not None:
            self._flush()
            self._client.disconnect()
            self._flush()
        self.connected = False


def _taken(ids: deque[int]) -> list[int]:
    done = list(ids)
    ids.clear()
    return done


def wait(links: Sequence[Link], timeout: float, limit: int = 2000, also: Sequence[Waitable] = ()) -> None:
    """Run the links until one of them has received a message, one of `also` is readable, or `timeout` s have passed."""
    for link in links:
        link.step()
    open_links = [link for link in links if link.fileno() >= 0]
    if any(len(link._inbox) > link.held or link._client.has_unread for link in links):
        timeout = 0.0
    if not open_links and not also:
        time.sleep(min(timeout, 0.1))
        return
    waiting = [link for link in open_links if link._client.want_write()]
    timeout = timeout if open_links else min(timeout, 0.1)
    readable, _, _ = select.select([*open_links, *also, *INTERRUPTS], waiting, [], timeout)
    for link in open_links:
        if link in readable or link._client.has_unread:
            link._read(limit)
    for link in open_links:
        link.step()
