"""Put the dashboards into a running Grafana over its HTTP API; where files can be mounted, provisioning does it."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from typing import Any

from grafana_client import GrafanaApi
from grafana_client.client import GrafanaException

from grafana import DATASOURCE_UID
from grafana.alerts import rule_groups
from grafana.build import FOLDER
from grafana.older import for_older
from grafana.policy import from_policy
from telemetry.errors import CityVitalsError, Unavailable, UsageError

log = logging.getLogger(__name__)

FOLDER_UID = "cityvitals"
OLDEST, NEW_FORM = (7, 5), (10, 0)
_EXISTS = (409, 412)
_NOT_ALLOWED = (401, 403)


def push(url: str, token: str, datasource: str = DATASOURCE_UID, alerts: bool = False, policy: str = "") -> list[str]:
    """Create or replace every dashboard in the folder CityVitals and return their addresses.

    `token` belongs to a service account with the role Editor. `datasource`: uid (before Grafana 8: name) of the data
    source that reads the store. `alerts`: also the alert rules (Grafana 10 and later). `policy`: the retention policy
    of KPI values and rows of devices, '' for the default one. Raises Unavailable when Grafana does not answer and
    CityVitalsError when it denies or is too old.
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
    if alerts and version < NEW_FORM:
        raise CityVitalsError(f"Grafana at {grafana.url} is older than 10; the alert rules need 10 or later.")
    grafana.check_datasource(datasource)
    folder = grafana.folder()
    boards = [
        from_policy(json.loads(path.read_text(encoding="utf-8")), policy) for path in sorted(FOLDER.glob("*.json"))
    ]
    addresses = [grafana.put(_fitted(board, version, datasource), folder) for board in boards]
    return addresses + (
        [grafana.put_alerts(name, from_policy(group, policy)) for name, group in rule_groups(FOLDER_UID, datasource)]
        if alerts
        else []
    )


def _fitted(board: dict[str, Any], version: tuple[int, ...], datasource: str) -> dict[str, Any]:
    """The dashboard for that server and data source."""
    for variable in board["templating"]["list"]:
        if variable["type"] == "datasource":
            variable["current"] = {"selected": True, "text": datasource, "value": datasource}
    return board if version >= NEW_FORM else for_older(board)


class _Grafana:
    """The calls of a push, by grafana-client, with our errors."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self._api = GrafanaApi.from_url(url, credential=token, timeout=30)

    def version(self) -> tuple[int, ...]:
        """Major and minor version; that of a server that hides it counts as new."""
        found = re.match(r"(\d+)\.(\d+)", str(self.call(self._api.health.check).get("version", "")))
        return (int(found[1]), int(found[2])) if found else NEW_FORM

    def check_datasource(self, uid: str) -> None:
        """Raises CityVitalsError where the data source does not exist.

        An Editor may not read data sources in every version, but the settings of the front end name them.
        """
        source = self._api.datasource
        answers = [
            self.call(ask, uid, fine=(*_NOT_ALLOWED, 404)).get("status")
            for ask in (source.get_datasource_by_uid, source.get_datasource_by_name)
        ]
        if None in answers:
            return
        listed = self.call(self._api.client.GET, "/frontend/settings", fine=(*_NOT_ALLOWED, 404)).get("datasources")
        names = {text for name, entry in (listed or {}).items() for text in (name, entry.get("uid"))}
        if listed is None and set(answers) <= set(_NOT_ALLOWED):
            log.warning("this token may not read data sources: whether '%s' exists was not checked", uid)
        elif uid not in names:
            raise CityVitalsError(
                f"Grafana at {self.url} has no data source '{uid}'; add InfluxDB (query language InfluxQL) with that uid"
                " and name, or name another with --datasource."
            )

    def folder(self) -> dict[str, Any]:
        """The folder CityVitals, made where it is not there."""
        made: dict[str, Any] = self.call(self._api.folder.create_folder, "CityVitals", FOLDER_UID, fine=_EXISTS)
        return made if "status" not in made else dict(self.call(self._api.folder.get_folder, FOLDER_UID))

    def put(self, board: dict[str, Any], folder: dict[str, Any]) -> str:
        """Create or replace one dashboard; returns its address."""
        document: dict[str, Any] = {"dashboard": board, "folderUid": FOLDER_UID, "overwrite": True}
        if board["schemaVersion"] < 30:
            document["folderId"] = folder.get("id", 0)
        return f"{self.url}{self.call(self._api.dashboard.update_dashboard, document)['url']}"

    def put_alerts(self, name: str, group: dict[str, Any]) -> str:
        """Create or replace one group of alert rules, which stay editable in Grafana; returns its name."""
        rules = self._api.alertingprovisioning
        self.call(rules.update_rule_group, FOLDER_UID, name, group, disable_provenance=True)
        return f"{self.url}/alerting/list: {name}"

    def call(self, method: Callable[..., Any], *arguments: object, fine: tuple[int, ...] = (), **named: object) -> Any:  # noqa: ANN401
        """The answer of a method of grafana-client; for a status that is `fine`, only that status."""
        try:
            body = method(*arguments, **named)
        except GrafanaException as error:
            if error.status_code in fine:
                return {"status": error.status_code}
            raise self._denied(error) from error
        except (OSError, ValueError) as error:
            raise Unavailable(f"Grafana at {self.url} does not answer: {error}. Is it running there?") from error
        if not isinstance(body, dict):
            raise CityVitalsError(f"{self.url} answers, but is not a Grafana server.")
        return body

    def _denied(self, error: GrafanaException) -> CityVitalsError:
        if error.status_code in _NOT_ALLOWED:
            return CityVitalsError(f"Grafana at {self.url} denies the token; it needs the role Editor.")
        return CityVitalsError(f"Grafana at {self.url} answers {error.status_code}: {str(error.response)[:500]}")
