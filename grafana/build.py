"""Write the dashboards as the JSON that is committed, and check that the committed JSON is what the code makes."""

from __future__ import annotations

import json
from pathlib import Path

from grafana.policy import from_policy

FOLDER = Path(__file__).parent / "dashboards"
ALERTS = Path(__file__).parent / "provisioning" / "alerting" / "cityvitals.yaml"


def rendered(policy: str = "") -> dict[str, str]:
    """The text of every dashboard's JSON file, by file name. `policy`: see `build`."""
    from grafana.definitions import all_dashboards  # noqa: PLC0415 - the catalogue is read when dashboards are made

    return {
        f"{name}.json": json.dumps(from_policy(board, policy), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        for name, board in all_dashboards().items()
    }


def alert_rules(policy: str = "") -> str:
    """The text of the provisioned alert rules. `policy`: see `build`."""
    from grafana import alerts  # noqa: PLC0415 - needs PyYAML, which runs of CityVitals do not

    return alerts.rendered(policy)


def build(folder: Path = FOLDER, policy: str = "") -> list[Path]:
    """Write all dashboards into `folder`, remove those of earlier builds, and return what was written.

    `policy`: the retention policy of KPI values and rows of devices, '' for the default one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = rendered(policy)
    for gone in set(folder.glob("*.json")) - {folder / name for name in files}:
        gone.unlink()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in files]


def check(folder: Path = FOLDER) -> list[str]:
    """The names of the files in `folder` that are not what the code makes; empty when all is well."""
    files = rendered()
    stored = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return sorted(name for name in files.keys() | stored.keys() if files.get(name) != stored.get(name))


def build_alerts(path: Path = ALERTS, policy: str = "") -> Path:
    """Write the provisioned alert rules. `policy`: see `build`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(alert_rules(policy), encoding="utf-8")
    return path


def check_alerts(path: Path = ALERTS) -> list[str]:
    """The file's name where it is not what the code makes."""
    return [] if path.is_file() and path.read_text(encoding="utf-8") == alert_rules() else [path.name]
