"""The servers the other tests rely on do what those tests expect of them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from tests import processes
from tests.browser import PHONE, page
from tests.servers import InfluxDB, Mosquitto, VictoriaMetrics, fetch


def test_the_broker_answers_on_the_loopback_interface_only(mosquitto: Mosquitto) -> None:
    assert mosquitto.ready()
    assert f"listener {mosquitto.port} 127.0.0.1" in (mosquitto.folder / "mosquitto.conf").read_text()


def test_a_restarted_broker_keeps_its_port(server: Any) -> None:
    broker = server(Mosquitto)
    before = broker.port, broker.pid
    broker.kill()
    broker.start()
    assert broker.port == before[0]
    assert broker.pid != before[1]


def test_influxdb_keeps_what_was_written_across_a_kill(server: Any) -> None:
    influx = server(InfluxDB)
    influx.create("things")
    influx.write("things", "window,device=a mean=1.5,n=3i 1514764800000")
    influx.kill()
    influx.start()
    rows = influx.query("SELECT mean, n FROM window GROUP BY device", "things")
    assert rows == [{"device": "a", "time": 1514764800000, "mean": 1.5, "n": 3}]


def test_influxdb_says_which_query_it_refused(influxdb: InfluxDB) -> None:
    with pytest.raises(AssertionError, match="SELEKT"):
        influxdb.query("SELEKT 1")


def test_victoriametrics_takes_influxdb_2_writes_of_past_years(victoria: VictoriaMetrics) -> None:
    fetch(f"{victoria.url}/api/v2/write?bucket=b&precision=ms", b"probe,device=a mean=1.5 1514764800000")
    [series] = victoria.export('{__name__="probe_mean"}')
    assert series["values"] == [1.5]
    assert series["timestamps"] == [1514764800000]


def test_chromium_shows_a_page_and_reports_its_errors(browser: Any, tmp_path: Path) -> None:
    document = tmp_path / "page.html"
    document.write_text("<h1>City</h1><script>console.error('one'); missing()</script>")
    with page(browser, document.as_uri(), PHONE) as (view, errors):
        assert view.locator("h1").inner_text() == "City"
        assert errors == ["one", "missing is not defined"]
        view.screenshot(path=tmp_path / "page.png")
    assert (tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")


def test_a_missing_server_skips_the_test_at_a_desk_and_fails_it_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "")
    with pytest.raises(pytest.skip.Exception, match="no-such-server is not installed"):
        processes.need("no-such-server")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no-such-server is not installed"):
        processes.need("no-such-server")


def test_a_process_left_running_is_ended_and_named(tmp_path: Path) -> None:
    process = processes.start(["sleep", "60"], log=tmp_path / "log")
    assert f"sleep (process {process.pid})" in processes.end_left_over([process])
    assert process.poll() is not None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with the one that started it")
def test_what_the_tests_started_ends_with_them_even_if_they_are_killed(tmp_path: Path) -> None:
    script = "from tests.processes import start; from pathlib import Path; import sys, time\n"
    script += "print(start(['sleep', '60'], log=Path(sys.argv[1])).pid, flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "log")], stdout=subprocess.PIPE) as tests:
        assert tests.stdout is not None
        sleeper = int(tests.stdout.readline())
        assert psutil.pid_exists(sleeper)
        tests.kill()
    processes.wait_for(lambda: not _alive(sleeper), what="the sleeper to end")


def _alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_waiting_without_success_names_what_was_awaited() -> None:
    with pytest.raises(AssertionError, match=r"Waited .* s for the moon, without success"):
        processes.wait_for(lambda: False, timeout=0.05, what="the moon")


@pytest.mark.parametrize(("load", "times"), [(0.0, 1.0), (2.0, 1.0), (3.0, 1.5), (12.0, 6.0), (90.0, 10.0)])
def test_on_a_busy_machine_tests_wait_longer(load: float, times: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0))
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert processes.busy() == times


def test_a_port_is_given_once_though_nobody_listens_on_it_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    first, other = processes.free_port(), processes.free_port()
    drawn = iter([first, first, other, processes.free_port(), 31_999, *range(20_000, 20_100)])
    monkeypatch.setattr(processes, "_ports", SimpleNamespace(randrange=lambda *_: next(drawn)))
    assert processes.free_port() not in {first, other}


def test_a_free_port_can_be_listened_on() -> None:
    with socket.create_server(("127.0.0.1", processes.free_port())):
        pass
