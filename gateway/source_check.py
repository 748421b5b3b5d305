"""Whether a configured source can work: topic filters, placeholders, cities, names and keys. Pure.

Raises UsageError with a sentence that names the source and what to write.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gateway.formats import is_mapped
from gateway.routes import Source
from registry.settings import LOOPBACK, GatewaySettings, OcppSettings, PushSettings, SourceSettings
from telemetry.errors import UsageError, nearest
from telemetry.quantities import QUANTITIES

PLACEHOLDERS = ("city", "device")
_NAMED = re.compile(r"\{([^{}]*?)(\*?)\}")
# Keys of a source that formats without a mapping do not read.
_ONLY_MAPPED = ("time_key",)


def check_sources(sources: Sequence[SourceSettings], cities: Sequence[str]) -> None:
    """Check all sources. `cities`: the ids of the city files, none where there is no city file."""
    for number, source in enumerate(sources, start=1):
        where = f"[[gateway.source]] number {number}"
        if source.family is None:
            own = is_mapped(source.format) and "device" in source.model_fields_set
            check_topic(source.topic, where, any_name=own)
            _check_keys(source, where)
        _check_city(source.city, cities, where)
        _check_names(source, where)


def check_topic(topic: str, where: str, any_name: bool = False) -> None:
    """Whether MQTT takes the topic's filter, and every placeholder is known and there once.

    `any_name`: the source says itself where the device's id stands, so that levels may have names of its own.
    """
    if topic.startswith("$share/"):
        raise UsageError(
            f"{where}: a shared subscription ('{topic}') deals one device's messages out to several gateways, whose"
            ' windows would replace each other. Write share = "1/2" under [gateway] of the first of two gateways, "2/2"'
            " of the second: each then takes its part of the devices."
        )
    levels, named = topic.split("/"), [name for name, _ in _NAMED.findall(topic)]
    for name in named:
        if name not in PLACEHOLDERS and not any_name:
            raise UsageError(
                f"{where}: '{{{name}}}' in the topic '{topic}' is not known; {nearest(name, PLACEHOLDERS)}"
            )
        if named.count(name) > 1:
            raise UsageError(f"{where}: '{{{name}}}' is in the topic '{topic}' twice; write + for the other level.")
    for level in levels:
        # A placeholder may be a part of its level: the level is subscribed as a whole and its text compared.
        if ("#" in level or "+" in level) and len(level) > 1:
            raise UsageError(f"{where}: + and # must fill their level of the topic; '{level}' in '{topic}' does not.")
    if "#" in levels[:-1]:
        raise UsageError(f"{where}: # is only allowed at the end of a topic, not as in '{topic}'.")


def _check_city(city: str | None, known: Sequence[str], where: str) -> None:
    if city is not None and known and city not in known:
        raise UsageError(f"{where}: no city file has the id '{city}'; {nearest(city, known)}")


def _check_names(source: SourceSettings, where: str) -> None:
    """`rename` leads to known quantities, to each from one name only."""
    seen: dict[str, str] = {}
    for name, quantity in source.rename.items():
        if quantity not in QUANTITIES:
            raise UsageError(
                f"{where}: rename leads to the unknown quantity '{quantity}'; {nearest(quantity, QUANTITIES)}"
            )
        if quantity in seen:
            raise UsageError(
                f"{where}: rename leads from '{seen[quantity]}' and '{name}' to one quantity, '{quantity}'."
            )
        seen[quantity] = name


def _check_keys(source: SourceSettings, where: str) -> None:
    if is_mapped(source.format):
        return
    for key in _ONLY_MAPPED:
        if key in source.model_fields_set:
            raise UsageError(f"{where}: '{key}' means nothing to the format '{source.format}'; leave it out.")


_PUSHED_ONLY = frozenset({"sensor_community", "ecowitt", "homeassistant_influx"})


def check_doors(s: GatewaySettings, sources: Sequence[Source]) -> None:
    """Whether the doors that the sources need are configured, and none is open to anybody without that being said."""
    if s.push.port is None and {x.family for x in s.source} & _PUSHED_ONLY:
        raise UsageError("A source is pushed by HTTP; set `port` in [gateway.push].")
    if s.push.port is not None:
        check_push(s.push, sources)
    if s.ocpp.port is not None:
        check_ocpp(s.ocpp)


def check_push(s: PushSettings, sources: Sequence[Source]) -> None:
    """Whether only those who may can push."""
    bare = [source.topic for source in sources if source.door == "push" and not source.token]
    if bare and not (s.host in LOOPBACK or s.open or s.client_ca):
        raise UsageError(
            f"Any client that reaches {s.host} could push to {bare[0]}: give its source a `token`, set"
            " `client_ca`, or write `open = true` under [gateway.push]."
        )


def check_ocpp(s: OcppSettings) -> None:
    """Whether only stations that may can connect."""
    if not (s.passwords or s.client_ca or s.open or s.host in LOOPBACK):
        raise UsageError(
            f"Any station that reaches {s.host} could connect: list [gateway.ocpp.passwords], set"
            " `client_ca`, or write `open = true` under [gateway.ocpp]."
        )
