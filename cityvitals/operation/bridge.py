"""`cityvitals bridge` and `cityvitals values`: both ends of a distributed engine, run until a signal arrives."""

from __future__ import annotations

import logging
import time

from adapters.kafka.topics import Appender, Reader
from adapters.mqtt.broker_settings import broker
from adapters.mqtt.link import Link
from adapters.sqlite.order import Order
from adapters.store import CityRecord, Store
from cityvitals.clock import now_ms
from cityvitals.operation.recover import only_one, sound_rejects
from cityvitals.processes import cities_of, open_answering, until_stopped, when_available
from registry.settings import Settings
from scale.bridge import Bridge
from scale.values import Values
from telemetry.errors import UsageError

log = logging.getLogger(__name__)

_WIDTH = 60  # s: of the windows of the job
_PAUSE = 2.0  # s between attempts while the store does not answer


def run_bridge(settings: Settings) -> None:
    """`cityvitals bridge`. It has id, topic and file of the ingest, so that a city can move between both."""
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
