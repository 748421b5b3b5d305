"""The files of the coverage run of the core modules."""

from __future__ import annotations

from pathlib import Path

from coverage.data import combinable_files

from tools import core_coverage


def test_settings_and_report_are_not_taken_for_data(tmp_path: Path) -> None:
    for path in (core_coverage.DATA, core_coverage.SETTINGS, core_coverage.REPORT):
        (tmp_path / path.name).touch()
    assert combinable_files(str(tmp_path / core_coverage.DATA.name)) == []
