"""`cityvitals doctor`: checks for faults that would lose readings, each with advice."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

from adapters.mqtt.broker_settings import broker
from adapters.mqtt.link import Link, wait
from adapters.sntp import offset
from adapters.sqlite.buffer import Buffer
from adapters.sqlite.connection import Damaged
from adapters.store import Store
from adapters.stores import open_store
from cityvitals.operation.doctor_devices import last_heartbeat, unregistered_series
from cityvitals.operation.doctor_files import Finding, Verdict, broker_settings, certificates, shown_certificates
from cityvitals.operation.doctor_log import engine_log
from cityvitals.operation.doctor_private import readable_by_others
from cityvitals.operation.recover import damaged_files
from registry.config import load_city
from registry.health import checks
from registry.settings import LOOPBACK, BrokerSettings, Settings
from telemetry.errors import CityVitalsError, UsageError, cause
from telemetry.periods import iso

__all__ = ["Finding", "broker_settings", "certificates", "examine"]

_CONNECT_S, _LOW_DISK = 5.0, 1 << 30
_OLD_BACKLOG_MS = 3_600_000


def examine(settings: Settings, pki: Path | None, mosquitto: list[Path], time_server: str | None) -> Iterator[Finding]:
    """All findings. `pki`: the folder of `cityvitals enrol`; `mosquitto`: configuration files of brokers.

    Of gateway, ingest and store, those named by the configuration are checked, because a machine seldom runs all. Where
    it names none, all are checked, unless `pki` or `mosquitto` is given, as on a machine that issues certificates.
    """
    known = {"gateway", "ingest", "store"}
    parts = known & settings.model_fields_set or (set() if pki or mosquitto else known)
    brokers = places(settings, parts)
    for name, place in brokers.items():
        yield from connection(name, place)
    yield from shown_certificates(brokers)
    if "store" in parts:
        yield from store(settings)
    if "log" in settings.model_fields_set:
        yield from engine_log(settings.log)
    if parts or time_server:
        yield clock(time_server)
    for path in files(settings, parts):
        yield disk(path)
    if "gateway" in parts:
        yield from buffer(settings.gateway.buffer)
        yield from gateway_runs(settings)
        yield from devices(settings)
        yield from users(settings)
    yield from certificates(pki)
    yield from readable_by_others(settings, pki, os.environ)
    for path in mosquitto:
        yield from broker_settings(path)


def places(settings: Settings, parts: set[str]) -> dict[str, BrokerSettings]:
    """The brokers of these parts; each address with each user once."""
    s = settings.gateway
    named = {"edge broker": s.broker, "hub": s.uplink or s.broker} if "gateway" in parts else {}
    if "ingest" in parts:
        named["ingest's broker"] = settings.ingest.broker
    found: dict[str, BrokerSettings] = {}
    for name, place in named.items():
        if place not in found.values():
            found[name] = place
    return found


def files(settings: Settings, parts: set[str]) -> list[Path]:
    """Files of these parts on this machine, one of each folder."""
    of_part = {"gateway": settings.gateway.buffer, "ingest": settings.ingest.rejects}
    if settings.store.url.startswith("sqlite:///"):
        of_part["store"] = Path(settings.store.url.removeprefix("sqlite:///"))
    return list({path.parent: path for part, path in of_part.items() if part in parts}.values())


def shown(url: str) -> str:
    """An address without user and password."""
    return re.sub(r"//[^/]*@", "//", url)


def connection(name: str, place: BrokerSettings) -> Iterator[Finding]:
    """Whether a broker is usable as configured."""
    try:
        broker(place)
    except UsageError as error:
        yield Finding("bad", name, str(error))
        return
    yield reachable(name, place)
    yield from transport(name, place)


def reachable(name: str, place: BrokerSettings) -> Finding:
    """Whether the broker accepts a connection."""
    link = Link(broker(place), f"doctor-{time.time_ns() % 1_000_000}", session=False)
    end = time.monotonic() + _CONNECT_S
    while not link.connected and " rejected " not in link.state and time.monotonic() < end:
        wait([link], 0.2)
    status, connected = link.state.removesuffix("; retrying"), link.connected
    link.close()
    if connected:
        return Finding("ok", f"{name} {shown(place.url)}", "answers")
    if link.broker.tls and "lost" in status:
        status = "closes the connection: client certificate missing, expired, revoked or of another city? See its log"
    return Finding(
        "bad", f"{name} {shown(place.url)}", status or "does not answer; is it running, is the address right?"
    )


def transport(name: str, place: BrokerSettings) -> Iterator[Finding]:
    """Unencrypted MQTT to another machine."""
    host = broker(place).host
    if not broker(place).tls and host not in LOOPBACK:
        yield Finding("warning", f"{name} {shown(place.url)}", "is not encrypted; use mqtts://")


def store(settings: Settings) -> Iterator[Finding]:
    """Whether the store can be read and written, who was heard there, and whose city file it has; none is created."""
    url = settings.store.url
    path = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite:///") and not path.exists():
        yield Finding("unknown", f"store {shown(url)}", absent(path, "cityvitals ingest"))
        return
    try:
        opened = open_store(url)
        opened.ping()
        found = checks(opened.heartbeats(), time.time_ns() // 1_000_000, settings.health)
        older = [*older_files(opened, settings.city_files), *deleted_windows(opened)]
        opened.close()
    except CityVitalsError as error:
        yield Finding("bad", f"store {shown(url)}", str(error))
        return
    yield Finding("ok", f"store {shown(url)}", "answers")
    verdicts: dict[bool | None, Verdict] = {True: "ok", False: "bad", None: "unknown"}
    yield from (Finding(verdicts[c.ok], c.name, c.text) for c in found)
    yield from older


def deleted_windows(opened: Store) -> Iterator[Finding]:
    """Cities whose older windows are deleted."""
    for record in opened.cities():
        if kept := opened.kept(record.id, "window"):
            rest = "what is made from them cannot be derived again, hours and values stay"
            yield Finding("ok", f"windows of {record.id}", f"{kept.sentence()}; {rest}")


def older_files(opened: Store, paths: Iterable[Path]) -> Iterator[Finding]:
    """City files that differ from the store's, which a running ingest still uses."""
    from reporting.city_file import older_file  # noqa: PLC0415 - the catalogue takes a moment to import

    for path in paths:
        try:
            city = load_city(path)
        except UsageError:
            continue  # reported where the files are checked
        record = opened.city(city.id)
        if record and (older := older_file(record, city)):
            advice = "restart `cityvitals ingest`, which recalculates what it changes"
            yield Finding("warning", f"city file {path}", f"{older}; {advice}")


def gateway_runs(settings: Settings) -> Iterator[Finding]:
    """Whether the gateway of this machine runs: it stores its own counters twice a minute."""
    name, path = f"gateway {settings.gateway.id} on this machine", settings.gateway.buffer
    if not path.is_file():
        return
    try:
        heard = last_heartbeat(path)
    except CityVitalsError:
        return  # reported where the buffer is checked
    if heard is None:
        yield Finding("unknown", name, "has not run with this buffer yet")
        return
    ago = (time.time_ns() // 1_000_000 - heard) / 1000
    if ago <= settings.health.gateway_s:
        yield Finding("ok", name, f"last heartbeat {iso(heard)}, {ago:,.0f} s ago")
    else:
        advice = f"over {settings.health.gateway_s:g} s; is `cityvitals gateway` running?"
        yield Finding("bad", name, f"last heartbeat {iso(heard)}, {ago:,.0f} s ago, {advice}")


def clock(server: str | None) -> Finding:
    """The offset of this machine's clock from a time server's."""
    if server is None:
        return Finding("unknown", "clock", "not compared; give --time-server")
    try:
        away = offset(server)
    except (OSError, ValueError) as error:
        return Finding(
            "unknown", "clock", f"{server} does not answer ({cause(error)}); use --time-server host or host:123"
        )
    verdict: Verdict = "ok" if abs(away) < 1 else "warning" if abs(away) < 60 else "bad"
    advice = "" if verdict == "ok" else "; readings without a time of their own get a wrong time: run an NTP client"
    return Finding(verdict, "clock", f"{away:+.3f} s from {server}{advice}")


def absent(path: Path, program: str) -> str:
    """Where a file is missed: a relative path is read from the folder in which a program is started."""
    return f"there is no {path.absolute()}; `{program}` creates it in the folder in which it is started"


def disk(path: Path) -> Finding:
    """Free space on the disk of a file."""
    folder = next((p for p in [path.parent, *path.parent.parents] if p.exists()), Path())
    free = shutil.disk_usage(folder).free
    if free < _LOW_DISK:
        return Finding("warning", f"disk of {path}", f"{free >> 20} MB free; nothing is acknowledged when it is full")
    return Finding("ok", f"disk of {path}", f"{free >> 30} GB free")


def buffer(path: Path) -> Iterator[Finding]:
    """Backlog, missing records and damaged files of the gateway."""
    for aside in damaged_files(path):
        advice = f"not recovered: stop the gateway, `cityvitals recover {aside} --buffer {path}`"
        yield Finding("warning", str(aside), advice)
    if not path.is_file():
        yield Finding("unknown", f"buffer {path}", absent(path, "cityvitals gateway"))
        return
    try:
        with closing(Buffer(path, None)) as opened:
            yield from _backlog(opened)
            yield from _missing(opened)
    except Damaged as error:
        advice = f"{error} At its start the gateway sets it aside, continues with a new one and logs how to recover it."
        yield Finding("bad", f"buffer {path}", advice)
    except CityVitalsError as error:
        yield Finding("bad", f"buffer {path}", str(error))


def devices(settings: Settings) -> Iterator[Finding]:
    """Devices and quantities that arrive and are in no KPI, because no city file lists them."""
    try:
        cities = {path: load_city(path) for path in settings.city_files}
        for sentence in unregistered_series(settings.gateway.buffer, cities):
            yield Finding("warning", "unregistered", sentence)
    except CityVitalsError:
        return  # reported where the files and the buffer are checked


def _backlog(opened: Buffer) -> Iterator[Finding]:
    dirty, oldest = opened.backlog()
    age = time.time_ns() // 1_000_000 - (oldest or 0)
    late = oldest is not None and age > _OLD_BACKLOG_MS
    what = f"{dirty} windows are not confirmed by the store yet" + (
        f", the oldest is {age // 3_600_000} h old" if late else ""
    )
    yield Finding("warning" if late else "ok", f"buffer {opened.path}", what)
    dropped = opened.counters().get("gw_dropped", 0)
    if dropped:
        advice = f"{dropped} windows were deleted unsent; enlarge max_buffer_mb or fix the uplink"
        yield Finding("bad", f"buffer {opened.path}", advice)


def _missing(opened: Buffer) -> Iterator[Finding]:
    incomplete = [t for t in opened.ledger.totals() if t.missing]
    for t in sorted(incomplete, key=lambda t: -t.missing)[:20]:
        yield Finding("warning", f"ledger {t.city}/{t.device}", f"{t.missing} of {t.sent} records are missing")
    if not incomplete:
        yield Finding("ok", "ledger", "no record is missing")


def users(settings: Settings) -> Iterator[Finding]:
    """Chargers whose users could be identified."""
    for path in settings.city_files if settings.gateway.user_key is None else []:
        try:
            city = load_city(path)
        except UsageError as error:
            yield Finding("bad", str(path), str(error))
            continue
        if any(device.kind == "ev_charger" for device in city.device):
            advice = "gateway.user_key is not set: a list of all cards would identify who charged (docs/security.md)"
            yield Finding("warning", f"chargers of {city.id}", advice)
