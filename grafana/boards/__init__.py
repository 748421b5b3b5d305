"""The dashboards: every module here has `build()`, and its name is the file's. Adding a dashboard is adding one."""

from __future__ import annotations

import importlib
import pkgutil

from grafana_foundation_sdk.models.dashboard import Dashboard


def all_boards() -> dict[str, Dashboard]:
    """Every dashboard, by file name without `.json`."""
    names = sorted(found.name for found in pkgutil.iter_modules(__path__))
    return {name.replace("_", "-"): importlib.import_module(f"{__name__}.{name}").build() for name in names}
