"""The city's page: one HTML file for all views, one script, one style sheet, and the libraries that some views load."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from api.assets.page_libraries import CHARTS, MAPS, files_of
from api.problems import NotFound, problem
from api.state import State, find_city
from kpi_derivation.catalogue import canonical
from page.bundle import PAGE, script, style_sheet
from telemetry.errors import Unavailable, UsageError, cause

FOR_GOOD = "public, max-age=31536000, immutable"  # the address of a file contains its hash
# Views of the page: the first level behind /c/{city}, and the addresses without a city.
VIEWS = ("map", "indicators", "devices", "plan", "report", "k", "d")
ALONE = ("compare", "admin")


class Asset(NamedTuple):
    """One file as it is sent."""

    content: bytes
    media_type: str


class Tiles(NamedTuple):
    """Where the page finds tiles: an address with {z}, {x} and {y}, whose they are, and the zooms that exist."""

    url: str = ""
    attribution: str = ""
    min_zoom: int = 0
    max_zoom: int = 19


NO_TILES = Tiles()


def assets() -> dict[str, Asset]:
    """Every file of the page by its path below /static/, without hash."""
    charts, maps = files_of(CHARTS), files_of(MAPS)
    uplot = charts["uplot.iife.min.js"] + b"\nexport default uPlot;\n"  # so that a view can import it when it needs it
    found = {
        "app.js": Asset(script().encode(), "text/javascript"),
        "app.css": Asset(style_sheet().encode(), "text/css"),
        "uplot.js": Asset(uplot, "text/javascript"),
        "uplot.css": Asset(charts["uplot.min.css"], "text/css"),
        "leaflet.js": Asset(maps["leaflet.js"], "text/javascript"),
        "leaflet.css": Asset(maps["leaflet.css"], "text/css"),
    }
    for path in sorted((PAGE / "texts").glob("*.json")):
        found[f"texts/{path.name}"] = Asset(path.read_bytes(), "application/json")
    return found


def ground_of(path: Path) -> bytes:
    """The GeoJSON under the map, without blanks. Raises UsageError for a file that is not a FeatureCollection."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"The ground of the map, {path}, cannot be read: {cause(error)}.") from None
    if not isinstance(found, dict) or found.get("type") != "FeatureCollection":
        raise UsageError(f"The ground of the map, {path}, is not a GeoJSON FeatureCollection.")
    return json.dumps(found, separators=(",", ":"), ensure_ascii=False).encode()


def hashed(name: str, asset: Asset) -> str:
    """The address of a file: it changes with its content, so that a browser may keep it for good."""
    stem, dot, ending = name.rpartition(".")
    return f"/static/{stem}-{sha256(asset.content).hexdigest()[:12]}{dot}{ending}"


def shell(found: dict[str, Asset], tiles: Tiles = NO_TILES) -> bytes:
    """The HTML of every view, with the addresses of the files and of map tiles in it."""
    names = {name: hashed(name, asset) for name, asset in found.items()}
    text = (PAGE / "index.html").read_text(encoding="utf-8")
    for name in ("app.js", "app.css"):
        text = text.replace(f"/static/{name}", names[name])
    texts = len(json.loads(found["texts/en.json"].content))  # a language with fewer needs the English ones too
    settings = {"files": names, "tiles": tiles._asdict(), "texts": texts}
    # Data for the script: as text of an element that is never run, so the policy needs no exception.
    return text.replace("{files}", json.dumps(settings).replace("<", "\\u003c")).encode()


def add_page(app: FastAPI, tiles: Tiles = NO_TILES, ground: Path | None = None) -> None:
    """Serve the page's HTML at the address of every view, and its files below /static/. Raises UsageError."""
    found = assets()
    if ground is not None:
        found["ground.json"] = Asset(ground_of(ground), "application/geo+json")
    files = {hashed(name, asset): asset for name, asset in found.items()}
    html = shell(found, tiles)

    @app.get("/static/{path:path}", include_in_schema=False)
    def static(request: Request) -> Response:
        asset = files.get(request.url.path)
        if asset is None:
            return problem(request, 404, "The page has changed since it was loaded; load it again.")
        return Response(asset.content, media_type=asset.media_type, headers={"Cache-Control": FOR_GOOD})

    def view(request: Request) -> Response:
        return HTMLResponse(html, status_code=_status(request))

    for path in (
        "/",
        *(f"/{name}" for name in ALONE),
        "/c/{city}",
        "/c/{city}/{rest:path}",
        "/embed/{city}/{rest:path}",
    ):
        app.add_api_route(path, view, methods=["GET"], include_in_schema=False, response_class=HTMLResponse)


def _status(request: Request) -> int:
    """404 for a city, view or indicator that does not exist: the status agrees with what the page shows.

    Only where everybody may read: who needs a token learns nothing from an address.
    """
    state: State = request.app.state.cityvitals
    city, rest = request.path_params.get("city"), request.path_params.get("rest", "").split("/")
    if city is None or not state.public:
        return 200
    try:
        find_city(state.store, city)
    except NotFound:
        return 404
    except Unavailable:
        return 200
    view = rest[0] if request.url.path.startswith("/c/") else "k"
    code = rest[1 if view == "k" and request.url.path.startswith("/c/") else 0]
    unknown = (view and view not in VIEWS) or (view == "k" and canonical(code) is None)
    return 404 if unknown else 200
