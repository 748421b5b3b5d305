"""`cityvitals ingest`: build an ingest with the KPI engine from the settings and run it until a signal arrives."""

from __future__ import annotations

import logging

from adapters.mqtt.broker_settings import broker
from adapters.mqtt.link import Link
from cityvitals.clock import now_ms
from cityvitals.memory import settle, steady_heap, trimming
from cityvitals.operation.recover import only_one, sound_rejects
from cityvitals.processes import cities_of, open_answering, until_stopped, when_available
from ingest.core import Ingest
from ingest.service import Service
from registry.health import beat_ms
from registry.settings import Settings
from telemetry.windows import DAY

log = logging.getLogger(__name__)


def run_ingest(settings: Settings) -> None:
    """`cityvitals ingest`."""
    steady_heap()
    stop = until_stopped()
    cities = cities_of(settings)
    source = broker(settings.ingest.broker)  # before a file is made: a mistake in the settings changes nothing

    def serve() -> Ingest:
        ingest = Ingest(open_answering(settings.store.url), round(settings.ingest.open_hours_s * 1000))
        for city in cities:
            ingest.add_city(city, settings.gateway.width_s * 1000)
            log.info("serving %s with %d devices", city.id, len(city.device))
        return ingest

    # Two processes with one client id would disconnect each other forever.
    with only_one(settings.ingest.rejects, "Stop the other ingest first, or give this one another id and file."):
        ingest = when_available(serve, stop)
        rejects = when_available(lambda: sound_rejects(settings.ingest.rejects, [c.id for c in cities]), stop)
        link = Link(source, settings.ingest.id, [settings.ingest.topic])
        beat = beat_ms(settings.health.ingest_s)
        days = settings.store.keep_windows_days
        keep_ms = None if days is None else round(days * DAY)
        service = Service(ingest, link, rejects, now_ms, settings.ingest.publish, beat, keep_ms)
        settle()
        service.run(trimming(stop))
