"""A crowd of devices finds its broker again; the full number is in docs/reliability.md."""

from __future__ import annotations

from pathlib import Path

from tests.load import crowd


def test_five_hundred_devices_come_back_and_lose_nothing(tmp_path: Path) -> None:
    found = crowd.run(tmp_path, 500, spread=3.0)
    assert found["stored"] == found["sent"]
    assert found["complete"] == 500
    assert found["back_s"] < 60
