"""The Helm chart: linted and rendered by Helm, checked against Kubernetes' schemas and docker-compose.yml."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from registry.config import load_settings

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "cityvitals"
KUBERNETES = "1.30"  # the oldest release that the chart is checked against
Manifest = dict[str, Any]


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("helm", path=str(Path(sys.executable).parent))
    assert program is not None, "helm comes with helm-binary of the dev extra"
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)


def render(*arguments: str) -> list[Manifest]:
    answer = helm("template", "town", str(CHART), *arguments)
    assert answer.returncode == 0, answer.stderr
    return [manifest for manifest in yaml.safe_load_all(answer.stdout) if manifest]


@pytest.fixture(scope="module")
def manifests() -> list[Manifest]:
    return render()


def named(manifests: list[Manifest], kind: str) -> dict[str, Manifest]:
    return {m["metadata"]["name"].removeprefix("town-"): m for m in manifests if m["kind"] == kind}


def pods(manifests: list[Manifest]) -> dict[str, Manifest]:
    found = named(manifests, "StatefulSet") | named(manifests, "Deployment")
    return {name: manifest["spec"]["template"]["spec"] for name, manifest in found.items()}


def compose() -> Manifest:
    loaded: Manifest = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


def environment(pod: Manifest) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in pod["containers"][0]["env"]}


def test_helm_finds_nothing_to_complain_about() -> None:
    answer = helm("lint", "--strict", str(CHART))
    assert answer.returncode == 0, answer.stdout


ENGINE = [
    "--set", "engine.enabled=true,engine.kafka=kafka-0:9092\\,kafka-1:9092,engine.checkpoints=s3://city/checkpoints",
]  # fmt: skip
VARIANTS = [
    [],
    ENGINE,
    ["--set", "brokers.enabled=false,brokers.urls.edge=mqtts://edge:8883,brokers.urls.hub=mqtts://hub:8883"],
    ["--set", "networkPolicy.enabled=false,brokers.storageClassName=fast,api.replicas=3"],
    ["--set-file", f"cities.mytown\\.toml={ROOT / 'deploy' / 'cities' / 'example.toml'}"],
]


@pytest.mark.parametrize("values", VARIANTS)
def test_kubernetes_accepts_every_manifest(values: list[str]) -> None:
    import kubernetes_validate  # takes a second, which each worker would spend at its start

    rendered = render(*values)
    for manifest in rendered:
        if manifest["kind"] == "FlinkDeployment":  # of Flink's operator, see tests/deploy/test_engine.py
            continue
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)
    names = [(m["kind"], m["metadata"]["name"]) for m in rendered]
    assert len(names) == len(set(names)) >= 6


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ("gatewy.storage=1Gi", "gatewy"),
        ("store.url=sqlite:///city.db", "store.url"),
        ("gateway.storage=plenty", "storage"),
        ("brokers.enabled=false", "brokers.urls.edge is required"),
        ("engine.enabled=true,engine.checkpoints=s3://a/b", "engine.kafka is required"),
        ("engine.enabled=true,engine.kafka=kafka:9092", "engine.checkpoints is required"),
        ("engine.kafka=kafka", "engine.kafka"),
        ("engine.districts.lagos=0", "districts"),
        ("settings.CITYVITALS__STORE__TOKEN=abc", "CITYVITALS__STORE__TOKEN"),
        ("api.replicas=0", "replicas"),
    ],
)
def test_a_wrong_value_is_refused_by_name(values: str, reason: str) -> None:
    answer = helm("template", "town", str(CHART), "--set", values)
    assert answer.returncode != 0
    assert re.search(re.escape(reason).replace(r"\.", "[./]"), answer.stderr)


@pytest.mark.parametrize("process", ["gateway", "ingest", "api"])
def test_a_process_is_started_as_by_compose(process: str, manifests: list[Manifest]) -> None:
    service = compose()["services"][process]
    pod = pods(manifests)[process]
    container = pod["containers"][0]
    assert container["args"] == service["command"]
    theirs, ours = service["environment"], environment(pod)
    assert theirs.items() <= ours.items()
    # All else that is set are addresses, which differ from one cluster to another.
    assert all(name.endswith("__URL") for name in ours.keys() - theirs.keys())
    secrets = next(volume["secret"] for volume in pod["volumes"] if volume["name"] == "secrets")
    assert [item["path"] for item in secrets["items"]] == service["secrets"]
    assert service["read_only"] is container["securityContext"]["readOnlyRootFilesystem"] is True
    writable = {m["mountPath"] for m in container["volumeMounts"] if not m.get("readOnly")}
    assert writable - {"/var/lib/cityvitals"} == set(service["tmpfs"])
    probe = container["livenessProbe"]
    if process != "api":
        assert ["CMD", *probe["exec"]["command"]] == service_health(service)
    else:
        assert f":{container['ports'][0]['containerPort']}{probe['httpGet']['path']}" in str(service["healthcheck"])


def service_health(service: Manifest) -> list[str]:
    test: list[str] = service["healthcheck"]["test"]
    return test


def test_every_pod_runs_as_the_user_of_its_image_without_rights(manifests: list[Manifest]) -> None:
    [image_user] = re.findall(r"useradd .*--uid (\d+)", (ROOT / "Dockerfile").read_text())
    for name, pod in pods(manifests).items():
        expected = 1883 if name.startswith("mosquitto") else int(image_user)
        assert pod["securityContext"]["runAsUser"] == expected
        assert pod["securityContext"]["runAsNonRoot"]
        for container in pod["containers"] + pod.get("initContainers", []):
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert not container["securityContext"]["allowPrivilegeEscalation"]


def test_the_brokers_and_settings_are_the_shipped_files(manifests: list[Manifest]) -> None:
    data = named(manifests, "ConfigMap")["town"]["data"]
    deploy = ROOT / "deploy"
    assert tomllib.loads(data["cityvitals.toml"]) == tomllib.loads((deploy / "cityvitals.toml").read_text())
    assert data["example.toml"].strip() == (deploy / "cities" / "example.toml").read_text().strip()
    for side in ("edge", "hub"):
        assert data[f"{side}.conf"].strip() == (deploy / "mosquitto" / f"{side}.conf").read_text().strip()


def test_an_address_leads_to_a_service_whose_pods_listen_there(manifests: list[Manifest]) -> None:
    services = named(manifests, "Service")
    found = named(manifests, "StatefulSet") | named(manifests, "Deployment")
    for name, service in services.items():
        labels = found[name]["spec"]["template"]["metadata"]["labels"]
        assert service["spec"]["selector"].items() <= labels.items()
        ports = {port["name"] for port in found[name]["spec"]["template"]["spec"]["containers"][0]["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} == ports
    gateway = environment(pods(manifests)["gateway"])
    assert gateway["CITYVITALS__GATEWAY__BROKER__URL"] == "mqtt://town-mosquitto-edge:1883"
    assert gateway["CITYVITALS__GATEWAY__UPLINK__URL"] == "mqtt://town-mosquitto-hub:1883"
    assert environment(pods(manifests)["ingest"])["CITYVITALS__INGEST__BROKER__URL"] == "mqtt://town-mosquitto-hub:1883"


def test_the_environment_of_each_process_makes_valid_settings(tmp_path: Path) -> None:
    cities = [f"cities.{name}\\.toml={ROOT / 'deploy' / 'cities' / 'example.toml'}" for name in ("east", "west")]
    rendered = render(*[word for city in cities for word in ("--set-file", city)])
    for pod in (pods(rendered)[name] for name in ("gateway", "ingest", "api")):
        values = {name: value for name, value in environment(pod).items() if not name.endswith("_FILE")}
        settings = load_settings(ROOT / "deploy" / "cityvitals.toml", values)
        assert [path.name for path in settings.city_files] == ["east.toml", "west.toml"]
        volume = next(volume for volume in pod["volumes"] if volume["name"] == "settings")
        mounted = {item["path"] for item in volume["configMap"]["items"]}
        assert mounted == {"cityvitals.toml", "cities/east.toml", "cities/west.toml"}


def test_pods_restart_when_a_city_file_changes(tmp_path: Path) -> None:
    def checksum(text: str) -> str:
        city = tmp_path / "town.toml"
        city.write_text(text)
        rendered = render("--set-file", f"cities.town\\.toml={city}")
        stateful = named(rendered, "StatefulSet")["gateway"]
        annotation: str = stateful["spec"]["template"]["metadata"]["annotations"]["checksum/settings"]
        return annotation

    assert checksum("# one") != checksum("# two")
