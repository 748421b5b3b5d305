"""Several gateways at one broker: each device is taken by one of them, and nothing is lost while one is away."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pydantic
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from adapters.sqlite.buffer import Buffer
from adapters.sqlite.store import SqliteStore
from gateway.core import Core, Incoming
from gateway.routes import Share
from gateway.sources import made_sources
from registry.settings import GatewaySettings, SourceSettings
from telemetry.series import SeriesTable
from telemetry.windows import MINUTE
from tests.chain import Chain
from tests.conftest import ServerFactory
from tests.processes import end, wait_for
from tests.servers import Mosquitto

NOW = 1_795_168_800_000
DEVICES = [f"m{n}" for n in range(60)]


def core(folder: Path, share: Share, **source: Any) -> Core:
    made = made_sources([SourceSettings.model_validate({"city": "town", **source})])
    return Core(Buffer(folder / f"{share.number}-{share.of}.db", MINUTE), made, share=share)


def taken(made: Core) -> set[str]:
    return {made.buffer.table[s].device for (s,) in made.buffer.db.execute("SELECT DISTINCT series FROM every_reading")}


def by_topic(device: str) -> Incoming:
    return Incoming(f"flat/{device}", b'{"power": 5}')


def by_payload(device: str) -> Incoming:
    return Incoming("all", b'{"id": "%s", "w": 5}' % device.encode())


SOURCES: list[tuple[dict[str, Any], Any]] = [
    ({"topic": "flat/{device}", "format": "flat_json"}, by_topic),
    ({"family": "flat_json"}, by_topic),
    (
        {"topic": "all", "format": "json", "device": "{id}", "values": {"w": {"quantity": "power", "unit": "W"}}},
        by_payload,
    ),
]


@pytest.mark.parametrize(("source", "message"), SOURCES)
@pytest.mark.parametrize("of", [1, 2, 3])
def test_each_device_is_taken_by_one_of_the_gateways(
    source: dict[str, Any], message: Any, of: int, tmp_path: Path
) -> None:
    cores = [core(tmp_path, Share(number, of), **source) for number in range(1, of + 1)]
    for made in cores:
        counts = made.accept([message(device) for device in DEVICES], NOW)
        assert (counts.received, counts.rejected) == (60, 0)
    shares = [taken(made) for made in cores]
    assert Counter(device for share in shares for device in share) == Counter(DEVICES)
    assert all(len(share) > 60 / of / 2 for share in shares)


FOREIGN: list[tuple[dict[str, Any], str, bool]] = [
    ({"topic": "flat/{device}", "format": "flat_json"}, "flat/{}", True),
    ({"family": "flat_json"}, "flat/{}", True),
    ({"topic": "s/{device}/data", "format": "senml"}, "s/{}/data", True),
    ({"topic": "c/{device}", "format": "csv", "options": {"columns": ["power"]}, "values": {
        "power": {"quantity": "power", "unit": "W"}}}, "c/{}", True),
    ({"topic": "all/{device}", "format": "json", "device": "{id}", "values": {
        "w": {"quantity": "power", "unit": "W"}}}, "all/{}", False),
    ({"family": "sparkplug_b"}, "spBv1.0/g/NDATA/{}", False),  # births of others may name its metrics
    ({"family": "homie"}, "homie/{}/meter/power", False),
]  # fmt: skip


@pytest.mark.parametrize(("source", "topic", "by_topic"), FOREIGN)
def test_a_topic_that_names_a_device_of_another_gateway_is_known_as_such(
    source: dict[str, Any], topic: str, by_topic: bool, tmp_path: Path
) -> None:
    cores = [core(tmp_path, Share(number, 3), **source) for number in (1, 2, 3)]
    foreign = [made.routes.foreign() for made in cores]
    for device in DEVICES:
        found = [is_foreign is not None and is_foreign(topic.format(device)) for is_foreign in foreign]
        assert sum(found) == (2 if by_topic else 0)
        assert not by_topic or cores[found.index(False)].routes.find(topic.format(device)).named == device
    assert core(tmp_path, Share(), **source).routes.foreign() is None


def test_a_topic_of_no_source_or_no_valid_device_is_nobodys(tmp_path: Path) -> None:
    """Each gateway keeps or counts it, as before."""
    for number in (1, 2):
        made = core(tmp_path, Share(number, 2), topic="flat/{device}", format="flat_json")
        foreign = made.routes.foreign()
        assert foreign is not None
        assert not any(foreign(topic) for topic in ("other/m1", "flat/", "flat/-x", "flat/ä", ""))


def test_meters_of_a_node_go_where_the_node_goes(tmp_path: Path) -> None:
    pack = b'[{"bt": 1795168700, "seq": 1, "boot": 1, "n": "flat-1/power", "u": "W", "v": 3}]'
    cores = [core(tmp_path, Share(n, 2), topic="cv/{device}/data", format="senml") for n in (1, 2)]
    for made in cores:
        made.accept([Incoming(f"cv/{device}/data", pack) for device in DEVICES], NOW)
    assert sorted(d for made in cores for d in taken(made)) == sorted(f"{d}.flat-1" for d in DEVICES)


def test_what_comes_through_another_door_is_taken_whole(tmp_path: Path) -> None:
    """A pushed message reaches one gateway only: nobody else would have it."""
    made = core(tmp_path, Share(1, 2), family="line_protocol")
    lines = "\n".join(f"meter,device={d} power=5 1795168700000000000" for d in DEVICES)
    made.accept([Incoming("write", lines.encode())], NOW)
    assert len(taken(made)) == 60


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "a/b", "1/0", "-1/2", "1/2/3", ""])
def test_a_share_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(pydantic.ValidationError, match="write which of how many"):
        GatewaySettings(share=text)


class Two:
    """Two gateways and one ingest at a broker."""

    def __init__(self, folder: Path, broker: Mosquitto) -> None:
        city = folder / "town.toml"
        meters = "".join(
            f'[[device]]\nid = "{d}"\nkind = "electricity_meter"\nquantities = ["power"]\n' for d in DEVICES
        )
        city.write_text('[city]\nid = "town"\nname = "T"\ncountry = "DE"\ntimezone = "UTC"\n' + meters)
        self.chains = []
        for number in (1, 2):
            (folder / str(number)).mkdir()
            chain = Chain(folder / str(number), city, broker.port, f"sqlite:///{folder}/store.db")
            text = chain.config.read_text().replace('id = "gw"', f'id = "gw-{number}"\nshare = "{number}/2"')
            chain.config.write_text(text + '[[gateway.source]]\nfamily = "flat_json"\ncity = "town"\n')
            self.chains.append(chain)

    def start(self, number: int) -> None:
        chain = self.chains[number]
        before = (chain.log("gateway") if (chain.folder / "gateway.log").exists() else "").count("connected to")
        chain.run("gateway")
        wait_for(lambda: chain.log("gateway").count("connected to") > before + 1, 60, "both links of the gateway")


def stored(url: str) -> dict[str, tuple[int, float]]:
    """Of each device the number of its readings and their sum."""
    store, table = SqliteStore.from_url(url), SeriesTable()
    found: dict[str, tuple[int, float]] = {}
    for part in store.partials("town", "window", 0, 1 << 52, table):
        for series, n, total in zip(part.series.tolist(), part.n.tolist(), part.sum.tolist(), strict=True):
            name = table[series]
            if name.quantity == "power":
                before = found.get(name.device, (0, 0.0))
                found[name.device] = before[0] + n, before[1] + total
    store.close()
    return found


def test_two_gateways_share_a_broker_and_one_is_away_for_a_while(server: ServerFactory, tmp_path: Path) -> None:
    """The readings of a device within one minute: had two gateways folded them, one would have replaced the other's."""
    broker = server(Mosquitto)
    two = Two(tmp_path, broker)
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.max_inflight_messages_set(200)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    at = NOW // 1000 - 60 * 86400
    try:
        for number in (0, 1):
            two.start(number)
        two.chains[0].run("ingest")
        for i in range(12):
            if i == 4:
                end(two.chains[1].processes["gateway"])
            if i == 8:
                two.start(1)
            sent = [client.publish(f"flat/{d}", b'{"time": %d, "power": %d}' % (at + i, i + 1), qos=1) for d in DEVICES]
            for one in sent:
                one.wait_for_publish(20)
        wanted = dict.fromkeys(DEVICES, (12, float(sum(range(1, 13)))))
        wait_for(lambda: (tmp_path / "store.db").exists() and stored(two.chains[0].store) == wanted, 90, "all readings")
    finally:
        client.loop_stop()
        for chain in two.chains:
            chain.stop()
