"""The files for running CityVitals in earnest are complete and hold no secret."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from shutil import which
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from deploy import make_secrets
from registry.config import load_city, load_settings
from tests.chain import Chain
from tests.processes import free_port, need, wait_for

ROOT = Path(__file__).parents[2]


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


def compose_command() -> list[str]:
    plugin = (
        subprocess.run(["docker", "compose", "version"], capture_output=True, check=False) if which("docker") else None
    )
    return ["docker", "compose"] if plugin and plugin.returncode == 0 else [need("docker-compose")]


@pytest.mark.parametrize("profile", [[], ["--profile", "demo"]])
def test_compose_accepts_the_file(profile: list[str]) -> None:
    command = [*compose_command(), *profile, "config"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert {"gateway", "ingest", "api", "influxdb", "grafana"} < set(yaml.safe_load(answer.stdout)["services"])


def test_simulated_devices_run_in_the_demo_only() -> None:
    profiles = {name: service.get("profiles") for name, service in compose()["services"].items()}
    assert {name: chosen for name, chosen in profiles.items() if chosen} == {"simulators": ["demo"]}


def mounts() -> list[str]:
    services = compose()["services"].values()
    volumes = [volume for service in services for volume in service.get("volumes", [])]
    sources = [volume.partition(":/")[0].replace("${CITIES:-", "").rstrip("}") for volume in volumes]
    return sorted({source for source in sources if source.startswith("./")})


@pytest.mark.parametrize("source", mounts())
def test_what_compose_mounts_is_in_the_repository_or_made_with_the_secrets(source: str, tmp_path: Path) -> None:
    make_secrets.make(tmp_path)
    assert (ROOT / source).exists() or (tmp_path / source.removeprefix("./deploy/secrets/")).exists()


def test_every_secret_compose_mounts_is_made_by_the_script(tmp_path: Path) -> None:
    make_secrets.make(tmp_path, demo=True)
    for secret in compose()["secrets"].values():
        assert (tmp_path / Path(secret["file"]).name).stat().st_size > 0


def test_every_service_comes_back_after_a_crash_and_keeps_its_data() -> None:
    file = compose()
    for name, service in file["services"].items():
        assert service["restart"] == "unless-stopped", name
    kept = {v.split(":")[0] for s in file["services"].values() for v in s.get("volumes", [])} & set(file["volumes"])
    assert kept == set(file["volumes"])


def test_every_service_says_whether_it_is_well() -> None:
    services = compose()["services"]
    assert [name for name, service in services.items() if "healthcheck" not in service] == []
    beating = {n for n, s in services.items() if "getmtime('/run/cityvitals/pulse')" in str(s["healthcheck"])}
    assert beating == {n for n, s in services.items() if "CITYVITALS_PULSE" in s.get("environment", {})}


def test_a_process_that_does_no_work_is_unhealthy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pulse = tmp_path / "pulse"
    monkeypatch.setenv("CITYVITALS_PULSE", str(pulse))
    check = [
        word.replace("/run/cityvitals/pulse", str(pulse))
        for word in compose()["services"]["gateway"]["healthcheck"]["test"]
    ]

    def healthy() -> bool:
        return subprocess.run([sys.executable, *check[2:]], capture_output=True, check=False).returncode == 0

    assert not healthy()  # it has not begun
    chain = Chain(
        tmp_path, ROOT / "cityvitals" / "local" / "demo_city.toml", free_port(), f"sqlite:///{tmp_path}/store.db"
    )
    try:
        gateway = chain.run("gateway")
        wait_for(healthy, 30, "the gateway to be healthy, though its broker is away")
        gateway.send_signal(signal.SIGSTOP)
        os.utime(pulse, (time.time() - 90, time.time() - 90))
        assert not healthy()
        gateway.send_signal(signal.SIGCONT)
        wait_for(healthy, 30, "the gateway to be healthy again")
    finally:
        chain.stop()


def test_no_secret_is_written_into_the_shipped_files() -> None:
    for name, service in compose()["services"].items():
        for key, value in (service.get("environment") or {}).items():
            secret = any(word in key.upper() for word in ("PASSWORD", "TOKEN", "SECRET"))
            assert not secret or str(value).startswith("/run/secrets/"), f"{name}: {key}"
    assert "PASSWORD" not in (ROOT / ".env.example").read_text().upper()


@pytest.mark.parametrize("name", ["gateway", "ingest", "api", "simulators"])
def test_every_process_accepts_its_configuration_and_finds_its_secrets(name: str, tmp_path: Path) -> None:
    make_secrets.make(tmp_path, demo=True)
    service = compose()["services"][name]
    named = [path for key, path in service["environment"].items() if key.endswith("_FILE")]
    assert {path.removeprefix("/run/secrets/") for path in named} == set(service["secrets"])
    environment = {key: value.replace("/run/secrets", str(tmp_path)) for key, value in service["environment"].items()}
    settings = load_settings(ROOT / "deploy" / "cityvitals.toml", environment)
    assert [load_city(path).id for path in settings.city_files] == ["example"]


def test_brokers_and_users_of_the_configuration_are_those_of_the_brokers() -> None:
    settings = load_settings(ROOT / "deploy" / "cityvitals.toml", {})
    uplink = settings.gateway.uplink
    assert uplink is not None
    assert uplink.username == settings.gateway.id == make_secrets.GATEWAY
    assert settings.gateway.broker.username in make_secrets.EDGE_USERS
    assert settings.ingest.broker.username in make_secrets.HUB_USERS
    assert settings.simulate.broker.username == "{device}"
    services = compose()["services"]
    for broker in (settings.gateway.broker, uplink, settings.ingest.broker, settings.simulate.broker):
        assert urlsplit(broker.url).hostname in services
    assert urlsplit(settings.store.url).hostname in services


def test_the_gateway_has_a_key_for_those_who_charge() -> None:
    assert "CITYVITALS__GATEWAY__USER_KEY_FILE" in compose()["services"]["gateway"]["environment"]


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr("sys.argv", ["make_secrets.py", "--folder", str(tmp_path / "file" / "secrets")])
    with pytest.raises(SystemExit, match="cannot be used"):
        make_secrets.main()


def test_secrets_made_once_stay_as_they_are(tmp_path: Path) -> None:
    make_secrets.make(tmp_path)
    before = {path.name: path.read_text() for path in tmp_path.iterdir()}
    make_secrets.make(tmp_path, demo=True)
    after = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert before["edge_gateway"] == after["edge_gateway"]
    assert before["hub.passwd"] == after["hub.passwd"]
    assert after["edge.passwd"].startswith(before["edge.passwd"])
    assert set(after) - set(before) == {"edge_simulator"}


def test_a_device_is_enrolled_once_and_never_under_a_role(tmp_path: Path) -> None:
    make_secrets.make(tmp_path)
    assert len(make_secrets.enrol(tmp_path, "aq-001")) >= 24
    with pytest.raises(SystemExit, match="has a password already"):
        make_secrets.enrol(tmp_path, "aq-001")
    for role in ("gateway", "operator", "simulator"):
        with pytest.raises(SystemExit, match="is a reserved role"):
            make_secrets.enrol(tmp_path, role)
    with pytest.raises(SystemExit, match="is not a valid user name"):
        make_secrets.enrol(tmp_path, "a/b")
