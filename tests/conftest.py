"""Fixtures every test may use: the real servers, shared by the whole run or fresh for one test."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import Phase, settings

from tests.browser import OneChromium
from tests.durations import lines
from tests.once import first_alone, kept
from tests.order import ordered
from tests.postgres import PostgreSQL
from tests.processes import end_left_over
from tests.servers import InfluxDB, Mosquitto, Server, VictoriaMetrics

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ServerFactory = Callable[..., Any]

# pytest-xdist sets it to 80: the output of commands has the width of a program's reader unless a test sets one.
os.environ.pop("COLUMNS", None)

# In front of all libraries, here and in the processes that tests start.
HIDDEN = str(Path(__file__).with_name("hidden"))
if HIDDEN not in sys.path:
    sys.path.insert(0, HIDDEN)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [HIDDEN, os.environ.get("PYTHONPATH")]))

# A shared machine is slow now and then; no test asserts how long something takes.
settings.register_profile("cityvitals", deadline=None)
# For mutation testing: few examples, always the same, and a failing one is not made smaller.
settings.register_profile(
    "mutation", deadline=None, max_examples=25, phases=(Phase.explicit, Phase.generate), derandomize=True, database=None
)
# httpx gives up after five seconds where a call names no limit: on a busy machine a slow answer is not a fault.
_limits = inspect.signature(httpx.get).parameters["timeout"].default
_limits.connect = _limits.read = _limits.write = _limits.pool = 240.0
settings.load_profile(os.environ.get("CITYVITALS_HYPOTHESIS", "cityvitals"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files in the order of tests/order.py; `make test` gives each worker file after file."""
    file_of = {item: item.nodeid.split("::")[0].removeprefix("tests/") for item in items}
    place = {name: i for i, name in enumerate(ordered(file_of.values()))}
    items.sort(key=lambda item: place[file_of[item]])


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """One worker reads the files first: it compiles them for all."""
    # The folders of all workers stand beside each other. (A run that a test starts is none of the workers.)
    folder = Path(session.config.option.basetemp).parent if hasattr(session.config, "workerinput") else None
    with first_alone(folder), kept():
        return (yield)


@pytest.fixture(scope="session")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """One broker for the whole run: use topics of your own."""
    with Mosquitto(tmp_path_factory.mktemp("mosquitto")) as server:
        yield server


@pytest.fixture(scope="session")
def influxdb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxDB]:
    """One InfluxDB 1.x for the whole run: `create` a database of your own."""
    with InfluxDB(tmp_path_factory.mktemp("influxdb")) as server:
        yield server


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """One PostgreSQL for the whole run: `create` a database of your own."""
    with TemporaryDirectory(prefix="cv-postgresql-") as name, PostgreSQL(Path(name)) as server:
        yield server


@pytest.fixture(scope="session")
def victoria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VictoriaMetrics]:
    """One VictoriaMetrics for the whole run: use tags of your own."""
    with VictoriaMetrics(tmp_path_factory.mktemp("victoria")) as server:
        yield server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerFactory]:
    """Start a server for this test alone: `server(Mosquitto, extra="...")`; it is stopped afterwards."""
    with ExitStack() as stack:

        def make(kind: type[Server], **options: Any) -> Server:
            made = kind(tmp_path / f"{kind.command}-{len(list(tmp_path.iterdir()))}", **options)
            return stack.enter_context(made)

        yield make


@pytest.fixture(scope="session")
def one_chromium() -> Iterator[OneChromium]:
    made = OneChromium()
    yield made
    made.close()


@pytest.fixture
def browser(one_chromium: OneChromium) -> Iterator[Browser]:
    """The system's Chromium, shared by all tests; open pages with `tests.browser.page`: each is a new profile."""
    with one_chromium.use() as started:
        yield started


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print where the time went."""
    of_tests = [r for found in terminalreporter.stats.values() for r in found if isinstance(r, pytest.TestReport)]
    for line in lines(of_tests):
        terminalreporter.write_line(line)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """No process the tests started may outlive them."""
    left = end_left_over()
    if left:
        print(f"\nThe tests left processes running: {', '.join(left)}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
