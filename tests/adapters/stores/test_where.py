"""A store that is made says where; a path that looks absolute and is not is named with the right form."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from adapters.sqlite.store import SqliteStore


def test_a_path_that_goes_elsewhere_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    with caplog.at_level(logging.INFO):
        SqliteStore.from_url("sqlite:///tmp/x.db").close()
    assert f"a new store is made at {tmp_path}/tmp/x.db" in caplog.text
    assert "for /tmp/x.db write sqlite:////tmp/x.db" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        SqliteStore.from_url("sqlite:///tmp/x.db").close()  # it is there already
        SqliteStore.from_url(f"sqlite:///{tmp_path}/y.db").close()
        SqliteStore.from_url("sqlite:///city.db").close()
    assert caplog.text == ""
