"""`cityvitals doctor`: whether the Kafka topics of a distributed engine exist, and how far their readers are behind."""

from __future__ import annotations

from collections.abc import Iterator

from cityvitals.operation.doctor_files import Finding, Verdict
from registry.settings import LogSettings
from telemetry.errors import Unavailable

BEHIND = 10_000  # records


def engine_log(settings: LogSettings) -> Iterator[Finding]:
    """Whether the topics exist, and how many records CityVitals' own readers are behind."""
    try:
        from adapters.kafka.progress import progress  # noqa: PLC0415 - the library is an extra
    except ModuleNotFoundError:
        yield Finding("unknown", "engine's log", "cannot be checked: the extra `kafka` is missing")
        return
    groups = {settings.values: settings.group, settings.records: f"{settings.group}-archive"}
    try:
        for found in progress(settings.brokers, groups, settings.client()):
            if found.places is None:
                advice = "does not exist; create it (docs/how-to/past-one-machine.md)"
                yield Finding("bad", f"topic {found.topic}", advice)
                continue
            yield Finding("ok", f"topic {found.topic}", f"{len(found.places)} partitions")
            yield _lag(found.group, found.topic, found.places)
    except Unavailable as error:
        yield Finding("bad", f"engine's log {settings.brokers}", str(error))


def _lag(group: str, topic: str, places: dict[int, tuple[int, int]]) -> Finding:
    """`places`: as in Progress."""
    if all(place < 0 for place, _ in places.values()):
        return Finding("unknown", f"reader {group}", f"has not read {topic} yet")
    behind = sum(end - max(place, 0) for place, end in places.values())
    verdict: Verdict = "ok" if behind < BEHIND else "warning"
    return Finding(verdict, f"reader {group}", f"{behind:,} records of {topic} are not stored yet")
