"""City files as commands read them: checked whole, targets included, and compared with the one in the store."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from adapters.store import CityRecord, Store
from registry.city import City
from registry.config import load_city
from registry.toml import place
from reporting.show import stored_city
from reporting.targets import usable
from telemetry.errors import UsageError
from telemetry.windows import MINUTE

log = logging.getLogger(__name__)


def read_city(path: Path) -> City:
    """A CITY.toml whose every entry can be used. Raises UsageError with a sentence for each that cannot."""
    city = load_city(path)
    found = bad_entries(city, path)
    if found:
        raise UsageError("\n".join(found))
    return city


def city_named(store: Store, text: str, url: str) -> City:
    """The city of this id in the store, or of this CITY.toml, which is then stored. Raises UsageError."""
    if not text.endswith(".toml"):
        return stored_city(store, text)
    city = read_city(Path(text))
    stored_beside(store, city, Path(text), url)
    return city


def bad_entries(city: City, path: Path) -> list[str]:
    """A sentence with file and line for each entry that the catalogue does not allow."""
    _, problems = usable(city.target)
    return [f"{place(path, ('target', number))}: [[target]]: {why}." for number, why in problems.items()]


def differing(old: City, new: City) -> list[str]:
    """The keys of [city] and [rules], devices, and other tables in which two city files differ."""
    a, b = (c.model_dump(mode="json", exclude_defaults=True) for c in (old, new))
    found = [key for table in ("city", "rules") for key in _keys_that_differ(a.get(table, {}), b.get(table, {}))]
    devices = [{d["id"]: d for d in c.get("device", [])} for c in (a, b)]
    changed = _keys_that_differ(*devices)
    if len(changed) == 1:
        found.append(f"the device {changed[0]}")
    elif changed:
        found.append(f"{len(changed)} devices: {', '.join(changed[:3])}{' ...' if len(changed) > 3 else ''}")
    found += [key for key in _keys_that_differ(a, b) if key not in ("city", "rules", "device")]
    return found


def _keys_that_differ(a: dict[str, Any], b: dict[str, Any]) -> list[str]:
    return sorted(key for key in {*a, *b} if a.get(key) != b.get(key))


def stored_beside(store: Store, city: City, path: Path, url: str) -> None:
    """Store what may be stored of a city file that a command was given.

    A city that is not stored is added. Of one that differs, the targets are stored, because no derived value depends
    on them; for everything else the log states that the stored file is older and what to do.
    """
    record = store.city(city.id)
    given = city.model_dump(mode="json", exclude_defaults=True)
    if record is None:
        store.put_city(CityRecord(city.id, given, MINUTE))
        return
    if record.config == given:
        return
    config = {k: v for k, v in record.config.items() if k != "target"}
    config |= {"target": given["target"]} if "target" in given else {}
    if config != record.config:
        store.put_city(record._replace(config=config))
        log.warning("the targets of %s are stored for %s; a running ingest uses them after a restart", path, city.id)
    warn_of_older(store, city, path, url)


def warn_of_older(store: Store, city: City, path: Path, url: str) -> None:
    """Log that the stored city file differs from this one, in what, and what to do."""
    record = store.city(city.id)
    older = older_file(record, city) if record else ""
    if older:
        log.warning("%s: %s; run `cityvitals kpi backfill --city %s --store %s`", path, older, path, url)


def older_file(record: CityRecord, city: City) -> str:
    """What differs between the stored city file and this one, in a sentence; empty where nothing does."""
    try:
        found = differing(City.model_validate(record.config), city)
    except ValueError:
        return f"the store has a city file of {city.id} that this version cannot read"
    return f"the store has another city file of {city.id} (different: {', '.join(found)})" if found else ""
