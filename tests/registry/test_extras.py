"""A missing library is reported with a command that works where CityVitals was installed from."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest

from registry import extras
from telemetry.errors import CityVitalsError

PYTHON = shlex.quote(sys.executable)


class Installed:
    def __init__(self, origin: object) -> None:
        self.origin = origin

    def read_text(self, name: str) -> str | None:
        assert name == "direct_url.json"
        return None if self.origin is None else json.dumps(self.origin)


@pytest.mark.parametrize(
    ("origin", "command"),
    [
        (None, "pip install 'cityvitals[report]'"),  # from an index
        (
            {"dir_info": {"editable": True}, "url": "file:///home/me/city%20vitals"},
            f"{PYTHON} -m pip install -e '/home/me/city vitals[report]'",
        ),
        ({"dir_info": {}, "url": "file:///srv/cv"}, f"{PYTHON} -m pip install '/srv/cv[report]'"),
        (
            {"archive_info": {}, "url": "file:///tmp/cityvitals-0.2.0-py3-none-any.whl"},
            f"{PYTHON} -m pip install 'cityvitals[report] @ file:///tmp/cityvitals-0.2.0-py3-none-any.whl'",
        ),
    ],
)
def test_the_command_installs_from_where_cityvitals_came(
    origin: object, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extras, "distribution", lambda name: Installed(origin))
    monkeypatch.setattr(Path, "exists", lambda self: True)
    assert extras.install_command("report") == command


def test_a_source_that_is_gone_is_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    origin = {"dir_info": {}, "url": "file:///nowhere/source"}  # as in the image, whose build folder is left behind
    monkeypatch.setattr(extras, "distribution", lambda name: Installed(origin))
    assert extras.install_command("demo") == "pip install 'cityvitals[demo]'"


def test_several_missing_libraries_are_a_sentence_too() -> None:
    with pytest.raises(CityVitalsError, match=r"^no_library and no_other are not installed; run: "):
        extras.need("report", "no_library", "json", "no_other")
