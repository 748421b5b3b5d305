"""Reading the feeds of other servers over HTTP: one GET, its body and headers."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

from telemetry.errors import CityVitalsError, Unavailable, UsageError, cause

_TIMEOUT_S = 30.0
_MOST_BYTES = 64 * 1024 * 1024
_LATER = (408, 425, 429, 500, 502, 503, 504)


class Answer(NamedTuple):
    """A body, and its headers in lower case."""

    body: bytes
    headers: Mapping[str, str]


def get(base: str, path: str, query: Mapping[str, str], token: str = "") -> Answer:
    """The answer of `base` + `path`. Raises Unavailable where a retry may help, CityVitalsError for a rejection."""
    if urlsplit(base).scheme not in ("http", "https"):
        raise UsageError(f"'{base}' is not the address of a feed; it starts with http:// or https://.")
    url = f"{base.rstrip('/')}{path}" + (f"?{urlencode(query)}" if query else "")
    headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=_TIMEOUT_S) as answer:  # noqa: S310 - checked above
            body = answer.read(_MOST_BYTES + 1)
            found = {name.lower(): value for name, value in answer.headers.items()}
    except urllib.error.HTTPError as error:
        text = f"{url} answered {error.code} {error.reason}."
        raise (Unavailable(text) if error.code in _LATER else CityVitalsError(text)) from None
    except (OSError, ValueError) as error:
        raise Unavailable(f"{url} does not answer: {cause(error)}.") from None
    if len(body) > _MOST_BYTES:
        raise CityVitalsError(f"{url} sent more than {_MOST_BYTES // 1024**2} MB; ask for a smaller page.")
    return Answer(body, found)
