"""One page of a feed: its signature, its version, and its values, checked whole before anything is stored. Pure.

The signature is in the header `cityvitals-signature`: `ed25519 PUBLIC_KEY SIGNATURE`, both hexadecimal, over the body.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from kpi_derivation.catalogue import KPIS
from telemetry.errors import CityVitalsError
from telemetry.kpi_value import KpiValue, StoredKpi
from telemetry.periods import PeriodKind

VERSION = 1
HEADER = "cityvitals-signature"


class FeedError(CityVitalsError):
    """A feed cannot be used; nothing of the page was stored."""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page as it was sent."""

    version: int
    licences: dict[str, str | None]
    values: list[dict[str, Any]]
    cursor: str
    more: bool


def header_of(public: bytes, signature: bytes) -> str:
    """The header's value."""
    return f"ed25519 {public.hex()} {signature.hex()}"


def signer_of(text: str) -> tuple[bytes, bytes]:
    """Public key and signature of the header. Raises FeedError."""
    words = text.split()
    if len(words) != 3 or words[0] != "ed25519":
        raise FeedError(f"the header {HEADER} is not `ed25519 PUBLIC_KEY SIGNATURE`")
    try:
        return bytes.fromhex(words[1]), bytes.fromhex(words[2])
    except ValueError:
        raise FeedError(f"the header {HEADER} is not hexadecimal") from None


def page_of(body: bytes, city: str) -> tuple[Page, list[StoredKpi]]:
    """The page and its values, all of `city`. Raises FeedError with the number of the value that does not fit."""
    try:
        version = msgspec.json.decode(body)["version"]
    except (msgspec.DecodeError, KeyError, TypeError):
        raise FeedError("the answer is not a page of a feed") from None
    if version != VERSION:
        older = "older" if isinstance(version, int) and version < VERSION else "newer"
        raise FeedError(f"the feed has schema version {version}, {older} than {VERSION}, which this program reads")
    try:
        page = msgspec.json.decode(body, type=Page)
    except msgspec.ValidationError as error:
        raise FeedError(f"the page does not fit the schema: {error}") from None
    found = []
    for number, raw in enumerate(page.values, start=1):
        try:
            found.append(_stored(raw, city))
        except (ValueError, KeyError, TypeError, msgspec.ValidationError) as error:
            raise FeedError(f"value {number} of the page does not fit: {error}") from None
    return page, found


def _stored(raw: dict[str, Any], city: str) -> StoredKpi:
    plain = {name: raw[name] for name in KpiValue.__struct_fields__ if name in raw}
    plain["start"], plain["end"] = _ms(raw["start"]), _ms(raw["end"])
    value = msgspec.convert(plain, KpiValue)
    if value.city != city:
        raise ValueError(f"it is of '{value.city}', not of '{city}'")
    if value.code not in KPIS and not value.code.startswith("LOCAL:"):
        raise ValueError(f"there is no KPI '{value.code}'")
    return StoredKpi(kpi=value, changed=_ms(raw["changed"]), previous=raw["previous"], updated=_ms(raw["updated"]))


def _ms(text: str) -> int:
    """Ms UTC of an RFC 3339 time."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


KINDS: tuple[PeriodKind, ...] = ("year", "quarter", "month", "day")
