"""The city's page: its files from page/, and the chart library from its installed package."""

from __future__ import annotations

from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from fastapi import FastAPI
from starlette.responses import FileResponse
from starlette.staticfiles import StaticFiles

from telemetry.errors import CityVitalsError

PAGE = Path(__file__).parents[1] / "page"
REINSTALL = "reinstall it: pip install --force-reinstall youplot==1.0.0"
# Byte for byte those of uPlot 1.6.31 as its authors published it on npm.
CHART_FILES = {
    "uplot.iife.min.js": "2d27e8ad3d228164525ce213f9dc716f39b4e3aee0cc773fb3491c96cf4921a2",
    "uplot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
}


def chart_library() -> Path:
    """The folder with uPlot's files, as `youplot` installed them; that package is never imported.

    Raises CityVitalsError where it is missing or its files differ from uPlot's own release.
    """
    spec = find_spec("youplot")
    folder = Path((spec.submodule_search_locations or [""])[0]) / "vendor" if spec else Path()
    if not all((folder / name).is_file() for name in CHART_FILES):
        raise CityVitalsError("The chart library is not installed; run: pip install 'cityvitals[central]'")
    for name, expected in CHART_FILES.items():
        if sha256((folder / name).read_bytes()).hexdigest() != expected:
            raise CityVitalsError(f"{folder / name} is not the file of uPlot 1.6.31; {REINSTALL}")
    return folder


def add_page(app: FastAPI) -> None:
    """Serve the page at /, its files under /static and the chart library under /vendor."""
    app.mount("/static", StaticFiles(directory=PAGE), name="static")
    app.mount("/vendor", StaticFiles(directory=chart_library()), name="vendor")

    @app.get("/", include_in_schema=False)
    def page() -> FileResponse:
        return FileResponse(PAGE / "index.html")

    @app.get("/c/{city}/k/{code}", include_in_schema=False)
    @app.get("/c/{city}/k/{code}/{part}", include_in_schema=False)
    def indicator(city: str, code: str, part: str = "") -> FileResponse:  # noqa: ARG001 - read by the page's script
        return FileResponse(PAGE / "indicator.html")

    @app.get("/c/{city}/{view}", include_in_schema=False)
    def view(city: str, view: Literal["indicators", "devices"]) -> FileResponse:  # noqa: ARG001
        return FileResponse(PAGE / f"{view}.html")
