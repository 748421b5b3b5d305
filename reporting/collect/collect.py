"""`cityvitals index collect`: bring a copy of many cities' values up to date.

The cursor of each feed and city is stored after the values it covers, so that a stop at any moment costs the same page
a second time and nothing else: values are upserts. A page that is not signed by the expected key, of another schema, or
with a value that does not fit is not stored at all, and the other feeds go on.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from adapters.feeds import Answer
from adapters.store import CityRecord, Store
from registry.city import City
from registry.secret_files import read_secret
from reporting.collect.feeds_file import Feed
from reporting.collect.page import HEADER, FeedError, Page, page_of, signer_of
from reporting.evidence.keys import expected_fingerprint, fingerprint, is_signed
from telemetry.errors import CityVitalsError, UsageError, cause
from telemetry.windows import MINUTE

Get = Callable[[str, str, dict[str, str], str], Answer]
_LIMIT = 1000


class Collected(msgspec.Struct, kw_only=True):
    """The result: cities and values that came, and a sentence for each feed that could not be used."""

    cities: int = 0
    values: int = 0
    wrong: list[str] = []


class Cursors:
    """The cursor of each feed and city, in a file beside the copy that is replaced whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._of: dict[str, str] = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
        except FileNotFoundError:
            self._of = {}
        except (OSError, msgspec.DecodeError) as error:
            raise UsageError(
                f"{path} cannot be read: {cause(error)}. Delete it to read every feed from its start."
            ) from None

    def get(self, feed: Feed, city: str) -> str:
        """Empty for one that was not read yet."""
        return self._of.get(f"{feed.url} {city}", "")

    def put(self, feed: Feed, city: str, cursor: str) -> None:
        """Store it."""
        self._of[f"{feed.url} {city}"] = cursor
        new = self._path.with_name(f"{self._path.name}.new")
        with new.open("wb") as file:
            file.write(msgspec.json.encode(self._of, order="sorted"))
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)


def collect(store: Store, feeds: list[Feed], cursors: Cursors, get: Get) -> Collected:
    """Copy what has changed since the last time. Raises UsageError for a key, or where two feeds give one city."""
    for feed in feeds:  # before the first request
        if feed.key:
            expected_fingerprint(feed.key)
    result = Collected()
    owner: dict[str, str] = {}
    for feed in feeds:
        try:
            for city in _cities(feed, get):
                if owner.setdefault(city["id"], feed.url) != feed.url:
                    raise UsageError(
                        f"'{city['id']}' is a city of {owner[city['id']]} and of {feed.url}; name the cities of each in"
                        " `cities`, so that one id is one city."
                    )
                result.values += _copy(store, feed, city, cursors, get)
                result.cities += 1
        except UsageError:
            raise
        except CityVitalsError as error:
            result.wrong.append(f"{feed.url}: {str(error).rstrip('.')}. Nothing of this page was stored.")
    return result


def _cities(feed: Feed, get: Get) -> list[dict[str, Any]]:
    """The cities of a feed. Raises FeedError."""
    try:
        listed = msgspec.json.decode(get(feed.url, "/v1/cities", {}, _token(feed)).body, type=list[dict[str, Any]])
    except msgspec.DecodeError:
        raise FeedError("the list of its cities cannot be read") from None
    known = {str(c.get("id")): c for c in listed}
    missing = [c for c in feed.cities if c not in known]
    if missing:
        raise FeedError(f"it has no city '{missing[0]}'")
    return [known[c] for c in feed.cities] if feed.cities else listed


def _copy(store: Store, feed: Feed, city: dict[str, Any], cursors: Cursors, get: Get) -> int:
    count = 0
    for page, values in _pages(feed, city["id"], cursors.get(feed, city["id"]), get):
        _put_city(store, feed, city, page)
        store.put_kpis(values)
        cursors.put(feed, city["id"], page.cursor)
        count += len(values)
    return count


def _pages(feed: Feed, city: str, cursor: str, get: Get) -> Iterator[tuple[Page, Any]]:
    more = True
    while more:
        query = {"city": city, "limit": str(_LIMIT)} | ({"cursor": cursor} if cursor else {})
        answer = get(feed.url, "/v1/index/kpis", query, _token(feed))
        _check_signature(feed, answer)
        page, values = page_of(answer.body, city)
        yield page, values
        cursor, more = page.cursor, page.more


def _check_signature(feed: Feed, answer: Answer) -> None:
    if not feed.key:
        return
    if HEADER not in answer.headers:
        raise FeedError("the page is not signed; the operator sets `signing_key` in [api]")
    public, signature = signer_of(answer.headers[HEADER])
    if fingerprint(public) != expected_fingerprint(feed.key):
        raise FeedError(f"the page is signed with the key {fingerprint(public)}, not with {feed.key}")
    if not is_signed(public, signature, answer.body):
        raise FeedError("the signature is not of this page")


def _put_city(store: Store, feed: Feed, city: dict[str, Any], page: Page) -> None:
    """The city in the copy: what others need of it, its licence, and where it comes from."""
    extra = {"feed": feed.url, "key": feed.key, "schema": page.version, "licence": page.licences.get(city["id"])}
    plain = {k: city[k] for k in ("id", "name", "country", "timezone", "population") if city.get(k) is not None}
    plain |= {"region": feed.region} if feed.region else {}
    plain["extra"] = {k: v for k, v in extra.items() if v}
    try:
        new = City.model_validate({"city": plain})
    except ValueError as error:
        raise FeedError(f"the city '{city.get('id')}' does not fit: {error}") from None
    record = store.city(new.id)
    old = City.model_validate(record.config) if record else None
    merged = new if old is None else old.model_copy(update={"city": _updated(old, new)})
    if merged != old:
        store.put_city(CityRecord(new.id, merged.model_dump(mode="json", exclude_defaults=True), MINUTE))


def _updated(old: City, new: City) -> Any:  # noqa: ANN401 - the section [city]
    return old.city.model_copy(update={k: getattr(new.city, k) for k in new.city.model_fields_set})


def _token(feed: Feed) -> str:
    return read_secret(feed.token_file, f"the token of {feed.url}") if feed.token_file else ""
