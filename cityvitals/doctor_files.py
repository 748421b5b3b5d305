"""What `cityvitals doctor` reads in files: certificates that end, and settings of brokers that lose messages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, NamedTuple

from edge.tools import enrol
from registry.settings import BrokerSettings
from telemetry.errors import UsageError

Verdict = Literal["ok", "warning", "bad", "unknown"]
_SOON = timedelta(days=30)


class Finding(NamedTuple):
    """One thing that was looked at."""

    verdict: Verdict
    what: str
    advice: str


def certificates(pki: Path | None) -> Iterator[Finding]:
    """Certificates and lists of the folder of `cityvitals enrol` that end within 30 days."""
    if pki is None:
        return
    found = enrol.dated_files(pki)
    if not found:
        yield Finding("bad", str(pki), "holds no certificates; give the folder that `cityvitals enrol` wrote to")
        return
    yield from _ending(f"certificates in {pki}", found, "`cityvitals enrol revoke`, then enrol it anew")


def shown_certificates(places: Mapping[str, BrokerSettings]) -> Iterator[Finding]:
    """Certificates that this machine's programs show or trust, and that end within 30 days."""
    found = {path: None for place in places.values() for path in (place.cert, place.ca) if path and path.is_file()}
    if found:
        yield from _ending("certificates of the connections", list(found), "put one here that lasts longer")


def _ending(what: str, paths: list[Path], advice: str) -> Iterator[Finding]:
    now, fine = enrol.utc_now(), True
    for path in paths:
        try:
            end = enrol.end_of(path)
        except UsageError as error:
            fine = False
            yield Finding("bad", str(path), str(error))
            continue
        if end < now + _SOON:
            fine = False
            yield Finding("bad" if end < now else "warning", str(path), _ends(path, end, now, advice))
    if fine:
        yield Finding("ok", what, "none ends within 30 days")


def _ends(path: Path, end: datetime, now: datetime, advice: str) -> str:
    if path.suffix == ".pem":
        advice = "the broker refuses everybody then; `cityvitals enrol ca` writes it anew"
    return f"{'ended' if end < now else 'ends'} on {end:%Y-%m-%d}: {advice}"


_WANTED = {
    "persistence": ("true", "without it a restart loses sessions and queues"),
    "max_queued_messages": ("0", "the default of 1000 drops what devices were told is safe"),
    "max_inflight_messages": ("0", "the default of 20 slows the gateway down"),
    "allow_anonymous": ("false", "anybody may publish readings"),
}
_LONGEST_AUTOSAVE = 60


def broker_settings(path: Path) -> Iterator[Finding]:
    """A Mosquitto configuration with what it includes, against what the promise needs."""
    try:
        found = _settings(path)
    except (OSError, UnicodeDecodeError) as error:
        yield Finding("bad", str(path), f"cannot be read: {error}")
        return
    faults = list(_faults(path, found))
    yield from faults
    if not faults:
        yield Finding("ok", str(path), "keeps sessions, drops nothing, knows its clients")


def _settings(path: Path) -> dict[str, list[str]]:
    """Each key with all its values: a listener may differ from the one before."""
    found: dict[str, list[str]] = {}
    for key, value in re.findall(r"^[ \t]*([a-z_]+)[ \t]+(\S+)", path.read_text(encoding="utf-8"), re.MULTILINE):
        found.setdefault(key, []).append(value)
    for folder in found.get("include_dir", []):
        for inner in sorted(Path(folder).glob("*.conf")):
            for key, values in _settings(inner).items():
                found.setdefault(key, []).extend(values)
    return found


def _faults(path: Path, found: Mapping[str, list[str]]) -> Iterator[Finding]:
    for key, (want, why) in _WANTED.items():
        for value in found.get(key, ["not set"]):
            if value != want:
                yield Finding("bad", f"{path}: {key} {value}", f"write `{key} {want}`: {why}")
    if "acl_file" not in found:
        yield Finding("bad", f"{path}: no acl_file", "every client may write everything; use deploy/mosquitto/*.acl")
    for value in found.get("max_queued_bytes", []):
        if value != "0":
            yield Finding("bad", f"{path}: max_queued_bytes {value}", "take it out: a full queue drops messages")
    for value in found.get("message_size_limit", []):
        advice = "use max_packet_size: this acknowledges what it throws away"
        yield Finding("warning", f"{path}: message_size_limit {value}", advice)
    for value in found.get("persistent_client_expiration", []):
        advice = "take it out: who is away for longer loses the session and all that waits in it"
        yield Finding("warning", f"{path}: persistent_client_expiration {value}", advice)
    saves = found.get("autosave_interval", ["not set"])[-1]
    if not saves.isdigit() or not 0 < int(saves) <= _LONGEST_AUTOSAVE:
        advice = "write `autosave_interval 5`: a power cut costs what came since the last save, by default half an hour"
        yield Finding("warning", f"{path}: autosave_interval {saves}", advice)
