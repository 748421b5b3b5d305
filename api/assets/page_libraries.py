"""The chart and map libraries of the page, from their installed packages, checked by hash and never imported."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from registry.extras import sentence
from telemetry.errors import CityVitalsError


class Library(NamedTuple):
    """A library as its authors published it on npm: the Python package that carries its files, and their SHA-256."""

    name: str
    package: str
    version: str
    folder: str
    files: Mapping[str, str]


CHARTS = Library("uPlot 1.6.31", "youplot", "youplot==1.0.0", "vendor", {
    "uplot.iife.min.js": "2d27e8ad3d228164525ce213f9dc716f39b4e3aee0cc773fb3491c96cf4921a2",
    "uplot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
})  # fmt: skip
MAPS = Library("Leaflet 1.9.4", "js_lib_leaflet", "django-js-lib-leaflet==1.9.4.1", "static/js_lib_leaflet", {
    "leaflet.js": "db49d009c841f5ca34a888c96511ae936fd9f5533e90d8b2c4d57596f4e5641a",
    "leaflet.css": "a7837102824184820dfa198d1ebcd109ff6d0ff9a2672a074b9a1b4d147d04c6",
})  # fmt: skip


def files_of(library: Library) -> dict[str, bytes]:
    """The files by name. Raises CityVitalsError where one is missing or differs from the library's own release."""
    spec = find_spec(library.package)
    folder = Path((spec.submodule_search_locations or [""])[0]) / library.folder if spec else Path()
    if not all((folder / name).is_file() for name in library.files):
        raise CityVitalsError(sentence(library.name, "central"))
    found = {name: (folder / name).read_bytes() for name in library.files}
    for name, content in found.items():
        if sha256(content).hexdigest() != library.files[name]:
            again = f"reinstall it: pip install --force-reinstall {library.version}"
            raise CityVitalsError(f"{folder / name} is not the file of {library.name}; {again}")
    return found
