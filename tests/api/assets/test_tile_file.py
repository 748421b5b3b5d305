"""Tiles out of a PMTiles file: right tile, 404 outside, one sentence for a file that cannot be shown."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from pmtiles.tile import TileType

from adapters.sqlite.store import SqliteStore
from api.assets.page_files import Tiles
from api.assets.tile_file import add_tiles
from telemetry.errors import UsageError
from tests.api.assets.tile_files import picture, whole_world
from tests.api.conftest import running


def test_each_tile_is_the_one_at_its_place_and_others_are_missing(tmp_path: Path) -> None:
    path = whole_world(tmp_path / "city.pmtiles", 3)
    tiles = add_tiles(FastAPI(), path)
    assert (tiles.min_zoom, tiles.max_zoom, tiles.attribution) == (0, 2, "© the city")
    assert add_tiles(FastAPI(), path, "© us").attribution == "© us"
    store = SqliteStore(tmp_path / "city.db")
    with running(store, tile_file=path) as url, httpx.Client(base_url=url) as client:
        for z, x, y in ((0, 0, 0), (1, 1, 0), (2, 3, 1)):
            answer = client.get(tiles.url.format(z=z, x=x, y=y))
            assert answer.content == picture((z, x, y))
            assert answer.headers["content-type"] == "image/png"
            assert "immutable" in answer.headers["cache-control"]
        for place in ((3, 0, 0), (1, 2, 0), (2, 0, 4), (60, 0, 0), (-1, 0, 0)):
            z, x, y = place
            assert client.get(tiles.url.format(z=z, x=x, y=y)).status_code == 404, place
        text = client.get("/").text
    assert tiles.url in text
    store.close()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not a PMTiles file of version 3"),
        (b"GIF89a", "is not a PMTiles file of version 3"),
        (b"PMTiles\x02" + bytes(200), "is not a PMTiles file of version 3"),
        (b"PMTiles\x03" + bytes(20), "is not a PMTiles file of version 3"),
    ],
)
def test_a_file_that_is_no_tile_file_is_refused_in_one_sentence(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "city.pmtiles"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=words):
        add_tiles(FastAPI(), path)


def test_missing_files_vector_tiles_and_damaged_directories_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        add_tiles(FastAPI(), tmp_path / "none.pmtiles")
    with pytest.raises(UsageError, match="Vector tiles are not drawn"):
        add_tiles(FastAPI(), whole_world(tmp_path / "vector.pmtiles", 1, TileType.MVT))
    damaged = whole_world(tmp_path / "damaged.pmtiles", 2)
    content = bytearray(damaged.read_bytes())
    content[127:135] = b"\xff" * 8  # the first directory
    damaged.write_bytes(content)
    with pytest.raises(UsageError, match="cannot be read"):
        add_tiles(FastAPI(), damaged)


def test_without_a_file_the_page_has_no_tiles() -> None:
    assert Tiles() == ("", "", 0, 19)
