"""Flink in the deployment files: the job is started with options that it has, both ends on the files of ingest."""

from __future__ import annotations

import ast
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from registry.config import load_settings
from tests.deploy.test_compose import compose_command
from tests.deploy.test_helm import ENGINE, environment, named, pods, render

ROOT = Path(__file__).parents[2]
FILES = ["--file", "docker-compose.yml", "--file", "deploy/compose.engine.yml"]
CRD = os.environ.get("CITYVITALS_FLINK_CRD", "")  # of Flink's operator: helm/flink-kubernetes-operator/crds there
Services = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def services() -> Services:
    """All services that are started, as compose reads both files."""
    command = [*compose_command(), *FILES, "config"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    found: Services = yaml.safe_load(answer.stdout)["services"]
    return {name: service for name, service in found.items() if not service.get("profiles")}


@pytest.fixture(scope="module")
def manifests() -> list[dict[str, Any]]:
    return render(*ENGINE, "--set", "engine.districts.lagos=8,engine.parallelism=16")


def options_of_the_job() -> set[str]:
    """As scale/flink_job.py declares them; it cannot be imported without PyFlink."""
    calls = [n for n in ast.walk(ast.parse((ROOT / "scale" / "flink_job.py").read_text())) if isinstance(n, ast.Call)]
    added = [
        call.args[0] for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "add_argument"
    ]
    return {str(word.value) for word in added if isinstance(word, ast.Constant)}


def version(name: str) -> str:
    """Of what tools/get-engine gets, which is what the proof runs on."""
    return str(re.findall(rf"^{name}=(\S+)$", (ROOT / "tools" / "get-engine").read_text(), re.MULTILINE)[0])


def connector() -> str:
    return f"/opt/flink/connector/flink-sql-connector-kafka-{version('connector')}.jar"


def job_of(words: list[str]) -> list[str]:
    """The words behind the module, after its options were checked."""
    assert "scale.flink_job" in words
    own = words[words.index("scale.flink_job") + 1 :]
    assert {word for word in own if word.startswith("--")} <= options_of_the_job()
    assert own[own.index("--connector") + 1] == connector()
    return own


def mounted(service: dict[str, Any], volume: str) -> set[str]:
    """Where a volume is mounted; the first version of compose writes volumes as words."""
    words = [v.split(":") if isinstance(v, str) else [v["source"], v["target"]] for v in service["volumes"]]
    return {word[1] for word in words if word[0] == volume}


def test_compose_starts_the_job_with_its_options_and_no_ingest(services: Services) -> None:
    assert "ingest" not in services
    assert {"kafka", "flink-jobmanager", "flink-taskmanager", "flink-job", "bridge", "values", "archive"} < set(
        services
    )
    own = job_of(services["flink-job"]["command"])
    assert own[own.index("--brokers") + 1] == services["bridge"]["environment"]["CITYVITALS__LOG__BROKERS"]


def test_both_ends_have_the_files_of_the_ingest_whose_place_they_take(services: Services) -> None:
    ingest = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["ingest"]
    [data] = [volume.partition(":")[2] for volume in ingest["volumes"] if volume.startswith("ingest:")]
    for name in ("bridge", "values", "archive"):
        assert data in mounted(services[name], "ingest")
        secrets = {v for k, v in services[name]["environment"].items() if k.endswith("_FILE")}
        assert {f"/run/secrets/{s['source']}" for s in services[name]["secrets"]} == secrets
        assert secrets <= {v for k, v in ingest["environment"].items() if k.endswith("_FILE")}
        assert services[name]["read_only"] is True
        assert services[name]["restart"] == "unless-stopped"
        assert "getmtime('/run/cityvitals/pulse')" in str(services[name]["healthcheck"])
        values = {k: v for k, v in services[name]["environment"].items() if not k.endswith("_FILE")}
        assert load_settings(ROOT / "deploy" / "cityvitals.toml", values).log.brokers == "kafka:9092"


def test_compose_makes_the_topics_of_the_settings(services: Services) -> None:
    log = load_settings(ROOT / "deploy" / "cityvitals.toml", {}).log
    command = " ".join(services["topics"]["command"])
    assert f"'{log.records} --config retention.ms=" in command
    assert f"'{log.values} --config cleanup.policy=compact'" in command
    timeout = int(services["kafka"]["environment"]["KAFKA_TRANSACTION_MAX_TIMEOUT_MS"])
    [own] = re.findall(r'"transaction.timeout.ms", "(\d+)"', (ROOT / "scale" / "flink_job.py").read_text())
    assert timeout >= int(own)  # else the brokers refuse the job's transactions


def test_the_image_has_the_engine_that_is_proved(services: Services) -> None:
    text = (ROOT / "deploy" / "flink" / "Dockerfile").read_text()
    assert f"FLINK=flink:{version('flink')}-java17" in text
    assert f"flink-sql-connector-kafka:{version('connector')}" in text
    assert f"kafka:{version('kafka')}" in services["kafka"]["image"]


def test_the_chart_starts_the_job_with_its_options(manifests: list[dict[str, Any]]) -> None:
    spec = named(manifests, "FlinkDeployment")["engine"]["spec"]
    own = job_of(spec["job"]["args"])
    assert own[own.index("--districts") + 1] == "lagos=8"
    assert own[own.index("--checkpoints") + 1] == "s3://city/checkpoints"
    assert spec["job"]["jarURI"].endswith(f"flink-python-{version('flink')}.jar")
    assert spec["flinkVersion"] == "v" + version("flink").rpartition(".")[0].replace(".", "_")
    assert spec["job"]["parallelism"] == 16
    assert spec["job"]["upgradeMode"] == "savepoint"
    assert all(isinstance(value, str) for value in spec["flinkConfiguration"].values())


def strict(schema: Any) -> Any:  # JSON schema
    """The schema of Kubernetes, which leaves out what it does not name, as one that refuses it."""
    if not isinstance(schema, dict):
        return schema
    found = {key: strict(part) for key, part in schema.items() if key != "properties"}
    if "properties" in schema:
        found["properties"] = {name: strict(part) for name, part in schema["properties"].items()}
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            found.setdefault("additionalProperties", False)
    return found


@pytest.mark.skipif(not CRD, reason="CITYVITALS_FLINK_CRD does not name the operator's flinkdeployments...yml")
def test_the_operators_schema_takes_the_deployment(manifests: list[dict[str, Any]]) -> None:
    versions = yaml.safe_load(Path(CRD).read_text())["spec"]["versions"]
    deployment = named(manifests, "FlinkDeployment")["engine"]
    [spec] = [
        v["schema"]["openAPIV3Schema"]["properties"]["spec"]
        for v in versions
        if deployment["apiVersion"] == f"flink.apache.org/{v['name']}"
    ]
    check = jsonschema.Draft202012Validator(strict(spec))
    assert [error.message for error in check.iter_errors(deployment["spec"])] == []
    wrong = {**deployment["spec"], "flinkVersion": "v0_1", "jobs": {}}
    assert len(list(check.iter_errors(wrong))) == 2


def test_in_the_chart_both_ends_take_the_place_of_ingest_on_its_volume(manifests: list[dict[str, Any]]) -> None:
    pod = pods(manifests)["ingest"]
    assert [container["args"][0] for container in pod["containers"]] == ["bridge", "values", "archive"]
    pulses = set()
    for container in pod["containers"]:
        values = environment({"containers": [container]})
        assert values["CITYVITALS__LOG__BROKERS"] == "kafka-0:9092,kafka-1:9092"
        assert values["CITYVITALS_PULSE"] in str(container["livenessProbe"]["exec"]["command"])
        assert {"name": "data", "mountPath": "/var/lib/cityvitals"} in container["volumeMounts"]
        pulses.add(values["CITYVITALS_PULSE"])
    assert len(pulses) == 3


def test_without_the_engine_the_chart_has_the_ingest() -> None:
    rendered = render()
    assert [container["name"] for container in pods(rendered)["ingest"]["containers"]] == ["ingest"]
    assert named(rendered, "FlinkDeployment") == {}
