"""Column families: what the engine keeps of each series and day. The folder is the registry.

Every other module in this folder has `FAMILY`, one `Family`. Adding a column family is adding one such file.
"""

from __future__ import annotations

import importlib
import pkgutil

from kpi_derivation.engine.days.family import Family


def _load() -> tuple[Family, ...]:
    found = (importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__))
    return tuple(module.FAMILY for module in found)


FAMILIES = _load()
