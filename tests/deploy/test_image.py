"""What the Dockerfile copies is let through by .dockerignore, and every package of the wheel is there."""

from __future__ import annotations

import fnmatch
import re
import shutil
import subprocess
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.packages.wheels import built, of_this_checkout

ROOT = Path(__file__).parents[2]


def tracked() -> list[str]:
    answer = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in answer.stdout.splitlines() if (ROOT / name).is_file()]


def let_through(name: str) -> bool:
    """Whether .dockerignore leaves this file in the build context; the last line that fits decides."""
    ignored = False
    parts = name.split("/")
    parents = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.removeprefix("!").removeprefix("**/")
        if line and not line.startswith("#") and any(fnmatch.fnmatchcase(parent, pattern) for parent in parents):
            ignored = not line.startswith("!")
    return not ignored


CONTEXT = [name for name in tracked() if let_through(name)]


def packed(wheel: Path) -> set[str]:
    """The names of the files in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def test_the_wheel_of_the_image_is_the_wheel_of_the_checkout(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for name in CONTEXT:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / name)
    assert packed(built(tmp_path, tmp_path / "wheels")) == packed(of_this_checkout(tmp_path_factory))


def test_what_the_dockerfile_names_is_in_the_context() -> None:
    named = re.findall(r"--requirement (\S+)", (ROOT / "Dockerfile").read_text())
    assert named == ["deploy/requirements.lock"]
    assert {*named, "pyproject.toml"} <= set(CONTEXT)


def test_nothing_but_code_and_the_lock_file_is_in_the_context() -> None:
    include = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"]["include"]
    expected = {name.rstrip("*") for name in include} | {"LICENSE", "README.md", "pyproject.toml", "deploy"}
    assert {name.split("/")[0] for name in CONTEXT} == expected
    assert [name for name in CONTEXT if name.startswith("deploy/")] == ["deploy/requirements.lock"]


def test_the_image_runs_as_a_user_without_rights_and_reports_its_health() -> None:
    last = (ROOT / "Dockerfile").read_text().split("\nFROM ")[-1]
    [user] = re.findall(r"^USER (\S+)", last, re.MULTILINE)
    assert user == "cityvitals"
    assert last.index("USER") < last.index("ENTRYPOINT")
    assert "HEALTHCHECK" in last
