"""Put the dashboards into a running Grafana over its HTTP API; where files can be mounted, provisioning does it."""

from __future__ import annotations

import json

from grafana_client.api import GrafanaApi
from grafana_client.client import GrafanaException, TokenAuth
from niquests.exceptions import RequestException

from grafana.build import rendered
from telemetry.errors import CityVitalsError, Unavailable

FOLDER_UID = "cityvitals"


def push(url: str, token: str) -> list[str]:
    """Create or replace every dashboard in the folder CityVitals and return their addresses.

    `token` belongs to a service account with the role Editor. The data source must exist: see grafana/README.md.
    Raises Unavailable when Grafana does not answer and CityVitalsError when it refuses.
    """
    grafana = GrafanaApi.from_url(url, credential=TokenAuth(token))
    try:
        _make_folder(grafana)
        return [_put(grafana, text) for text in rendered().values()]
    except GrafanaException as refusal:
        raise CityVitalsError(f"Grafana at {url} refused: {refusal}. The token needs the role Editor.") from refusal
    except (RequestException, OSError) as trouble:
        raise Unavailable(f"Grafana at {url} does not answer: {trouble}. Is it running there?") from trouble


def _make_folder(grafana: GrafanaApi) -> None:
    if FOLDER_UID not in {folder["uid"] for folder in grafana.folder.get_all_folders()}:
        grafana.folder.create_folder("CityVitals", uid=FOLDER_UID)


def _put(grafana: GrafanaApi, text: str) -> str:
    document = {"dashboard": json.loads(text), "folderUid": FOLDER_UID, "overwrite": True}
    answer: dict[str, str] = grafana.dashboard.update_dashboard(document)
    return answer["url"]
