"""A file that is renamed or replaced under a running program: nothing is written to it any more, and it is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.sqlite.connection import Moved
from adapters.sqlite.rejects import Rejects
from adapters.sqlite.store import SqliteStore
from adapters.sqlite.transactions import Transactions
from adapters.store import CityRecord
from gateway.incoming import Incoming
from tests.gateway import cores

RECORD = CityRecord("aba", {}, 60_000)


def test_a_store_that_was_renamed_takes_nothing_until_it_is_put_back(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    (tmp_path / "store.db").rename(tmp_path / "old.db")
    with pytest.raises(Moved, match="moved or replaced"):
        store.put_city(RECORD)
    (tmp_path / "store.db").touch()  # another file under its name is not it
    with pytest.raises(Moved):
        store.put_city(RECORD)
    (tmp_path / "old.db").rename(tmp_path / "store.db")
    store.put_city(RECORD)
    store.close()
    assert SqliteStore(tmp_path / "store.db").cities() == [RECORD]


def test_a_gateway_whose_file_was_deleted_acknowledges_nothing(tmp_path: Path) -> None:
    core = cores.make(tmp_path)
    (tmp_path / "gateway.db").unlink()
    with pytest.raises(Moved):
        core.accept([Incoming("cv/1/aba/s1/data", b'[{"n":"no2","v":5}]')], cores.ARRIVAL)


def test_files_are_made_for_their_owner_alone(tmp_path: Path) -> None:
    store, rejects = SqliteStore(tmp_path / "store.db"), Rejects.open(tmp_path / "rejects.db")
    store.put_city(RECORD)
    rejects.add([(0, "t", b"", "")])
    cores.make(tmp_path)
    Transactions(tmp_path / "open.db").close()
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()}
    assert set(modes.values()) == {"0o600"}, modes
