"""Reference pages of what programs exchange: windows on the wire, KPI messages, and the metrics of the API."""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import msgspec
import numpy as np

from adapters.stores import open_store
from api.app import create_app
from api.settings import ApiSettings
from telemetry import topics, wire
from telemetry.kpi_value import KpiValue
from telemetry.partials import Partials, fold
from telemetry.readings import Readings
from telemetry.series import Series, SeriesTable
from telemetry.windows import MINUTE

_T0 = 1_735_689_600_000  # 2025-01-01T00:00:00Z


def wire_page() -> Iterator[str]:
    """The messages between gateway, ingest and readers, with an example made by the code."""
    yield "# Messages on the wire\n\nNodes send SenML, see [Payload formats](formats.md).\n"
    yield "Above the gateway these travel:\n"
    topic = topics.windows_topic("<city>", "<gateway>")
    yield f"## Windows\n\n`{topic}`, QoS 1. {_sentence(wire.__doc__)} {_sentence(wire.WindowsMessage.__doc__)}\n"
    yield "| field | type |\n|---|---|"
    for field in msgspec.structs.fields(wire.WindowsMessage):
        yield f"| `{field.name}` | `{_type(field.type)}` |"
    yield f"\nEach list from `at` on has one entry a window. {_sentence(Partials.__doc__)}"
    yield "Two readings of one minute:\n"
    yield f"```json\n{_example()}\n```\n"
    stored = topics.stored_topic("<city>", "<gateway>")
    yield f"## Receipts\n\n`{stored}`, QoS 1. {_sentence(topics.stored_topic.__doc__)}\n"
    yield f"## KPI values\n\n`{topics.kpi_topic('<city>', '<code>', '<part>')}`, QoS 1, retained. A JSON object:\n"
    yield "| field | type |\n|---|---|"
    for name, of in _fields(KpiValue):
        yield f"| `{name}` | `{of}` |"
    yield ""


def metrics_page() -> Iterator[str]:
    """The metrics of a running API, read from its own answer."""
    yield "# Metrics\n\n`GET /metrics` of the API, in Prometheus' text format; where tokens"
    yield "are used, one with the scope `metrics`. `deploy/prometheus/` has alert rules.\n"
    yield "| metric | type | meaning |\n|---|---|---|"
    text = _metrics()
    types = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.M))
    for name, meaning in re.findall(r"^# HELP (\w+) (.+)$", text, re.M):
        yield f"| `{name}` | {types[name]} | {meaning} |"


def _metrics() -> str:
    with TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{Path(folder) / 'empty.db'}")
        try:
            return asyncio.run(_get(httpx.ASGITransport(create_app(ApiSettings(public=True), store)), "/metrics"))
        finally:
            store.close()


async def _get(transport: httpx.ASGITransport, path: str) -> str:
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        return (await client.get(path)).text


def _example() -> str:
    table = SeriesTable()
    series = table.id_of(Series("town", "aq-1", "pm2_5"))
    partials = fold(
        Readings.of([series, series], [_T0, _T0 + 30_000], [8.1, 8.4]),
        MINUTE,
        table.modulus(np.array([series, series])),
    )
    message = msgspec.json.decode(wire.encode("town", MINUTE, partials, table, 7))
    return "{" + ",\n ".join(f'"{k}": {msgspec.json.encode(v).decode()}' for k, v in message.items()) + "}"


def _fields(row: type) -> list[tuple[str, str]]:
    if dataclasses.is_dataclass(row):
        return [(f.name, _type(f.type)) for f in dataclasses.fields(row)]
    return [(f.name, _type(f.type)) for f in msgspec.structs.fields(row)]


def _type(of: object) -> str:
    return (
        of.__name__
        if isinstance(of, type) and not hasattr(of, "__args__")
        else str(of).replace("typing.", "").replace(" | ", " or ")
    )


def _sentence(text: str | None) -> str:
    return " ".join(inspect.cleandoc(text or "").split())
