"""Every alert rule fires on a fault and clears after it, by its own query, on what ingest wrote to a real InfluxDB."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapters.influx.store import InfluxStore
from grafana.build import ALERTS, alert_rules, build_alerts, check_alerts
from grafana.rules import GROUPS, Rule, latest_after
from ingest.core import Ingest
from registry.city import City
from telemetry.partials import Partials, fold
from telemetry.readings import Readings
from telemetry.series import Series
from telemetry.windows import DAY, HOUR, MINUTE
from tests.processes import need
from tests.servers import InfluxDB

RULES = {rule.uid: rule for rules in GROUPS.values() for rule in rules}
DEPLOY = Path(__file__).parents[2] / "deploy"
Labels = frozenset[tuple[str, str]]


class Town:
    """A city of its own in the store, fed by windows at the real time: the rules ask for `now()`."""

    def __init__(self, store: InfluxStore, name: str) -> None:
        self.name, self.now = name, time.time_ns() // 1_000_000
        devices = [
            {"id": "air-1", "kind": "air_reference", "quantities": ["o3", "no2", "so2", "pm2_5"]},
            {"id": "charger-1", "kind": "ev_charger", "quantities": ["connector_state"]},
            {"id": "meter-1", "kind": "electricity_meter", "quantities": ["power", "energy_total"]},
        ]
        target = [{"code": "LOCAL:E:PEAK", "value": 10, "direction": "lower"}]
        plain = {"id": name, "name": name, "country": "NO", "timezone": "Europe/Oslo"}
        city = City.model_validate({"city": plain, "device": devices, "target": target})
        self.ingest = Ingest(store)
        self.city = self.ingest.add_city(city, MINUTE)

    def feed(self, device: str, quantity: str, ago: int, value: float) -> None:
        """A reading `ago` ms before now, as a window; one of the same minute is replaced."""
        table = self.ingest.table
        series = table.id_of(Series(self.name, device, quantity))
        t = self.now - ago
        found = Readings.of([series], [t], [value])
        self.ingest.take(self.name, Partials.concat([fold(found, MINUTE, table.modulus(found.series))]))

    def derive(self, suspects: dict[str, int] | None = None) -> None:
        """Let ingest derive and write what dashboards and alerts read."""
        self.ingest.derive(self.now)
        status = self.city.status
        assert status is not None
        status.tick(self.now, suspects or {})


Deed = Callable[[Town], None]


def reading(device: str, quantity: str, value: float, ago: int = 0) -> Deed:
    def deed(town: Town) -> None:
        town.feed(device, quantity, ago, value)
        town.derive()

    return deed


def hours(quantity: str, *values: float) -> Deed:
    """Hourly means of the last whole hours, the newest first."""

    def deed(town: Town) -> None:
        hour = town.now // HOUR * HOUR
        for back, value in enumerate(values, start=1):
            town.feed("air-1", quantity, town.now - (hour - back * HOUR), value)
        town.derive()

    return deed


def suspect(days: int) -> Deed:
    def deed(town: Town) -> None:
        town.feed("air-1", "pm2_5", 0, 5.0)
        town.derive({"air-1": days})

    return deed


def power(kw: float) -> Deed:
    def deed(town: Town) -> None:
        for ago in range(0, 14 * MINUTE, MINUTE):
            town.feed("meter-1", "power", ago, kw * 1000)
        town.derive()

    return deed


def dropped(before: float, after: float) -> Deed:
    def deed(town: Town) -> None:
        town.feed("gw-1", "gw_dropped", 5 * MINUTE, before)
        town.feed("gw-1", "gw_dropped", 2 * MINUTE, after)
        town.derive()

    return deed


def gateway(**values: float) -> Deed:
    def deed(town: Town) -> None:
        for quantity, value in ({"gw_lag": 1.0} | values).items():
            town.feed("gw-1", quantity, 0, value)
        town.derive()

    return deed


# Rule, the device its alert names, the fault, and what ends it.
CASES: dict[str, tuple[str, Deed, Deed]] = {
    "device-silent": ("air-1", reading("air-1", "pm2_5", 5, 17 * MINUTE), reading("air-1", "pm2_5", 5)),
    "device-gone": ("air-1", reading("air-1", "pm2_5", 5, 2 * DAY), reading("air-1", "pm2_5", 5)),
    "ring-filling": ("air-1", reading("air-1", "ring_fill", 80), reading("air-1", "ring_fill", 20)),
    "connector-fault": (
        "charger-1", reading("charger-1", "connector_state", 3), reading("charger-1", "connector_state", 0)
    ),
    "station-suspect": ("air-1", suspect(7), suspect(6)),
    "records-missing": ("air-1", reading("air-1", "ledger_missing", 150), reading("air-1", "ledger_missing", 100)),
    "o3-information": ("air-1", reading("air-1", "o3", 181), reading("air-1", "o3", 180)),
    "o3-alarm": ("air-1", reading("air-1", "o3", 241), reading("air-1", "o3", 240)),
    "no2-alarm": ("air-1", hours("no2", 401, 401, 401), hours("no2", 401, 400, 401)),
    "so2-alarm": ("air-1", hours("so2", 501, 501, 501), hours("so2", 501, 500, 501)),
    "peak-near": ("", power(9.3), power(9.1)),
    "nothing-comes": ("", reading("air-1", "pm2_5", 5, 16 * MINUTE), reading("air-1", "pm2_5", 5)),
    "gateway-lag": ("gw-1", reading("gw-1", "gw_lag", 901), reading("gw-1", "gw_lag", 60)),
    "gateway-silent": ("gw-1", reading("gw-1", "gw_lag", 5, 17 * MINUTE), reading("gw-1", "gw_lag", 5)),
    "gateway-disk": ("gw-1", gateway(gw_disk_free=9), gateway(gw_disk_free=11)),
    "certificate-ends": ("gw-1", gateway(gw_cert_days=20), gateway(gw_cert_days=22)),
    "gateway-drops": ("gw-1", dropped(3, 5), dropped(5, 5)),
}  # fmt: skip


def values(influxdb: InfluxDB, database: str, query: str) -> dict[Labels, float]:
    """The newest value of every series, as Grafana's expression `reduce: last` has it."""
    found: dict[Labels, float] = {}
    for row in influxdb.query(query, database):
        labels = frozenset((k, str(v)) for k, v in row.items() if k not in ("time", "value"))
        if row["value"] is not None:
            found[labels] = float(row["value"])
    return found


def firing(influxdb: InfluxDB, database: str, rule: Rule) -> set[Labels]:
    """Who an alert is raised for: what Grafana makes of query, reduce, math and threshold."""
    found = values(influxdb, database, rule.query)
    if rule.over:
        below = values(influxdb, database, rule.over)
        found = {labels: value / below[labels] for labels, value in found.items() if labels in below}
    if not found and rule.silent_is_bad:
        return {frozenset()}
    return {labels for labels, value in found.items() if value > rule.limit}


@pytest.fixture(scope="module")
def database(influxdb: InfluxDB) -> str:
    return influxdb.create("alerts")


@pytest.fixture
def store(influxdb: InfluxDB, database: str) -> InfluxStore:
    return InfluxStore.from_url(f"influxdb://127.0.0.1:{influxdb.port}/{database}")


def test_every_rule_has_a_case() -> None:
    assert set(CASES) | {"ingest-stopped"} == set(RULES)


@pytest.mark.parametrize("uid", CASES)
def test_a_rule_fires_and_clears(influxdb: InfluxDB, database: str, store: InfluxStore, uid: str) -> None:
    device, fault, cure = CASES[uid]
    town = Town(store, f"town-{uid}")
    named = {("city", town.name)} | ({("device", device)} if device else set())

    def mine() -> set[Labels]:
        return {labels for labels in firing(influxdb, database, RULES[uid]) if ("city", town.name) in labels}

    assert mine() == set()
    fault(town)
    assert mine() == {frozenset(named)}
    cure(town)
    assert mine() == set()


@pytest.mark.parametrize("uid", ["device-gone", "peak-near"])
def test_in_a_store_with_a_retention_rules_read_the_policy_that_is_never_deleted(influxdb: InfluxDB, uid: str) -> None:
    name = influxdb.create(f"alerts_kept_{uid}".replace("-", "_"))
    influxdb.query(f'ALTER RETENTION POLICY "autogen" ON "{name}" DURATION 8w SHARD DURATION 1w DEFAULT', name)
    _, fault, cure = CASES[uid]
    town = Town(InfluxStore.from_url(f"influxdb://127.0.0.1:{influxdb.port}/{name}"), "kept")
    fault(town)
    groups: list[dict[str, Any]] = yaml.safe_load(alert_rules("forever"))["groups"]
    built = {rule["uid"]: rule["data"] for group in groups for rule in group["rules"]}[f"cv-{uid}"]
    texts = [step["model"]["query"] for step in built if "query" in step["model"]]
    kept = RULES[uid]._replace(query=texts[0], over=texts[1] if len(texts) > 1 else "")
    assert firing(influxdb, name, RULES[uid]) == set() or uid == "peak-near"
    assert firing(influxdb, name, kept)
    cure(town)
    assert firing(influxdb, name, kept) == set()


def test_an_ingest_that_stopped_is_noticed_by_what_is_missing(influxdb: InfluxDB) -> None:
    name = influxdb.create("alerts_stopped")
    rule = RULES["ingest-stopped"]
    assert firing(influxdb, name, rule) == {frozenset()}
    Town(InfluxStore.from_url(f"influxdb://127.0.0.1:{influxdb.port}/{name}"), "one").derive()
    assert firing(influxdb, name, rule) == set()


def test_the_time_from_fault_to_alert(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        for rule in RULES.values():
            print(f"\n{rule.title}: {rule.severity}, at most {latest_after(rule)} min after the fault", end="")
    assert latest_after(RULES["device-silent"]) == 22
    assert latest_after(RULES["ingest-stopped"]) == 14
    assert max(latest_after(r) for r in RULES.values() if r.severity == "critical" and r.uid != "device-gone") <= 245


def test_the_provisioned_rules_are_what_the_code_makes(tmp_path: Path) -> None:
    assert check_alerts() == [], "run `python -m grafana build` and commit the result"
    assert check_alerts(tmp_path / "cityvitals.yaml") == ["cityvitals.yaml"]
    assert check_alerts(build_alerts(tmp_path / "cityvitals.yaml")) == []


def test_the_provisioned_rules_have_what_grafana_needs() -> None:
    groups: list[dict[str, Any]] = yaml.safe_load(ALERTS.read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert {rule["uid"] for rule in rules} == {f"cv-{uid}" for uid in RULES}
    for rule in rules:
        letters = {step["refId"]: step["model"] for step in rule["data"]}
        assert rule["condition"] in letters
        for model in letters.values():
            names = str(model.get("expression", "A")).replace("$", "").split(" / ")
            assert set(names) <= set(letters)
        assert len(rule["uid"]) <= 40
        assert rule["annotations"]["summary"]
    assert [r["uid"] for r in rules if r["noDataState"] == "Alerting"] == ["cv-ingest-stopped"]


def test_examples_of_contact_points_name_no_real_address() -> None:
    for path in (DEPLOY / "grafana").glob("*.yaml"):
        assert yaml.safe_load(path.read_text())["apiVersion"] == 1
    points = yaml.safe_load((DEPLOY / "grafana" / "contact-points.example.yaml").read_text())["contactPoints"]
    assert {r["type"] for point in points for r in point["receivers"]} == {"email", "webhook"}
    assert all(str(v).startswith("$") for p in points for r in p["receivers"] for k, v in r["settings"].items()
               if k in ("addresses", "url"))  # fmt: skip


@pytest.mark.parametrize("call", [("check", "rules", "rules.yaml"), ("test", "rules", "rules.test.yaml")])
def test_the_rules_for_prometheus_hold(call: tuple[str, str, str]) -> None:
    done = subprocess.run(
        [need("promtool", "prometheus"), *call], cwd=DEPLOY / "prometheus", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS" in done.stdout
