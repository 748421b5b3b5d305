"""The configuration: one TOML file, every key overridable by CITYVITALS__SECTION__KEY, secrets by ..._FILE.

Everything is checked before any socket is opened.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from registry.city import City
from registry.secret_files import read_secret
from registry.settings import Settings
from registry.toml import load, validate
from telemetry.errors import UsageError

PREFIX = "CITYVITALS__"


def load_settings(path: Path | None, environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings from the file (defaults where None) and the environment. Raises UsageError."""
    raw: dict[str, Any] = {}
    text = ""
    if path is not None:
        load(path, Settings, "configuration file")
        text = path.read_text(encoding="utf-8")
        raw = tomllib.loads(text)
        _check_no_secrets(raw, path)
    for name, value in sorted(environment.items()):
        if name.startswith(PREFIX):
            _override(raw, name, value)
    settings = validate(raw, Settings, path or Path("environment"), text)
    base = path.parent if path else Path()
    return settings.model_copy(update={"city_files": [base / f for f in settings.city_files]})


_STORE_SECRETS = ("token", "username", "password")


def _check_no_secrets(raw: dict[str, Any], path: Path) -> None:
    """The store's credentials are read from the environment only, so that copies of the file do not contain them."""
    for key in _STORE_SECRETS:
        if key in raw.get("store", {}):
            name = f"{PREFIX}STORE__{key.upper()}"
            raise UsageError(f"{path}: remove '{key}' from [store] and set {name} or {name}_FILE in the environment.")


def _override(raw: dict[str, Any], name: str, value: str) -> None:
    """Set the key that one environment variable names."""
    keys = name.removeprefix(PREFIX).lower().split("__")
    if keys[-1].endswith("_file"):
        keys[-1] = keys[-1].removesuffix("_file")
        value = read_secret(Path(value), f"{name} names a file that")
    place = raw
    for key in keys[:-1]:
        place = place.setdefault(key, {})
        if not isinstance(place, dict):
            raise UsageError(f"{name} names '{key}', which is not a section.")
    place[keys[-1]] = _plain(value)


def _plain(value: str) -> Any:  # noqa: ANN401 - TOML values are of any type
    """Lists and tables are written as TOML; everything else is text, which the model converts."""
    if value[:1] in "[{":
        try:
            return tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            return value
    return value


def load_city(path: Path) -> City:
    """A CITY.toml. Raises UsageError naming file, line and key."""
    return load(path, City, "city file")
