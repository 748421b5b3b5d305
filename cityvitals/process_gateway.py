"""`cityvitals gateway`: build a gateway from the settings and run it until a signal arrives."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Protocol

from adapters.mqtt.broker_settings import broker
from adapters.mqtt.link import Link
from adapters.sqlite.connection import Damaged
from cityvitals.clock import now_ms
from cityvitals.memory import settle, steady_heap, trimming
from cityvitals.operation.recover import only_one, put_aside, sound_buffer
from cityvitals.operation.shares import check_start
from cityvitals.processes import cities_of, marking_ready, until_stopped, when_available
from cityvitals.sources import served_by, sources_of
from gateway.core import Core
from gateway.decoding.decoded import AHEAD
from gateway.plausible import Registered
from gateway.routes import Share, Source
from gateway.service import Gateway
from gateway.source_check import check_doors
from registry.city import City
from registry.health import BEAT_MS, beat_ms
from registry.settings import GatewaySettings, Settings
from telemetry.errors import UsageError
from telemetry.periods import iso
from telemetry.topics import stored_topic
from telemetry.windows import DAY

log = logging.getLogger(__name__)


def run_gateway(settings: Settings) -> None:
    """`cityvitals gateway`."""
    steady_heap()
    stop = until_stopped()
    with only_one(settings.gateway.buffer):
        ended = False
        while not ended:
            gateway, doors = _built(settings, stop)
            settle()
            try:
                await_clock(gateway.core.buffer.newest_window(), stop)
                for door in doors:
                    door.start()
                gateway.run(marking_ready(trimming(stop), partial(_subscribed, gateway)))
                ended = True
            except Damaged as error:
                gateway.abort()
                put_aside(settings.gateway.buffer, error)
            finally:
                gateway.inbox.close()
                stop_all(doors)


def stop_all(doors: Sequence[Door]) -> None:
    """Stop doors together: each may wait some seconds for its other side, and there may be twenty."""
    stops = [threading.Thread(target=door.stop, daemon=True) for door in doors]
    for stopping in stops:
        stopping.start()
    for stopping in stops:
        stopping.join()


def _built(settings: Settings, stop: Callable[[], bool]) -> tuple[Gateway, list[Door]]:
    """The gateway and its doors. The city files are read for it and not kept: 100,000 devices take 250 MB."""
    cities = cities_of(settings)
    gateway = when_available(lambda: make_gateway(settings.gateway, cities), stop)
    longest = BEAT_MS if settings.gateway.open_windows else max(BEAT_MS, settings.gateway.width_s * 1000)
    gateway.health_ms = beat_ms(settings.health.gateway_s, longest)
    return gateway, when_available(lambda: make_doors(settings.gateway, gateway, cities), stop)


def _subscribed(gateway: Gateway) -> bool:
    return gateway.source.subscribed


def await_clock(newest: int, stop: Callable[[], bool]) -> None:
    """Wait while this machine's clock is behind the newest stored reading (`newest`, ms).

    A computer without a clock battery starts in the past; the times of all devices would seem to be in the future.
    """
    logged = False
    while not stop() and now_ms() < newest - AHEAD:
        if not logged:
            log.error(
                "this machine's clock is behind the newest stored reading (%s); waiting until it is set", iso(newest)
            )
        logged = True
        time.sleep(0.2)


def make_gateway(s: GatewaySettings, cities: Sequence[City] = ()) -> Gateway:
    """A gateway by its settings; it serves `cities` and those that the settings name."""
    # Before the buffer is opened, to which the start of a gateway writes: a mistake in the settings changes nothing.
    source, uplink, sources = broker(s.broker), broker(s.uplink or s.broker), sources_of(s, cities)
    buffer = sound_buffer(s.buffer, s.width_s * 1000, now_ms())
    check_start(buffer, Share.parse(s.share))
    buffer.limit(s.max_buffer_mb << 20)
    for city in cities:
        buffer.table.set_rollovers(city.id, city.rollovers)
    core = Core(
        buffer,
        sources,
        s.max_payload_kb << 10,
        served_by(s, cities),
        Registered.of(cities),
        Share.parse(s.share),
        s.open_windows,
    )
    filters = list(dict.fromkeys(x.filter for x in core.sources if x.door == "mqtt"))
    log.info("gateway %s: %s, buffer %s", s.id, ", ".join(filters), s.buffer)
    return Gateway(
        s.id,
        core,
        Link(source, f"{s.id}-in", filters, foreign=core.routes.foreign()),
        Link(uplink, f"{s.id}-up", [stored_topic("+", s.id)]),
        now_ms,
        flush_ms=round(s.flush_s * 1000),
        keep_ms=round(s.keep_days * DAY),
        max_buffer_bytes=s.max_buffer_mb << 20,
        machine=partial(machine, s.buffer, [c for b in (s.broker, s.uplink) if b and (c := b.cert)]),
    )


def machine(buffer: Path, certificates: Sequence[Path]) -> dict[str, float]:
    """What a gateway reports of its machine: free disk where its buffer is (%), days until a certificate ends."""
    try:
        disk = shutil.disk_usage(buffer.parent)
        found = {"gw_disk_free": 100 * disk.free / disk.total}
    except OSError:
        found = {}
    if not certificates:
        return found
    from edge.tools.enrol import end_of  # noqa: PLC0415 - `cryptography` takes 9 MB

    try:
        ends = [end_of(path) for path in certificates]
    except UsageError:
        return found  # one that cannot be read is reported where the broker's connection is made
    return found | {"gw_cert_days": (min(ends) - datetime.now(UTC)).total_seconds() / 86_400}


class Door(Protocol):
    """A way in beside MQTT: it runs in a thread of its own."""

    def start(self) -> None:
        """Listen. Raises UsageError where it cannot."""
        ...

    def stop(self) -> None:
        """End."""
        ...


def make_doors(s: GatewaySettings, gateway: Gateway, cities: Sequence[City] = ()) -> list[Door]:
    """The doors beside MQTT that the settings name. Raises UsageError where sources need one that is not there."""
    check_doors(s, gateway.core.sources)
    if s.ocpp.port is None and any(x.family == "ocpp" for x in s.source):
        log.warning("no charging station can connect, only MQTT is read: set `port` in [gateway.ocpp]")
    doors: list[Door] = []
    if s.push.port is not None:
        from gateway.doors.push import PushDoor  # noqa: PLC0415 - its libraries are loaded only where they are used

        doors.append(PushDoor(s.push, gateway.core.sources, gateway.inbox))
    if s.ocpp.port is not None:
        from gateway.doors.ocpp import OcppDoor  # noqa: PLC0415

        doors.append(OcppDoor(s.ocpp, gateway.inbox, s.buffer.with_suffix(".transactions.db"), now_ms))
    return [*doors, *_brokers(s, gateway), *_wires(gateway), *_folders(gateway, cities)]


def _brokers(s: GatewaySettings, gateway: Gateway) -> Iterator[Door]:
    """A door for each further broker; all sources are read on every broker."""
    from gateway.doors.mqtt import MqttDoor  # noqa: PLC0415

    filters = list(dict.fromkeys(source.filter for source in gateway.core.sources if source.door == "mqtt"))
    for number, settings in enumerate(s.brokers, start=2):
        link = Link(broker(settings), f"{s.id}-in-{number}", filters, foreign=gateway.core.routes.foreign())
        yield MqttDoor(link, gateway.inbox, now_ms)


def _wires(gateway: Gateway) -> Iterator[Door]:
    """A door for each device on a serial line, and one for each Modbus line."""
    lines: dict[str, list[Source]] = {}
    for source in gateway.core.sources:
        if source.door == "serial" and source.line is not None:
            from gateway.doors.serial import SerialDoor  # noqa: PLC0415

            yield SerialDoor(source, gateway.inbox, now_ms)
        elif source.door == "modbus" and source.line is not None:
            lines.setdefault(source.line.settings.port, []).append(source)
    for sources in lines.values():
        from gateway.doors.modbus import ModbusDoor  # noqa: PLC0415

        yield ModbusDoor(sources, gateway.inbox, now_ms)


def _folders(gateway: Gateway, cities: Sequence[City]) -> Iterator[Door]:
    """A door for each folder into which files are dropped."""
    zones = {city.id: city.zone for city in cities}
    for source in gateway.core.sources:
        if source.folder is not None:
            from gateway.doors.files import FilesDoor  # noqa: PLC0415

            yield FilesDoor(source, gateway.inbox, zones.get)
