"""What arrives and is in no city file is named, with the command that registers it, and that command works."""

from __future__ import annotations

import shlex
import tomllib
from pathlib import Path

import pytest

from adapters.sqlite.buffer import Buffer
from cityvitals.operation.doctor_devices import unregistered_series
from cityvitals.operation.registration import register
from cityvitals.sources import served_by, sources_of
from gateway.core import Core, Incoming
from registry.config import load_city
from registry.settings import GatewaySettings
from registry.unregistered import COMPARED, nearest_id, unregistered
from telemetry.errors import UsageError
from telemetry.windows import MINUTE
from tests.field.cases import named
from tests.replay import cli

AT = 1_795_790_000  # 2026-11-27 13:53:20 UTC
SAYS = {
    "stranger-typo": (
        "air-01 (unregistered in town) sends pm2_5 since 2026-11-27 15:33, 1 reading: in no KPI;"
        " nearest registered id air-1. To register it: cityvitals device add {file} air-01 --like air-1"
        " (or let it send as air-1)"
    ),
    "stranger-quantity": (
        "meter-1 sends power since 2026-11-27 15:33, 1 reading, which its entry in town does not list: in no KPI."
        " To register it: cityvitals device add {file} meter-1 --quantity power"
    ),
}
PLAIN = """# our town
[city]
id = "town"
name = "Town"
country = "DE"
timezone = "Europe/Berlin"   # Germany has one zone

# by the station
[[device]]
id = "aq-099"
site = "Station"
kind = "air_lowcost"
quantities = ["pm2_5", "pm10"]  # SDS011
interval_s = 150

# the end
"""


def gateway(folder: Path, config: str, city_text: str) -> tuple[Core, Path]:
    """A gateway's core that serves the city, and the city file."""
    path = folder / "town.toml"
    path.write_text(city_text)
    settings = GatewaySettings.model_validate(tomllib.loads(config)["gateway"])
    cities = [load_city(path)]
    buffer = Buffer(folder / "gateway.db", MINUTE)
    return Core(buffer, sources_of(settings, cities), served=served_by(settings, cities)), path


def said(folder: Path, path: Path) -> list[str]:
    return list(unregistered_series(folder / "gateway.db", {path: load_city(path)}))


@pytest.mark.parametrize("name", SAYS)
def test_doctor_names_it_and_its_command_ends_it(name: str, tmp_path: Path) -> None:
    case = named("stranger")[name]
    core, path = gateway(tmp_path, case["config"], case["city_toml"])
    core.accept([Incoming(case["topic"], case["payload"].encode())], AT * 1000 + 500)
    core.buffer.close()
    [sentence] = said(tmp_path, path)
    assert sentence == SAYS[name].format(file=path)
    command = sentence.split("To register it: ")[1].split(" (or")[0]
    answer = cli.run(*shlex.split(command)[1:])
    assert "Restart gateway and ingest" in answer
    assert said(tmp_path, path) == []


def test_every_case_is_here() -> None:
    assert set(named("stranger")) == set(SAYS)


def test_a_device_like_no_other_gets_a_kind_by_what_it_sends(tmp_path: Path) -> None:
    core, path = gateway(
        tmp_path, '[[gateway.source]]\ntopic = "z/{device}"\nformat = "flat_json"\ncity = "town"\n', PLAIN
    )
    for i, (device, payload) in enumerate(
        (("zzz", '"laeq": 55'), ("zzz", '"laeq": 56'), ("em7", '"energy_total": 5, "power": 100'))
    ):
        core.accept([Incoming(f"z/{device}", f'{{"time": {AT + i}, {payload}}}'.encode())], AT * 1000 + 5000)
    core.buffer.close()
    sentences = said(tmp_path, path)
    assert [s.split("To register it: ")[1] for s in sentences] == [
        f"cityvitals device add {path} em7 --kind electricity_meter --quantity energy_total --quantity power",
        f"cityvitals device add {path} zzz --kind noise --quantity laeq",
    ]
    assert "zzz (unregistered in town) sends laeq since 2026-11-27 15:33, 2 readings: in no KPI" in sentences[1]
    for sentence in sentences:
        cli.run(*shlex.split(sentence.split("To register it: ")[1])[1:])
    assert said(tmp_path, path) == []


def test_a_misspelt_city_is_named_although_nothing_of_it_is_stored(tmp_path: Path) -> None:
    core, path = gateway(tmp_path, '[[gateway.source]]\ntopic = "z/{city}/{device}"\nformat = "flat_json"\n', PLAIN)
    payload = f'{{"time": {AT}, "pm2_5": 8}}'.encode()
    core.accept([Incoming("z/tovn/aq-099", payload)] * 3 + [Incoming("z/town/aq-099", payload)], AT * 1000 + 500)
    for i in range(500):  # invented names fill nothing
        core.accept([Incoming(f"z/x{i}/aq-099", payload)], AT * 1000 + 500)
    core.buffer.close()
    sentences = said(tmp_path, path)
    assert sentences[0] == (
        "3 messages of the city 'tovn' arrived, which this gateway does not serve; nothing of them is stored;"
        " nearest id town"
    )
    assert len(sentences) == 50


def test_the_file_keeps_its_comments_and_gets_the_entry_at_its_place(tmp_path: Path) -> None:
    path = tmp_path / "town.toml"
    path.write_text(PLAIN)
    register(path, "aq-999", "aq-099", "", ())
    text = path.read_text()
    assert [c for c in PLAIN.splitlines() if "#" in c] == [c for c in text.splitlines() if "#" in c]
    old, new = load_city(path).device
    assert (new.id, new.kind, new.quantities, new.interval_s) == ("aq-999", "air_lowcost", ("pm2_5", "pm10"), 150)
    assert (old.site, new.site) == ("Station", "")
    register(path, "aq-099", "", "", ("temperature",))
    assert load_city(path).device[0].quantities == ("pm2_5", "pm10", "temperature")
    assert "# SDS011" in path.read_text()
    assert register(path, "aq-099", "", "", ("temperature",)) == f"{path} lists this already.\n"


@pytest.mark.parametrize(
    ("device", "like", "kind", "quantities", "why"),
    [
        ("aq-999", "aq-98", "", (), "town has no device 'aq-98'; did you mean 'aq-099'"),
        ("aq-999", "", "", (), "Give --like ID of a registered device, or --kind and --quantity"),
        ("aq-999", "", "air", ("pm2_5",), "'air' is not a kind of device"),
        ("aq-999", "", "noise", ("laek",), "unknown quantity 'laek'; did you mean 'laeq'"),
        ("aq-099", "", "noise", (), "aq-099 is registered in town; give only --quantity"),
        ("aq-099", "", "", (), "aq-099 is registered already; give --quantity"),
        ("a b", "aq-099", "", (), "an id is 1 to 64 of A-Z"),
    ],
)
def test_what_cannot_be_registered_leaves_the_file_as_it_was(
    device: str, like: str, kind: str, quantities: tuple[str, ...], why: str, tmp_path: Path
) -> None:
    path = tmp_path / "town.toml"
    path.write_text(PLAIN)
    with pytest.raises(UsageError) as error:
        register(path, device, like, kind, quantities)
    assert why in str(error.value)
    assert ".new" not in str(error.value)
    assert path.read_text() == PLAIN
    assert [p.name for p in tmp_path.iterdir()] == ["town.toml"]


def test_what_is_registered_and_what_programs_say_of_themselves_is_not_named(tmp_path: Path) -> None:
    (tmp_path / "town.toml").write_text(named("stranger")["stranger-typo"]["city_toml"])
    city = load_city(tmp_path / "town.toml")
    assert unregistered(city, [("air-1", "pm2_5"), ("air-1", "uptime"), ("gateway-1", "gw_stored")]) == []


def test_the_nearest_id_is_the_one_with_the_same_number() -> None:
    known = ("aq-011", "aq-012", "aq-001", "aq-010")
    assert nearest_id("aq-1", known) == "aq-001"
    assert nearest_id("AQ_012", known) == "aq-012"
    assert nearest_id("aq-999", ("aq-099", "ev-001")) == "aq-099"
    assert nearest_id("meter", known) == ""


def test_a_similar_id_is_searched_for_a_few_devices_only(tmp_path: Path) -> None:
    """A sender can invent any number of ids, and each search reads all registered ones."""
    (tmp_path / "town.toml").write_text(named("stranger")["stranger-typo"]["city_toml"])
    city = load_city(tmp_path / "town.toml")
    found = unregistered(city, [(f"air-{n:03}", "pm2_5") for n in range(900, 990)])
    assert len(found) == 90
    assert [u.like for u in found] == ["air-1"] * COMPARED + [""] * (90 - COMPARED)
