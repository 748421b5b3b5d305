"""Put the dashboards into a running Grafana over its HTTP API; where files can be mounted, provisioning does it."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from grafana import DATASOURCE_UID
from grafana.build import FOLDER
from grafana.older import for_older
from telemetry.errors import CityVitalsError, Unavailable, UsageError

FOLDER_UID = "cityvitals"
OLDEST, NEW_FORM = (7, 5), (10, 0)
_EXISTS = (409, 412)
_NOT_ALLOWED = (401, 403)


def push(url: str, token: str, datasource: str = DATASOURCE_UID) -> list[str]:
    """Create or replace every dashboard in the folder CityVitals and return their addresses.

    `token` belongs to a service account with the role Editor. `datasource`: uid (before Grafana 8: name) of the data
    source that reads the store. Raises Unavailable when Grafana does not answer and CityVitalsError when it denies or is
    too old.
    """
    if not url.startswith(("http://", "https://")):
        raise UsageError(f"'{url}' is not the address of a Grafana; write https://grafana.example.org.")
    grafana = _Grafana(url.rstrip("/"), token)
    version = grafana.version()
    if version < OLDEST:
        raise CityVitalsError(
            f"Grafana at {grafana.url} is version {'.'.join(map(str, version))}; the dashboards need 7.5 or later,"
            " and 10 or later for the map and the state timeline."
        )
    grafana.check_datasource(datasource)
    folder = grafana.folder()
    boards = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))]
    return [grafana.put(_fitted(board, version, datasource), folder) for board in boards]


def _fitted(board: dict[str, Any], version: tuple[int, ...], datasource: str) -> dict[str, Any]:
    """The dashboard for that server and data source."""
    for variable in board["templating"]["list"]:
        if variable["type"] == "datasource":
            variable["current"] = {"selected": True, "text": datasource, "value": datasource}
    return board if version >= NEW_FORM else for_older(board)


class _Grafana:
    """A few calls, by the standard library: see docs/decisions.md on grafana-client."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def version(self) -> tuple[int, ...]:
        """Major and minor version; that of a server that hides it counts as new."""
        text = str(self.call("/api/health").get("version", ""))
        found = re.match(r"(\d+)\.(\d+)", text)
        return (int(found[1]), int(found[2])) if found else NEW_FORM

    def check_datasource(self, uid: str) -> None:
        """Raises CityVitalsError where the data source does not exist and this token may know it."""
        known = self.call(f"/api/datasources/uid/{uid}", fine=(*_NOT_ALLOWED, 404))
        by_name = known or self.call(f"/api/datasources/name/{uid}", fine=(*_NOT_ALLOWED, 404))
        if by_name.get("status") == 404:
            raise CityVitalsError(
                f"Grafana at {self.url} has no data source '{uid}'; add InfluxDB (query language InfluxQL) with that uid"
                " and name, or name another with --datasource."
            )

    def folder(self) -> dict[str, Any]:
        """The folder CityVitals, made where it is not there."""
        made = self.call("/api/folders", {"uid": FOLDER_UID, "title": "CityVitals"}, fine=_EXISTS)
        return self.call(f"/api/folders/{FOLDER_UID}") if "status" in made else made

    def put(self, board: dict[str, Any], folder: dict[str, Any]) -> str:
        """Create or replace one dashboard; returns its address."""
        document: dict[str, Any] = {"dashboard": board, "folderUid": FOLDER_UID, "overwrite": True}
        if board["schemaVersion"] < 30:
            document["folderId"] = folder.get("id", 0)
        return f"{self.url}{self.call('/api/dashboards/db', document)['url']}"

    def call(self, path: str, document: dict[str, Any] | None = None, fine: tuple[int, ...] = ()) -> dict[str, Any]:
        """The answer to a GET, or to a POST of `document`; for a status that is `fine`, only that status."""
        data = None if document is None else json.dumps(document).encode()
        request = Request(self.url + path, data, self._headers)  # noqa: S310 - see push
        try:
            with urlopen(request, timeout=30) as answer:  # noqa: S310
                body = json.load(answer)
        except HTTPError as error:
            if error.code in fine:
                return {"status": error.code}
            raise self._denied(error) from error
        except (OSError, ValueError) as error:
            raise Unavailable(f"Grafana at {self.url} does not answer: {error}. Is it running there?") from error
        if not isinstance(body, dict):
            raise CityVitalsError(f"{self.url} answers, but not like a Grafana.")
        return body

    def _denied(self, error: HTTPError) -> CityVitalsError:
        if error.code in _NOT_ALLOWED:
            return CityVitalsError(f"Grafana at {self.url} denies the token; it needs the role Editor.")
        words = error.read(500).decode(errors="replace")
        return CityVitalsError(f"Grafana at {self.url} answers {error.code}: {words}")
