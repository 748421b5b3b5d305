"""The routes of the API, one file for each kind of answer. A module here that answers has `router`; the folder is the
registry, with those below it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

from fastapi import APIRouter


def routers() -> Iterator[APIRouter]:
    """The router of every module in this folder and those below it."""
    found = (module for module in pkgutil.walk_packages(__path__, f"{__name__}.") if not module.ispkg)
    for module in sorted(found, key=lambda module: module.name):
        router: APIRouter = importlib.import_module(module.name).router
        yield router
