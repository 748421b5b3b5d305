"""The live page and the files it needs: our own from api/page, the chart library from its installed package."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from fastapi import FastAPI
from starlette.responses import FileResponse
from starlette.staticfiles import StaticFiles

from telemetry.errors import CityVitalsError

PAGE = Path(__file__).parent / "page"


def chart_library() -> Path:
    """The folder with uPlot's files, as its package installed them; the package itself is never imported."""
    spec = find_spec("uplot")
    folder = Path((spec.submodule_search_locations or [""])[0]) / "static" if spec else Path()
    if not (folder / "uPlot.iife.js").is_file():
        raise CityVitalsError("The chart library is not installed; run: pip install uplot-python")
    return folder


def add_page(app: FastAPI) -> None:
    """Serve the page at /, its files under /static and the chart library under /vendor."""
    app.mount("/static", StaticFiles(directory=PAGE), name="static")
    app.mount("/vendor", StaticFiles(directory=chart_library()), name="vendor")

    @app.get("/", include_in_schema=False)
    def page() -> FileResponse:
        return FileResponse(PAGE / "index.html")
