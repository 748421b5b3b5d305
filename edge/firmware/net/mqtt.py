"""Asynchronous MQTT 3.1.1 client for one long-lived connection.

A publication stays in flight until its PUBACK, across any number of sessions; after a reconnect it is resent
under its packet id. A packet is never written in pieces (several small writes meet Nagle and delayed ACK: 44 ms
a message). Every wait has a limit. A session is persistent; lost subscriptions are renewed.
"""

import asyncio
import os

from micropython import const

from .. import lazy
from ..eventlog import reason
from . import packets

_CONNECT_MS = const(20000)
_ACK_MS = const(20000)
_STABLE_MS = const(60000)
_BEAT_MS = const(60000)  # the task beats at least this often, however long the configured wait
_WAIT_MS = const(1000)  # the first bound of the waits between two attempts
_JOINED = const(512)  # bytes of small packets that leave in one write
_CONNACK = const(2)
_PUBLISH = const(3)
_PUBACK = const(4)
_REFUSALS = const("protocol version|client id|server unavailable|wrong user or password|not authorised")
_SUBACK = const(9)
_UNSUBACK = const(11)


class LinkError(Exception):
    """The session has failed; the client closes it and retries."""


class Client:
    """`board` gives link, connect, ticks_ms and sleep_ms; `options` host, port, keepalive_s, window, tls, user,
    password; `say(part, text)` is called at every change of the connection's state.
    """

    def __init__(self, board, client_id, options, will, birth, topics, on_message, say=None):
        self.board = board
        self.say = say or (lambda *_: None)
        self.stage = ""
        self.client_id = client_id
        self.options = options
        self.will = will
        self.birth = birth
        self.topics = list(topics)
        self.on_message = on_message
        self.online = False
        self.sessions = 0
        self.acks = 0
        self.beat = lambda: None
        self._window = options.get("window", 4)
        self._flight = {}
        self._waiting = {}
        self._pid = 0
        self._room = asyncio.Event()
        self._out = []
        self._wake = asyncio.Event()
        self._splitter = packets.Splitter(options.get("limit", 1024))
        self._bound = _WAIT_MS

    # ---- for the rest of the firmware ----

    async def publish(self, topic, make, on_ack=None, retain=False, beat=None):
        """Send a QoS 1 publication when the window has room; returns when it is in flight.

        `make()` builds the payload, for each retry too, so that it is never stale; None means that there is nothing
        left to send. `on_ack()` is called once, after the broker's PUBACK. `beat()` is called now and then
        while there is no room, to show that the publisher is alive.
        """
        while not self.online or len(self._flight) >= self._window:
            self._room.clear()
            await self._room.wait()
            if beat:
                beat()
        payload = make()
        if payload is not None:
            pid = self._next_pid()
            self._flight[pid] = (topic, make, on_ack, retain, self.board.ticks_ms())
            self._send(packets.publish(topic, payload, pid, retain))

    def ask_for(self, topics):
        """Subscribe on this session only, for retained messages; the caller waits for them, not for the SUBACK."""
        self._send(lazy.load("net.session_packets").subscribe(self._next_pid(), topics))

    def give_up(self, topics):
        """End a subscription made with `ask_for`."""
        self._send(lazy.load("net.session_packets").unsubscribe(self._next_pid(), topics))

    async def run(self):
        """Connect, serve, wait, forever."""
        while True:
            self._alive()
            started = self.board.ticks_ms()
            try:
                self.stage = "network"
                await self.board.link(self._alive)
                await self._session()
            except asyncio.TimeoutError:
                self.say("broker", self.stage + ": no answer")
            except (OSError, LinkError, ValueError, IndexError, UnicodeError, EOFError) as err:
                # The next session may work, whatever the cause.
                self.say("broker", "%s: %s" % (self.stage, reason(err)))
            self.online = False
            # Limits attempts at a broker that accepts and then disconnects: only a stable session resets the wait.
            if self.board.ticks_ms() - started > _STABLE_MS and self.sessions:
                self._bound = _WAIT_MS
            await self._pause(self._wait_ms())

    def _wait_ms(self):
        """Exponential back-off with full jitter: a city's nodes must not come back in step after an outage."""
        bound = self._bound
        self._bound = min(2 * bound, self.options.get("backoff_max_s", 300) * 1000)
        return int.from_bytes(os.urandom(3), "little") * bound >> 24

    async def _pause(self, ms):
        while ms > 0:
            self._alive()
            await self.board.sleep_ms(min(ms, _BEAT_MS))
            ms -= _BEAT_MS

    def _alive(self):
        self.beat()
        self._room.set()  # waiting publishers check for room, and beat

    # ---- one session ----

    async def _session(self):
        options = self.options
        writer = reader = await self.board.within(
            self.board.connect(options["host"], options["port"], options.get("tls"), self._at), _CONNECT_MS
        )
        self._alive()
        self._out.clear()
        self._waiting.clear()
        splitter = self._splitter
        splitter.clear()
        tasks = []
        try:
            await self.board.within(self._handshake(reader, writer, splitter), _CONNECT_MS)
            lazy.unload("net.dial", "net.dns", "net.names")
            self._rx = self._tx = self.board.ticks_ms()
            over = asyncio.Event()
            jobs = (self._read(reader, splitter), self._write(writer), self._keep())
            tasks = [asyncio.create_task(self._part(job, over)) for job in jobs]
            await over.wait()
            raise self._failure
        finally:
            for task in tasks:
                task.cancel()
            await self._close(writer)

    def _at(self, stage):
        """Note the stage of a connection, for error messages."""
        self.stage = stage

    async def _part(self, job, over):
        """Run one part of the session; the first failure ends them all."""
        try:
            await job
        except asyncio.CancelledError:
            raise
        except Exception as err:
            self._failure = err
            over.set()

    async def _close(self, writer):
        try:
            writer.close()
            await self.board.within(writer.wait_closed(), 1000)
        except (OSError, asyncio.TimeoutError):
            pass

    async def _handshake(self, reader, writer, splitter):
        opts = self.options
        writer.write(
            lazy.load("net.session_packets").connect(
                self.client_id, opts.get("keepalive_s", 60), self.will, opts.get("user"), opts.get("password")
            )
        )
        await writer.drain()
        self.stage = "CONNACK"
        packet = None
        while packet is None:
            splitter.feed(await self._some(reader))
            packet = splitter.next()
        first, body, _ = packet
        if first >> 4 != _CONNACK or body[1]:
            names = _REFUSALS.split("|")
            why = names[body[1] - 1] if 0 < body[1] <= len(names) else "not a CONNACK"
            raise LinkError("refused with code %d: %s" % (body[1], why))
        self.present = bool(body[0] & 1)
        self.stage = "session"

    async def _begin(self):
        """Subscribe if the broker has no session, publish the birth message, resend what was in flight."""
        self.sessions += 1
        # Also once per boot: retained messages must be delivered a second time, as power may have failed while storing
        # them.
        if not self.present or self.sessions == 1:
            await self._subscribe()
        topic, make = self.birth
        self._send(packets.publish(topic, make(), self._next_pid(), True))
        for pid in sorted(self._flight, key=lambda pid: self._flight[pid][4]):
            self._send_flight(pid, self.present)
        lazy.unload("net.session_packets")
        self.online = True
        self.say("broker", "connected to %s:%d" % (self.options["host"], self.options["port"]))
        self._room.set()

    async def _some(self, reader):
        data = await reader.read(packets.READ)
        if not data:
            raise EOFError("closed by the broker")
        return data

    async def _read(self, reader, splitter):
        while True:
            packet = splitter.next()
            while packet is not None:
                self._handle(packet[0], packet[1], packet[2])
                packet = splitter.next()
            splitter.feed(await self._some(reader))
            self._rx = self.board.ticks_ms()

    async def _write(self, writer):
        while True:
            if not self._out:
                self._wake.clear()
                await self._wake.wait()
            self._write_out(writer)
            await writer.drain()
            self._tx = self.board.ticks_ms()

    def _write_out(self, writer):
        """Whole packets in one write: small ones leave together, a large one is not copied.

        Not in `_write`, whose frame would hold the packet until the next one.
        """
        count = size = 0
        for packet in self._out:
            size += len(packet)
            if count and size > _JOINED:
                break
            count += 1
        data = self._out[0] if count == 1 else b"".join(self._out[:count])
        del self._out[:count]
        writer.write(data)

    async def _keep(self):
        """Begin, then ping at half the interval; 1.5 intervals of silence or a missing PUBACK end the session."""
        await self._begin()
        interval = self.options.get("keepalive_s", 60) * 1000
        while True:
            await self._pause(min(interval // 4, _BEAT_MS))
            now = self.board.ticks_ms()
            if now - self._rx > interval * 3 // 2:
                raise LinkError("silent broker")
            if any(now - entry[4] > _ACK_MS + interval for entry in self._flight.values()):
                raise LinkError("no acknowledgement")
            if now - self._rx > interval // 2 or now - self._tx > interval // 2:
                self._send(b"\xc0\x00")  # PINGREQ

    # ---- packets ----

    def _handle(self, first, body, whole):
        kind = first >> 4
        if kind == _PUBACK:
            self._acknowledged(body[0] << 8 | body[1])
        elif kind == _PUBLISH:
            topic, pid, payload, retained = packets.parse_publish(first, body)
            # Processed before it is acknowledged; an oversized one is reported without its payload.
            self.on_message(topic, payload if whole else None, retained)
            if pid:
                self._send(packets.puback(pid))
        elif kind in (_SUBACK, _UNSUBACK):
            event = self._waiting.get(body[0] << 8 | body[1])
            if event:
                event.set()

    def _acknowledged(self, pid):
        self.acks += 1
        entry = self._flight.pop(pid, None)
        if entry is None:
            return  # the birth message, or a late duplicate
        self._room.set()
        if entry[2]:
            entry[2]()

    def _send(self, packet):
        self._out.append(packet)
        self._wake.set()

    def _send_flight(self, pid, dup):
        topic, make, on_ack, retain, _ = self._flight[pid]
        payload = make()
        if payload is None:
            del self._flight[pid]
            self._room.set()
            return
        self._flight[pid] = (topic, make, on_ack, retain, self.board.ticks_ms())
        self._send(packets.publish(topic, payload, pid, retain, dup))

    async def _subscribe(self):
        pid = self._next_pid()
        event = self._waiting[pid] = asyncio.Event()
        self._send(lazy.load("net.session_packets").subscribe(pid, self.topics))
        try:
            await self.board.within(event.wait(), _ACK_MS)
        finally:
            self._waiting.pop(pid, None)

    def _next_pid(self):
        """Packet ids run 1..65535 and skip those still in use."""
        while True:
            self._pid = self._pid % 65535 + 1
            if self._pid not in self._flight and self._pid not in self._waiting:
                return self._pid
