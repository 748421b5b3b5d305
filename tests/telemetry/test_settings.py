"""The configuration: the file, the environment over it, secrets from files; unknown keys are errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.mqtt.broker_settings import broker
from registry.config import load_settings
from registry.settings import Settings
from telemetry.errors import UsageError


def write(folder: Path, text: str) -> Path:
    path = folder / "cityvitals.toml"
    path.write_text(text)
    return path


def test_without_file_and_environment_there_are_defaults() -> None:
    assert load_settings(None, {}) == Settings()


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, '[gateway]\nid = "a"\nwidth_s = 60\n[gateway.broker]\nurl = "mqtt://one"\n')
    found = load_settings(
        path,
        {
            "CITYVITALS__GATEWAY__ID": "b",
            "CITYVITALS__GATEWAY__BROKER__URL": "mqtt://two",
            "CITYVITALS__API__PORT": "0",
            "OTHER": "x",
        },
    )
    gateway = found.gateway
    assert (gateway.id, gateway.broker.url, gateway.width_s, found.api.port) == ("b", "mqtt://two", 60, 0)  # fmt: skip


def test_lists_in_the_environment_are_toml(tmp_path: Path) -> None:
    found = load_settings(
        None,
        {
            "CITYVITALS__CITY_FILES": '["a.toml", "b.toml"]',
            "CITYVITALS__GATEWAY__SOURCE": '[{topic = "t/{device}", format = "flat_json", city = "aba"}]',
        },
    )
    assert [f.name for f in found.city_files] == ["a.toml", "b.toml"]
    assert found.gateway.source[0].topic == "t/{device}"


def test_a_secret_is_read_from_a_file_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    found = load_settings(None, {"CITYVITALS__INGEST__BROKER__PASSWORD_FILE": str(tmp_path / "secret")})
    assert "s3cret" not in repr(found)
    assert broker(found.ingest.broker).password == "s3cret"


def test_a_secret_file_that_is_missing_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="CITYVITALS__STORE__TOKEN_FILE names a file"):
        load_settings(None, {"CITYVITALS__STORE__TOKEN_FILE": str(tmp_path / "nowhere")})
    (tmp_path / "noise").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="noise is not UTF-8 text"):
        load_settings(None, {"CITYVITALS__STORE__TOKEN_FILE": str(tmp_path / "noise")})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[gateway]\nwidht_s = 60\n", ["line 2", "'widht_s'", "'width_s'"]),
        ('[gateway.broker]\nurl = "x"\nuser = "y"\n', ["line 3", "'user'", "'username'"]),
        ("[gatway]\n", ["line 1", "'gatway'", "'gateway'"]),
        ('[[gateway.source]]\ntopic = "t/{device}"\nformta = "x"\n', ["line 3", "'formta'", "'format'"]),
        ("[gateway]\nflush_s = 0\n", ["line 2", "flush_s"]),
        ('[gateway]\nflush_s = "soon"\n', ["line 2", "flush_s"]),
    ],
)
def test_the_sentence_names_file_line_and_nearest_key(text: str, words: list[str], tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        load_settings(write(tmp_path, text), {})
    assert [word for word in [*words, "cityvitals.toml"] if word not in str(error.value)] == [], str(error.value)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("CITYVITALS__GATEWAY__WIDHT_S", "60", "'width_s'"),
        ("CITYVITALS__GATEWAY__WIDTH_S", "wide", "width_s"),
        ("CITYVITALS__GATEWAY__ID__X", "1", "is not a section"),
    ],
)
def test_a_wrong_environment_variable_is_a_sentence(name: str, value: str, sentence: str) -> None:
    environment = {"CITYVITALS__GATEWAY__ID": "a", name: value}
    with pytest.raises(UsageError, match=sentence):
        load_settings(None, environment)


def test_city_files_lie_beside_the_configuration(tmp_path: Path) -> None:
    found = load_settings(write(tmp_path, 'city_files = ["cities/a.toml", "/etc/b.toml"]\n'), {})
    assert found.city_files == [tmp_path / "cities/a.toml", Path("/etc/b.toml")]
