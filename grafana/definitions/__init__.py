"""The dashboards: one file each, with `build()`, which returns Grafana's JSON. The folder is the registry."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any


def all_dashboards() -> dict[str, dict[str, Any]]:
    """Every dashboard by the name of its file."""
    names = sorted(found.name for found in pkgutil.iter_modules(__path__))
    return {name.replace("_", "-"): importlib.import_module(f"{__name__}.{name}").build() for name in names}
