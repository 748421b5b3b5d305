"""`cityvitals bridge`, `values` and `archive`: both ends of a distributed engine, run until a signal arrives.

And `cityvitals move`, which copies a city from the store to the engine.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from adapters.kafka.topics import Appender, Entry, Reader
from adapters.mqtt.broker_settings import broker
from adapters.mqtt.link import Link
from adapters.sqlite.order import Order
from adapters.sqlite.owners import Owners
from adapters.sqlite.rejects import Rejects
from adapters.store import CityRecord, Store
from cityvitals.clock import now_ms
from cityvitals.operation.recover import only_one, sound_rejects
from cityvitals.processes import cities_of, open_answering, until_stopped, when_available
from ingest.core import Ingest
from registry.settings import Settings
from scale.archive import Archive, LogLink
from scale.bridge import Bridge
from scale.moving import moved
from scale.values import Values
from telemetry.errors import UsageError

log = logging.getLogger(__name__)

_WIDTH = 60  # s: of the windows of the job
_AT_ONCE = 20  # records that are appended before the next are read: 5 MB
_PAUSE = 2.0  # s between attempts while the store does not answer


def run_bridge(settings: Settings) -> None:
    """`cityvitals bridge`. It uses the id, topic and file of the ingest, so that a city can move between the two."""
    if settings.gateway.width_s != _WIDTH:
        raise UsageError(f"The job of the distributed engine has windows of {_WIDTH} s; set gateway.width_s to it.")
    stop = until_stopped()
    cities = cities_of(settings)
    with only_one(settings.ingest.rejects, "Stop the ingest or the other bridge first: they read the same messages."):
        rejects = when_available(lambda: sound_rejects(settings.ingest.rejects, [c.id for c in cities]), stop)
        link = Link(broker(settings.ingest.broker), settings.ingest.id, [settings.ingest.topic])
        appender = Appender(settings.log.brokers, settings.log.records, settings.log.client())
        every = round(settings.log.tick_s * 1000)
        bridge = Bridge(link, appender, Order(rejects.db), cities, now_ms, every)
        when_available(bridge.start, stop)
        log.info("writing windows of %d cities to %s", len(cities), settings.log.records)
        bridge.run(stop)


def run_archive(settings: Settings) -> None:
    """`cityvitals archive`. An ingest that is started on the store later derives every value once."""
    stop = until_stopped()
    cities = cities_of(settings)
    names = {city.id for city in cities}
    own = settings.ingest.rejects.with_name(f"{settings.ingest.rejects.stem}-archive.db")
    with only_one(own, "Stop the other archive first: it stores the same windows."):
        rejects = when_available(lambda: sound_rejects(own, sorted(names)), stop)
        when_available(partial(_mark_underived, settings.ingest.rejects, names), stop)
        ingest = Ingest(when_available(lambda: open_answering(settings.store.url), stop))
        for city in cities:
            when_available(partial(ingest.add_city, city, _WIDTH * 1000), stop)
        group = f"{settings.log.group}-archive"
        reader = Reader(settings.log.brokers, settings.log.records, group, settings.log.client())
        link: Any = LogLink(reader, names)
        log.info("storing windows of %s", settings.log.records)
        try:
            Archive(ingest, link, rejects, now_ms, publish=False).run(stop)
        finally:
            reader.close()


def run_move(settings: Settings, name: str) -> int:
    """`cityvitals move`: append all that the store has of a city to the log. Returns how many records."""
    if settings.gateway.width_s != _WIDTH:
        raise UsageError(f"The job of the distributed engine has windows of {_WIDTH} s; set gateway.width_s to it.")
    if name not in (known := [city.id for city in cities_of(settings)]):
        raise UsageError(f"'{name}' is not a city of this configuration; it has {', '.join(known) or 'none'}.")
    with only_one(settings.ingest.rejects, "Stop the ingest and the bridge first: the city must not change meanwhile."):
        rejects = sound_rejects(settings.ingest.rejects, known)
        owners = Owners(rejects.db).of_city(name)
        appender = Appender(settings.log.brokers, settings.log.records, settings.log.client())
        records = moved(open_answering(settings.store.url), name, owners, now_ms())
        count = 0
        while part := [Entry(name.encode(), record.encoded()) for record in islice(records, _AT_ONCE)]:
            appender.append(part)
            count += len(part)
    return count


def _mark_underived(path: Path, cities: Iterable[str]) -> None:
    """The next start of the ingest derives everything of these cities."""
    rejects = Rejects.open(path)
    rejects.mark_underived(cities)
    rejects.db.close()


def run_values(settings: Settings) -> None:
    """`cityvitals values`. Cities that the store does not have yet get the file of the configuration."""
    stop = until_stopped()
    cities = cities_of(settings)

    def opened() -> Store:
        store = open_answering(settings.store.url)
        for city in cities:
            config = city.model_dump(mode="json", exclude_defaults=True)
            stored = store.city(city.id) or CityRecord(city.id, config, _WIDTH * 1000)
            store.put_city(stored._replace(config=config))
        return store

    store = when_available(opened, stop)
    reader = Reader(settings.log.brokers, settings.log.values, settings.log.group, settings.log.client())
    log.info("storing values of %s", settings.log.values)
    try:
        Values(reader, store, lambda: time.sleep(_PAUSE)).run(stop)
    finally:
        reader.close()
