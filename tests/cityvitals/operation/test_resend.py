"""A store that was put back from an older copy gets what it lacks from the gateways' buffers."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from adapters.sqlite.buffer import Buffer
from cityvitals.operation.recover import only_one
from telemetry.readings import Readings
from telemetry.series import Series
from telemetry.windows import MINUTE

DAY_1 = 1_793_491_200_000  # 2026-11-01


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "gateway.db"
    with closing(Buffer(found, MINUTE)) as buffer:
        series = buffer.table.id_of(Series("aba", "s1", "no2"))
        times = [DAY_1 + n * MINUTE for n in range(180)]
        buffer.put(Readings.of([series] * len(times), times, [1.0] * len(times)))
        buffer.confirm(buffer.dirty(1000)[0])
    return found


def run(path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cityvitals", "resend", "--buffer", str(path), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=path.parent)


def test_the_windows_since_then_are_sent_again(path: Path) -> None:
    assert "91 windows" in run(path, "--since", "2026-11-01T01:29:30Z").stdout
    with closing(Buffer(path, None)) as buffer:
        assert buffer.backlog() == (91, DAY_1 + 89 * MINUTE)
        buffer.mark_all_dirty()
        assert buffer.backlog() == (180, DAY_1)


def test_what_cannot_be_done_is_said(path: Path) -> None:
    wrong = run(path, "--since", "yesterday")
    assert (wrong.returncode, "'yesterday' is not" in wrong.stderr) == (2, True)
    with only_one(path):
        busy = run(path)
    assert (busy.returncode, "Stop the gateway first" in busy.stderr) == (1, True)
    with closing(Buffer(path, None)) as buffer:
        assert buffer.backlog() == (0, None)
