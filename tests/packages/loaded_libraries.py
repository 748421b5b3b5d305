"""A plugin of pytest for tools/test-lowest: the run fails where the tests did not load a library that is declared.

So no library is left out of the chosen tests unnoticed.
"""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

KEY = "loaded_libraries"
NOT_LOADED = {
    "amqtt": "runs in a process that tests/test_demo.py starts",
    "apache-flink": "has an environment of its own",
    "cityvitals": "is this project",
    "django-js-lib-leaflet": "files of the page",
    "youplot": "files of the page",
    "esptool": "a program for a chip's boot loader",
    "psycopg-binary": "a part of psycopg",
    "tzdata": "files that Python reads where the system has none",
}
_names: set[str] = set()


def declared() -> set[str]:
    """The distributions that the project and its extras name, without those of its development."""
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    extras = [names for extra, names in project["optional-dependencies"].items() if extra not in ("dev", "fuzz")]
    requirements = [*project["dependencies"], *(name for names in extras for name in names)]
    return {re.split(r"[^\w.-]", requirement)[0].lower() for requirement in requirements}


def not_loaded(names: set[str]) -> list[str]:
    """The declared distributions of which none of these top-level modules is a part."""
    made = packages_distributions()
    there = {distribution.lower().replace("_", "-") for name in names for distribution in made.get(name, [])}
    return sorted(declared() - there - set(NOT_LOADED))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Of pytest-xdist: a worker has ended."""
    _names.update(getattr(node, "workeroutput", {}).get(KEY, ()))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker says what it has loaded; the process that started the workers compares."""
    loaded = {name.partition(".")[0] for name in sys.modules}
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[KEY] = sorted(loaded)
        return
    missing = not_loaded(_names | loaded)
    if missing and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        print(f"\nThe tests loaded nothing of {', '.join(missing)}: tools/test-lowest has to run a test that does.")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
