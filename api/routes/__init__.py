"""The routes of the API, one file for each kind of answer. A module here has `router`; the folder is the registry."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

from fastapi import APIRouter


def routers() -> Iterator[APIRouter]:
    """The router of every module in this folder."""
    for found in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        router: APIRouter = importlib.import_module(f"{__name__}.{found.name}").router
        yield router
