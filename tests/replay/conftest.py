"""Stores filled once a run by the real command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.once import made_once
from tests.replay import cli, recorded

FILES = {
    "aberdeen": recorded.STATIONS,
    "lcl": recorded.METERS,
    "trondheim": recorded.TRONDHEIM,
    "acn": recorded.ACN,
}


def _fill(folder: Path, city: str) -> None:
    cli.replay(recorded.city(city), f"sqlite:///{folder}/{city}.db", recorded.long(FILES[city]))


class Replayed(dict[str, str]):
    """City -> where it was replayed to; at its first use."""

    def __init__(self, factory: pytest.TempPathFactory) -> None:
        super().__init__()
        self._factory = factory

    def __missing__(self, city: str) -> str:
        folder = made_once(self._factory, f"replayed-{city}", lambda folder: _fill(folder, city))
        self[city] = f"sqlite:///{folder}/{city}.db"
        return self[city]


@pytest.fixture(scope="session")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Replayed:
    """Where each city was replayed to."""
    return Replayed(tmp_path_factory)
