"""Put the dashboards into a running Grafana over its HTTP API; where files can be mounted, provisioning does it."""

from __future__ import annotations

import json
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from grafana.build import FOLDER
from telemetry.errors import CityVitalsError, Unavailable, UsageError

FOLDER_UID = "cityvitals"
_THERE_ALREADY = (409, 412)


def push(url: str, token: str) -> list[str]:
    """Create or replace every dashboard in the folder CityVitals and return their addresses.

    `token` belongs to a service account with the role Editor. The data source must exist: see grafana/README.md.
    Raises Unavailable when Grafana does not answer and CityVitalsError when it refuses.
    """
    if not url.startswith(("http://", "https://")):
        raise UsageError(f"'{url}' is no address of a Grafana; write https://grafana.example.org.")
    grafana = _Grafana(url.rstrip("/"), token)
    grafana.post("/api/folders", {"uid": FOLDER_UID, "title": "CityVitals"}, fine=_THERE_ALREADY)
    return [grafana.put_dashboard(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))]


class _Grafana:
    """Two calls do not justify a library."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def put_dashboard(self, text: str) -> str:
        """Create or replace one dashboard; returns its address."""
        document = {"dashboard": json.loads(text), "folderUid": FOLDER_UID, "overwrite": True}
        return f"{self._url}{self.post('/api/dashboards/db', document)['url']}"

    def post(self, path: str, document: dict[str, Any], fine: tuple[int, ...] = ()) -> dict[str, Any]:
        """The answer, empty for a status that is `fine`."""
        request = Request(self._url + path, json.dumps(document).encode(), self._headers)  # noqa: S310 - see push
        try:
            with urlopen(request, timeout=30) as answer:  # noqa: S310
                body: dict[str, Any] = json.load(answer)
                return body
        except HTTPError as refusal:
            if refusal.code in fine:
                return {}
            raise self._refused(refusal) from refusal
        except (OSError, ValueError) as trouble:
            raise Unavailable(f"Grafana at {self._url} does not answer: {trouble}. Is it running there?") from trouble

    def _refused(self, refusal: HTTPError) -> CityVitalsError:
        if refusal.code in (401, 403):
            return CityVitalsError(f"Grafana at {self._url} refuses the token; it needs the role Editor.")
        words = refusal.read(500).decode(errors="replace")
        return CityVitalsError(f"Grafana at {self._url} refuses ({refusal.code}): {words}")
