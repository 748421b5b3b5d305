"""Write the dashboards as the JSON that is committed, and check that the committed JSON is what the code makes.

The libraries that make dashboards are asked for when one is made: whoever only runs CityVitals does not need them.
"""

from __future__ import annotations

from pathlib import Path

from telemetry.errors import CityVitalsError

FOLDER = Path(__file__).parent / "dashboards"


def rendered() -> dict[str, str]:
    """The text of every dashboard's JSON file, by file name."""
    try:
        from grafana_foundation_sdk.cog.encoder import JSONEncoder  # noqa: PLC0415 - see above

        from grafana.boards import all_boards  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        raise CityVitalsError(
            f"Making dashboards needs {missing.name}; install it with: pip install 'cityvitals[grafana]'"
        ) from missing
    encoder = JSONEncoder(indent=2, sort_keys=True, ensure_ascii=False)
    return {f"{name}.json": encoder.encode(board) + "\n" for name, board in all_boards().items()}


def build(folder: Path = FOLDER) -> list[Path]:
    """Write all dashboards into `folder`, remove those that are no longer made, and return what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    files = rendered()
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
