"""What must not be found: user ids on disk or on the wire, secrets in logs."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from adapters.mqtt.broker_settings import broker
from adapters.mqtt.link import Link, wait
from adapters.sqlite.buffer import Buffer
from cityvitals.cli.config import print_config
from cityvitals.sources import sources_of
from gateway.core import Core, Incoming, Source
from gateway.decoding.decoded import SourceOptions
from gateway.privacy import without_users
from registry.config import load_settings
from registry.settings import GatewaySettings
from telemetry.errors import CityVitalsError
from telemetry.windows import MINUTE
from tests.processes import free_port

NOW = 1_709_294_400_000
CARD = "04A1B2C3D4E5F6"
SECRET = "a-very-secret-word-9f8e7d"


def core(folder: Path, secret: bytes) -> Core:
    sources = [Source("cv/1/{city}/{device}/data", "senml", options=SourceOptions(secret=secret))]
    return Core(Buffer(folder / f"{secret.decode() or 'none'}.db", MINUTE), sources)


def session(value: str = "7.5", city: str = "aba") -> Incoming:
    body = f'[{{"n":"session_energy","u":"kWh","v":{value},"bt":{NOW / 1000 - 3600},"key":"{CARD}","idTag":"{CARD}"}}]'
    return Incoming(f"cv/1/{city}/ev-1/data", body.encode())


def keys(made: Core) -> list[int]:
    return [row[0] for row in made.buffer.db.execute("SELECT key FROM every_reading ORDER BY series")]


def test_the_identity_of_a_session_depends_on_the_key_and_the_city(tmp_path: Path) -> None:
    found = []
    for secret in (b"one", b"two", b""):
        made = core(tmp_path, secret)
        made.accept([session(), session(city="abb")], NOW)
        found += keys(made)
    assert len(set(found)) == 5  # without a key both cities have the same number
    again = core(tmp_path, b"one")
    again.accept([session(), session(city="abb")], NOW)
    assert keys(again) == found[:2]


def test_a_card_is_not_in_the_gateways_files_even_when_the_message_is_refused(tmp_path: Path) -> None:
    made = core(tmp_path, b"one")
    refused = Incoming("cv/1/aba/ev-1/data", f'[{{"n":"mystery","v":1,"user":"{CARD}","idTag":"{CARD}"}}]'.encode())
    made.accept([session(), refused], NOW)
    assert len(made.buffer.rejects.newest()) == 1
    made.buffer.close()
    for path in tmp_path.iterdir():
        assert CARD.encode() not in path.read_bytes(), path


@pytest.mark.parametrize("label", ["user", "userId", "user_id", "idTag", "id_tag", "idToken", "RFID", "uid", "email"])
def test_refused_messages_are_kept_without_their_users(label: str) -> None:
    one = without_users(f'{{"{label}": "{CARD}", "v": 1}}'.encode(), b"k")
    assert CARD.encode() not in one
    assert b'"v": 1' in one
    assert one == without_users(f'{{"{label}": "{CARD}", "v": 1}}'.encode(), b"k")
    assert one != without_users(f'{{"{label}": "{CARD}", "v": 1}}'.encode(), b"other")


def test_the_key_comes_from_the_environment_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{SECRET}\n")
    for name, value in (("USER_KEY", SECRET), ("USER_KEY_FILE", str(tmp_path / "key"))):
        settings = load_settings(None, {f"CITYVITALS__GATEWAY__{name}": value})
        assert sources_of(settings.gateway)[0].options.secret == SECRET.encode()


def test_nothing_secret_is_said_at_any_log_level(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """A broker that is not there, with its password: whatever is logged, shown or raised on the way."""
    url = f"mqtt://gateway:{SECRET}@127.0.0.1:{free_port()}"
    environment = {
        "CITYVITALS__GATEWAY__BROKER__URL": url,
        "CITYVITALS__GATEWAY__UPLINK": f'{{url = "mqtt://127.0.0.1:1", username = "g", password = "{SECRET}"}}',
        "CITYVITALS__STORE__TOKEN": SECRET,
        "CITYVITALS__GATEWAY__USER_KEY": SECRET,
    }
    settings = load_settings(None, environment)
    said = [str(settings.gateway.user_key), str(settings.store), repr(settings.gateway.uplink)]
    with caplog.at_level(logging.DEBUG):
        for place in (settings.gateway.broker, settings.gateway.uplink):
            assert place is not None
            made = broker(place)
            said.append(repr(made))
            link = Link(made, "gw")
            wait([link], 0.0)
            said.append(link.state)
            link.close()
        with pytest.raises(CityVitalsError) as failure:
            load_settings(None, environment | {"CITYVITALS__STORE__TOKN": SECRET})
        said.append(str(failure.value))
    assert "cannot be reached" in caplog.text
    assert SECRET not in caplog.text
    assert SECRET not in "\n".join(said)


def test_the_printed_configuration_shows_no_password_not_even_in_an_address(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, scheme in (("GATEWAY__BROKER", "mqtts"), ("GATEWAY__UPLINK", "mqtt"), ("STORE", "influxdb")):
        monkeypatch.setenv(f"CITYVITALS__{name}__URL", f"{scheme}://us%40er:{SECRET}@x@host.example:1/db")
    monkeypatch.setenv("CITYVITALS__GATEWAY__USER_KEY", SECRET)
    print_config()
    output = capsys.readouterr().out
    assert SECRET not in output
    assert output.count("://us%40er:**********@host.example:1/db") == 3


def test_settings_name_the_gateway_without_its_secrets() -> None:
    shown = repr(GatewaySettings(user_key=SECRET))
    assert SECRET not in shown
