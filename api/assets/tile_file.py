"""Map tiles out of one PMTiles file of the city, so that a map with streets needs no tile server and no internet.

Format: https://github.com/protomaps/PMTiles (version 3), read by the `pmtiles` library. Only pictures (PNG, JPEG, WebP,
AVIF): the page's map library draws no vector tiles.
"""

from __future__ import annotations

import re
import zlib
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from fastapi import FastAPI, Request
from pmtiles.reader import MmapSource, Reader
from pmtiles.tile import Compression, HeaderDict, MagicNumberNotFound, SpecVersionUnsupported, TileType
from starlette.responses import Response

from api.assets.page_files import Tiles
from api.problems import problem
from telemetry.errors import UsageError

_MEDIA_TYPES = {
    TileType.PNG: "image/png",
    TileType.JPEG: "image/jpeg",
    TileType.WEBP: "image/webp",
    TileType.AVIF: "image/avif",
}
_KEPT = 2000  # tiles in memory, about 20 kB each
_DAMAGED = (EOFError, IndexError, ValueError, zlib.error, MagicNumberNotFound, SpecVersionUnsupported)


def add_tiles(app: FastAPI, path: Path, attribution: str = "") -> Tiles:
    """Serve the tiles of `path` and return where. Raises UsageError for a file that the page could not show."""
    reader, header = _opened(path)
    version = sha256(f"{path.stat().st_size} {path.stat().st_mtime_ns}".encode()).hexdigest()[:12]
    media_type = _MEDIA_TYPES[header["tile_type"]]
    at = lru_cache(_KEPT)(reader.get)

    @app.get(f"/static/tiles-{version}/{{z:int}}/{{x:int}}/{{y:int}}", include_in_schema=False)
    def tile(request: Request, z: int, x: int, y: int) -> Response:
        """One tile; 404 where the file has none."""
        inside = header["min_zoom"] <= z <= header["max_zoom"] and max(x, y) < 2**z
        try:
            content = at(z, x, y) if inside else None
        except (OSError, *_DAMAGED):  # a directory inside the file is damaged: the rest of the map is still of use
            content = None
        if content is None:
            return problem(request, 404, "The map has no tile here.")
        forever = {"Cache-Control": "public, max-age=31536000, immutable"}
        return Response(content, media_type=media_type, headers=forever)

    return Tiles(
        f"/static/tiles-{version}/{{z}}/{{x}}/{{y}}",
        attribution or _attribution(reader), header["min_zoom"], header["max_zoom"],
    )  # fmt: skip


def _attribution(reader: Reader) -> str:
    """The attribution in the file's metadata, without markup, because the page shows text."""
    try:
        metadata = reader.metadata()
    except (OSError, *_DAMAGED):
        return ""
    return re.sub(r"<[^>]*>", "", str(metadata.get("attribution", ""))) if isinstance(metadata, dict) else ""


def _opened(path: Path) -> tuple[Reader, HeaderDict]:
    """The file, mapped into memory as long as the process runs, and its header."""
    try:
        with path.open("rb") as file:
            reader = Reader(MmapSource(file))
        header = reader.header()
        reader.get(header["min_zoom"], 0, 0)  # reads the first directory
    except (OSError, *_DAMAGED) as error:
        reason = (isinstance(error, OSError) and error.strerror) or "it is not a PMTiles file of version 3"
        raise UsageError(f"The map tiles in {path} cannot be read: {reason}.") from None
    if header["tile_type"] not in _MEDIA_TYPES or header["tile_compression"] not in (
        Compression.NONE,
        Compression.UNKNOWN,
    ):
        raise UsageError(
            f"The map tiles in {path} are not pictures. Vector tiles are not drawn; convert them to PNG or WebP tiles."
        )
    return reader, header
