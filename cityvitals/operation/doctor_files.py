"""Files that `cityvitals doctor` checks: certificates that expire, and broker settings that lose messages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, NamedTuple

from edge.tools import enrol
from registry.settings import BrokerSettings
from telemetry.errors import UsageError, cause

Verdict = Literal["ok", "warning", "bad", "unknown"]
_SOON = timedelta(days=30)


class Finding(NamedTuple):
    """The result of one check."""

    verdict: Verdict
    what: str
    advice: str


def certificates(pki: Path | None) -> Iterator[Finding]:
    """Certificates and revocation lists in the folder of `cityvitals enrol` that expire within 30 days."""
    if pki is None:
        return
    found = enrol.dated_files(pki)
    if not found:
        yield Finding("bad", str(pki), "contains no certificates; give the folder that `cityvitals enrol` wrote to")
        return
    yield from _ending(f"certificates in {pki}", found, "`cityvitals enrol revoke`, then enrol the id a second time")


def shown_certificates(places: Mapping[str, BrokerSettings]) -> Iterator[Finding]:
    """Certificates that this machine's programs present or trust, and that expire within 30 days."""
    found = {path: None for place in places.values() for path in (place.cert, place.ca) if path and path.is_file()}
    if found:
        yield from _ending("certificates of the connections", list(found), "replace it by one that is valid longer")


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
        yield Finding("ok", what, "none expires within 30 days")


def _ends(path: Path, end: datetime, now: datetime, advice: str) -> str:
    if path.suffix == ".pem":
        advice = "the broker then rejects every client; renew it with `cityvitals enrol ca`"
    return f"{'expired' if end < now else 'expires'} on {end:%Y-%m-%d}: {advice}"


_WANTED = {
    "persistence": ("true", "without it, a restart loses sessions and queues"),
    "max_queued_messages": ("0", "the default of 1000 drops acknowledged messages"),
    "max_inflight_messages": ("0", "the default of 20 slows the gateway down"),
    "allow_anonymous": ("false", "it allows anyone to publish readings"),
}
_LONGEST_AUTOSAVE = 60


def broker_settings(path: Path) -> Iterator[Finding]:
    """Check a Mosquitto configuration, with the files it includes, against the settings that the guarantees need."""
    try:
        found = _settings(path)
    except (OSError, UnicodeDecodeError) as error:
        yield Finding("bad", str(path), f"cannot be read: {cause(error)}")
        return
    faults = list(_faults(path, found))
    yield from faults
    if not faults:
        yield Finding("ok", str(path), "stores sessions, drops nothing, authenticates its clients")


def _settings(path: Path) -> dict[str, list[str]]:
    """Each key with all its values: listeners may differ."""
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
                yield Finding("bad", f"{path}: {key} {value}", f"set `{key} {want}`: {why}")
    if "acl_file" not in found:
        yield Finding("bad", f"{path}: no acl_file", "every client may publish everything; use deploy/mosquitto/*.acl")
    for value in found.get("max_queued_bytes", []):
        if value != "0":
            yield Finding("bad", f"{path}: max_queued_bytes {value}", "remove it: a full queue drops messages")
    for value in found.get("message_size_limit", []):
        advice = "use max_packet_size: this setting acknowledges messages that it discards"
        yield Finding("warning", f"{path}: message_size_limit {value}", advice)
    for value in found.get("persistent_client_expiration", []):
        advice = "remove it: a client that is offline for longer loses its session and its queued messages"
        yield Finding("warning", f"{path}: persistent_client_expiration {value}", advice)
    saves = found.get("autosave_interval", ["not set"])[-1]
    if not saves.isdigit() or not 0 < int(saves) <= _LONGEST_AUTOSAVE:
        advice = (
            "set `autosave_interval 5`: a power cut loses the messages since the last save, by default half an hour"
        )
        yield Finding("warning", f"{path}: autosave_interval {saves}", advice)
