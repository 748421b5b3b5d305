"""`make release`: every file of a release, made from this checkout, and what it refuses."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

from tools import release

REPO = Path(__file__).parents[2]
CHANGELOG = """# Changes

## Unreleased

- In progress.

## 0.2.0 · 2026-12-01

- A new device family.

## 0.1.0 · 2026-11-01

- The first.
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("release") / "out"
    command = [sys.executable, "-m", "tools.release", "--snapshot", "--no-site", "--out", str(out)]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    print(done.stdout)
    return out


def test_every_file_is_there_and_has_its_sum(made: Path) -> None:
    lines = [line.split("  ") for line in (made / "SHA256SUMS").read_text().splitlines()]
    sums = {name: digest for digest, name in lines}
    assert set(sums) == {path.name for path in made.iterdir()} - {"SHA256SUMS"}
    assert {Path(name).suffix for name in sums} == {".whl", ".gz", ".tgz", ".json", ".md"}
    for name, expected in sums.items():
        assert hashlib.sha256((made / name).read_bytes()).hexdigest() == expected


def test_the_bill_of_materials_lists_the_libraries_of_the_image(made: Path) -> None:
    [path] = made.glob("*.cdx.json")
    bill = json.loads(path.read_text())
    locked = re.findall(r"^([\w.-]+)==(\S+)", (REPO / "deploy" / "requirements.lock").read_text(), re.MULTILINE)
    assert bill["bomFormat"] == "CycloneDX"
    assert {(part["name"], part["version"]) for part in bill["components"]} == set(locked)
    assert all(part["externalReferences"][0]["hashes"] for part in bill["components"])


def test_the_chart_names_the_version_of_the_image(made: Path) -> None:
    [wheel] = made.glob("*.whl")
    [chart] = made.glob("*.tgz")
    with tarfile.open(chart) as archive:
        member = archive.extractfile("cityvitals/Chart.yaml")
        assert member is not None
        written = yaml.safe_load(member.read())
        assert archive.extractfile("cityvitals/files/edge.conf") is not None  # a file, where the checkout has a link
    assert written["appVersion"] == wheel.name.split("-")[1]


def test_the_notes_are_those_of_the_version_or_of_what_is_not_released() -> None:
    assert release.notes(CHANGELOG, "0.2.0") == "- A new device family.\n"
    assert release.notes(CHANGELOG, "0.1.0") == "- The first.\n"
    assert release.notes(CHANGELOG, "0.3.0") == "- In progress.\n"
    with pytest.raises(SystemExit, match=r"no entry for 0\.3\.0"):
        release.notes("# Changes\n\n## Unreleased\n\n## 0.1.0\n\n- The first.\n", "0.3.0")


def test_a_release_needs_a_clean_checkout_at_a_tag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release, "ROOT", tmp_path)

    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init")
    (tmp_path / "file").write_text("one")
    git("add", "file")
    git("commit", "-m", "one")
    with pytest.raises(SystemExit, match="has no tag"):
        release.tagged_version()
    git("tag", "draft")
    git("tag", "v0.2.0")
    assert release.tagged_version() == "0.2.0"
    (tmp_path / "file").write_text("two")
    with pytest.raises(SystemExit, match="not committed"):
        release.tagged_version()
