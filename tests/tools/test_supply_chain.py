"""What is shipped: its libraries and their licences are known, its images can be pinned, secrets stay out of git."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import yaml

from tools import check_licences

ROOT = Path(__file__).parents[2]


def test_the_bill_of_materials_names_every_library_of_the_container_with_its_hashes(tmp_path: Path) -> None:
    out = tmp_path / "sbom.json"
    command: list[str | Path] = [
        Path(sys.executable).with_name("cyclonedx-py"),
        "requirements",
        ROOT / "deploy" / "requirements.lock",
    ]
    subprocess.run([*command, "-o", out], check=True, capture_output=True)
    found = json.loads(out.read_text())
    locked = dict(re.findall(r"^([\w.-]+)==([^ ;]+)", (ROOT / "deploy" / "requirements.lock").read_text(), re.M))
    assert found["bomFormat"] == "CycloneDX"
    assert {c["name"]: c["version"] for c in found["components"]} == locked
    for part in found["components"]:
        assert any(h["alg"] == "SHA-256" for r in part["externalReferences"] for h in r.get("hashes", [])), part["name"]


def test_the_licences_of_all_libraries_are_allowed() -> None:
    assert check_licences.wrong(check_licences.installed()) == []


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [
        ("MIT License", True),
        ("BSD-3-Clause", True),
        ("Apache-2.0 OR BSD-2-Clause", True),
        ("GPL-3.0-or-later", False),
        ("GNU Affero General Public License v3 (AGPLv3)", False),
        ("UNKNOWN", False),
        ("Proprietary", False),
    ],
)
def test_a_licence_with_conditions_on_our_program_is_found(licence: str, allowed: bool) -> None:
    assert (not check_licences.wrong([{"Name": "x", "Version": "1", "License": licence}])) == allowed


def test_images_are_pinned_by_the_digests_that_docker_names(tmp_path: Path) -> None:
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\ncase $4 in python*) echo sha256:1;; *) echo sha256:2;; esac\n")
    docker.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run([ROOT / "tools" / "pin-images"], env=environment, capture_output=True, text=True, check=True)
    lines = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert set(lines) == {"BASE_IMAGE", "MOSQUITTO_IMAGE", "INFLUXDB_IMAGE", "GRAFANA_IMAGE"}
    assert lines["BASE_IMAGE"].endswith("@sha256:1")
    docker.write_text("#!/bin/sh\necho no such image\n")
    failed = subprocess.run([ROOT / "tools" / "pin-images"], env=environment, capture_output=True, check=False)
    assert (failed.returncode, failed.stdout) == (1, b"")


def test_every_image_of_compose_can_be_pinned_and_ours_runs_without_root_and_read_only() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    for name, service in services.items():
        assert re.fullmatch(r"\$\{\w+_IMAGE:-.*\}|cityvitals:.*", service["image"]), name
        if service["image"].startswith("cityvitals:"):
            assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"]), name
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert re.findall(r"^FROM (\S+)", dockerfile, re.M) == ["${BASE}", "${BASE}"]
    assert re.search(r"^USER cityvitals$", dockerfile, re.M)
    assert "--require-hashes --requirement deploy/requirements.lock" in dockerfile


@pytest.mark.parametrize(
    "path", ["pki/ca.key", "pki/nodes/aq-001/key.der", "deploy/secrets/edge.passwd", "tokens", ".env"]
)
def test_git_and_the_build_context_ignore_secrets(path: str) -> None:
    assert subprocess.run(["git", "check-ignore", "-q", path], cwd=ROOT, check=False).returncode == 0
    ignored = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():  # the last line that matches decides
        entry = line.removeprefix("!")
        if fnmatchcase(path, entry) or path.startswith(f"{entry}/"):
            ignored = not line.startswith("!")
    assert ignored
