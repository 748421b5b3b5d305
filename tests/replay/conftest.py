"""Stores filled once a run by the real command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.replay import cli, recorded


def _fill(folder: Path, city: str, name: str) -> str:
    url = f"sqlite:///{folder}/{city}.db"
    cli.replay(recorded.city(city), url, recorded.long(name))
    return url


@pytest.fixture(scope="session")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Where each city was replayed to."""
    folder = tmp_path_factory.mktemp("replayed")
    names = {
        "aberdeen": recorded.STATIONS,
        "lcl": recorded.METERS,
        "trondheim": recorded.TRONDHEIM,
        "acn": recorded.ACN,
    }
    return {city: _fill(folder, city, name) for city, name in names.items()}
