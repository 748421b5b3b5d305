"""`cityvitals doctor`: looks for what would lose readings, and says what to do about it."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Literal, NamedTuple

from adapters.buffer import Buffer
from adapters.mqtt import Link, wait
from adapters.sntp import offset
from adapters.store import open_store
from cityvitals import enrol
from cityvitals.config import broker
from cityvitals.recover import damaged_files
from telemetry.errors import CityVitalsError
from telemetry.settings import BrokerSettings, Settings

Verdict = Literal["ok", "warning", "bad", "unknown"]
_PATIENCE, _LOW_DISK, _SOON = 5.0, 1 << 30, timedelta(days=30)
_OLD_BACKLOG_MS = 3_600_000


class Finding(NamedTuple):
    """One thing that was looked at."""

    verdict: Verdict
    what: str
    advice: str


def examine(settings: Settings, pki: Path | None, mosquitto: list[Path], time_server: str | None) -> Iterator[Finding]:
    """All findings. `pki`: the folder of `cityvitals enrol`; `mosquitto`: configuration files of our brokers."""
    s = settings.gateway
    places = {"edge broker": s.broker, "hub": s.uplink or s.broker, "ingest's broker": settings.ingest.broker}
    seen: set[str] = set()
    for name, place in places.items():
        if place.url not in seen:
            seen.add(place.url)
            yield reachable(name, place)
            yield from transport(name, place)
    yield store(settings.store.url)
    yield clock(time_server)
    yield disk(s.buffer)
    yield from buffer(s.buffer)
    yield from certificates(pki)
    for path in mosquitto:
        yield from broker_settings(path)


def shown(url: str) -> str:
    """An address without user and password."""
    return re.sub(r"//[^/]*@", "//", url)


def reachable(name: str, place: BrokerSettings) -> Finding:
    """Whether the broker lets us in."""
    link = Link(broker(place), f"doctor-{time.time_ns() % 1_000_000}", session=False)
    end = time.monotonic() + _PATIENCE
    while not link.connected and time.monotonic() < end:
        wait([link], 0.2)
    told = link.state
    link.close()
    if "connected to" in told:
        return Finding("ok", f"{name} {shown(place.url)}", "answers")
    return Finding("bad", f"{name} {shown(place.url)}", told or "does not answer; is it running, is the address right?")


def transport(name: str, place: BrokerSettings) -> Iterator[Finding]:
    """Plain MQTT beyond this machine."""
    host = broker(place).host
    if not broker(place).tls and host not in ("127.0.0.1", "::1", "localhost"):
        yield Finding("warning", f"{name} {shown(place.url)}", "is not encrypted; use mqtts://")


def store(url: str) -> Finding:
    """Whether the store can be read and written."""
    try:
        opened = open_store(url)
        opened.ping()
        opened.close()
    except CityVitalsError as error:
        return Finding("bad", f"store {shown(url)}", str(error))
    return Finding("ok", f"store {shown(url)}", "answers")


def clock(server: str | None) -> Finding:
    """How far our clock is from a time server's."""
    if server is None:
        return Finding("unknown", "clock", "not compared; give --time-server")
    try:
        away = offset(server)
    except OSError as error:
        return Finding("unknown", "clock", f"{server} does not answer ({error})")
    verdict: Verdict = "ok" if abs(away) < 1 else "warning" if abs(away) < 60 else "bad"
    advice = "" if verdict == "ok" else "; readings without a time of their own are stamped wrongly: run an NTP client"
    return Finding(verdict, "clock", f"{away:+.3f} s from {server}{advice}")


def disk(path: Path) -> Finding:
    """Room where the gateway keeps readings."""
    folder = next((p for p in [path.parent, *path.parent.parents] if p.exists()), Path())
    free = shutil.disk_usage(folder).free
    if free < _LOW_DISK:
        return Finding("warning", f"disk of {path}", f"{free >> 20} MB free; when it is full nothing is acknowledged")
    return Finding("ok", f"disk of {path}", f"{free >> 30} GB free")


def buffer(path: Path) -> Iterator[Finding]:
    """Backlog, holes and damaged files of the gateway."""
    for aside in damaged_files(path):
        yield Finding("warning", str(aside), f"not recovered: stop the gateway, `cityvitals recover {aside} ...`")
    if not path.is_file():
        yield Finding("unknown", f"buffer {path}", "there is none yet")
        return
    opened = Buffer(path, None)
    waiting, oldest = opened.backlog()
    age = time.time_ns() // 1_000_000 - (oldest or 0)
    late = oldest is not None and age > _OLD_BACKLOG_MS
    what = f"{waiting} windows are not in the store yet" + (f", the oldest is {age // 3_600_000} h old" if late else "")
    yield Finding("warning" if late else "ok", f"buffer {path}", what)
    dropped = opened.counters().get("gw_dropped", 0)
    if dropped:
        yield Finding(
            "bad", f"buffer {path}", f"{dropped} windows were given up unsent; give it more room or a way out"
        )
    holes = [t for t in opened.ledger.totals() if t.missing]
    for t in sorted(holes, key=lambda t: -t.missing)[:20]:
        yield Finding("warning", f"ledger {t.city}/{t.device}", f"{t.missing} of {t.sent} records are missing")
    if not holes:
        yield Finding("ok", "ledger", "no record is missing")
    opened.close()


def certificates(pki: Path | None) -> Iterator[Finding]:
    """Certificates that end within 30 days."""
    if pki is None:
        return
    now = enrol.utc_now()
    ending = enrol.expiring(pki, now, _SOON)
    for path, end in ending:
        verdict: Verdict = "bad" if end < now else "warning"
        yield Finding(verdict, str(path), f"ends on {end:%Y-%m-%d}: `cityvitals enrol revoke`, then enrol it anew")
    if not ending:
        yield Finding("ok", f"certificates in {pki}", "none ends within 30 days")


_WANTED = {
    "persistence": ("true", "without it a restart loses sessions and queues"),
    "max_queued_messages": ("0", "the default of 1000 drops what devices were told is safe"),
    "max_inflight_messages": ("0", "the default of 20 slows the gateway down"),
    "allow_anonymous": ("false", "anybody may publish readings"),
}


def broker_settings(path: Path) -> Iterator[Finding]:
    """A Mosquitto configuration, against what the promise needs."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        yield Finding("bad", str(path), f"cannot be read: {error}")
        return
    found = dict(re.findall(r"^([a-z_]+)[ \t]+(\S+)", text, re.MULTILINE))
    faults = [(k, want, why) for k, (want, why) in _WANTED.items() if found.get(k) != want]
    for key, want, why in faults:
        yield Finding("bad", f"{path}: {key} {found.get(key, 'not set')}", f"write `{key} {want}`: {why}")
    if "acl_file" not in found:
        yield Finding("bad", f"{path}: no acl_file", "every client may write everything; use deploy/mosquitto/*.acl")
    elif not faults:
        yield Finding("ok", str(path), "keeps sessions, drops nothing, knows its clients")
