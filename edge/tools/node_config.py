"""A node's `node.json`: composed, checked by the firmware's own rules and by what a board needs, shown, changed.

What the firmware checks at its start is checked by the firmware's own code, so that the two cannot differ.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from adapters.mqtt.broker import Broker
from edge.tools import boards, fittings, node_kinds
from registry import secret_files
from telemetry.errors import UsageError, nearest
from telemetry.untrusted import read_json

Config = dict[str, Any]
FILE = "node.json"
CA, CERTIFICATE, KEY = "ca.der", "device.der", "device.key.der"
_SECRETS = {"password", "ota_key"}
_TEXTS = _SECRETS | {"ssid", "host", "user"}  # also where they look like numbers
_TLS = {"ca", "cert", "key", "name"}
_POOL = ("0.pool.ntp.org", "1.pool.ntp.org")  # one server alone is only an estimate


def compose(
    city: str, device: str, broker: Broker, sensors: Sequence[node_kinds.Sensor], ota_key: str, wifi: Mapping[str, str],
    ntp: Sequence[str] = (), interval_s: int = 60, board: str = "",
) -> Config:  # fmt: skip
    """The configuration of a new node. Without `ntp`: the broker's machine, then the public pool."""
    mqtt: Config = {"host": broker.host, "port": broker.port}
    if broker.username:
        mqtt |= {"user": broker.username, "password": broker.password or ""}
    if broker.tls:
        mqtt["tls"] = {"ca": CA, "cert": CERTIFICATE, "key": KEY, "name": broker.host}
    out: Config = {"city": city, "device": device, "interval_s": interval_s}
    if board:
        out |= {"board": board, "button": boards.board(board).button}
    if wifi:
        out["wifi"] = dict(wifi)
    return out | {"mqtt": mqtt, "ntp": list(ntp or [broker.host, *_POOL]), "ota_key": ota_key, "sensors": list(sensors)}


def check(config: Config, where: str) -> None:
    """Raises UsageError with all that is wrong; what the firmware would reject comes first."""
    settings = import_module("edge.firmware.remote.settings")
    try:
        filled = settings.checked(config)
    except ValueError as error:
        raise UsageError(f"{where}: {error}.") from None
    found = _tls_faults(filled["mqtt"]["tls"]) + node_kinds.faults(filled["sensors"], filled["board"])
    found += fittings.faults(filled)
    key = filled["ota_key"]
    if key and (len(key) != 64 or not set(key) <= set("0123456789abcdef")):
        found.append("ota_key: write 64 hexadecimal digits, or leave it out: then no update is taken.")
    if found:
        raise UsageError(f"{where}: {' '.join(found)}")


def _tls_faults(tls: Config) -> list[str]:
    """The firmware uses these values unchecked and would fail only when it connects."""
    odd = sorted(set(tls) - _TLS)
    found = [f"mqtt.tls has no key '{key}'; {nearest(key, _TLS)}" for key in odd]
    texts = {key for key, value in tls.items() if isinstance(value, str) and value}
    return found + [f"mqtt.tls.{key}: write a text." for key in sorted(set(tls) - texts - set(odd))]


def check_folder(folder: Path, board: bool = True) -> Config:
    """Read and check a node's folder: its configuration, and the files this names. Raises UsageError.

    `board`: it is for a real board, which needs Wi-Fi or Ethernet.
    """
    path = folder / FILE
    config = parse(_read(path), str(path))
    check(config, str(path))
    tls = config["mqtt"].get("tls", {})
    for name in (tls[key] for key in ("ca", "cert", "key") if key in tls):
        if not (folder / name).is_file():
            raise UsageError(f"{path} names '{name}', which is not in {folder}; run `cityvitals enrol device` for it.")
    if board and not config.get("wifi") and not config.get("lan"):
        raise UsageError(f"{path} names no Wi-Fi; run `cityvitals node config {folder} --set wifi.ssid=NAME`.")
    return config


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise UsageError(
            f"There is no {path}; name the folder that `cityvitals enrol device ID --kind KIND` has written."
        ) from None


def parse(text: bytes, where: str) -> Config:
    """JSON to a table. Raises UsageError with line and column."""
    try:
        config = read_json(text)
    except ValueError as error:
        raise UsageError(f"{where} is not JSON: {error}.") from None
    if not isinstance(config, dict):
        raise UsageError(f"{where} holds no table of keys.")
    return config


def changed(config: Config, assignments: Sequence[str], files: Sequence[str] = ()) -> Config:
    """A copy with `key=value` or `table.key=value` set; the value is JSON, or else text. Raises UsageError.

    `files`: the same, `table.key=path`, where the value is the text of a file: no secret in a list of processes.
    """
    out: Config = json.loads(json.dumps(config))
    for text in assignments:
        name, value = _split(text, "--set", "interval_s=30")
        _set(out, name, value if name.rpartition(".")[2] in _TEXTS else node_kinds.value_of(value))
    for text in files:
        name, path = _split(text, "--set-file", "wifi.password=password.txt")
        _set(out, name, secret_files.read_secret(Path(path), name))
    return out


def _split(text: str, option: str, example: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.rpartition(".")[2]:
        raise UsageError(f"{option} '{name}': write key=value or table.key=value, as in {example}.")
    return name, value


def _set(config: Config, name: str, value: Any) -> None:  # noqa: ANN401 - JSON
    *tables, key = name.split(".")
    for table in tables:
        config = config.setdefault(table, {})
        if not isinstance(config, dict):
            raise UsageError(f"'{name}' cannot be set: '{table}' is not a table.")
    config[key] = value


def change(folder: Path, assignments: Sequence[str], files: Sequence[str] = ()) -> None:
    """Set keys in the folder's file, if the result passes the checks. Raises UsageError."""
    path = folder / FILE
    config = changed(parse(_read(path), str(path)), assignments, files)
    check(config, str(path))
    secret_files.write(path, as_text(config).encode())


def as_text(config: Config) -> str:
    """The file's text."""
    return json.dumps(config, indent=2) + "\n"


def shown(config: Config) -> str:
    """The same with stars for secrets."""
    return as_text(_starred(config))


def _starred(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {k: "***" if k in _SECRETS and v else _starred(v) for k, v in value.items()}
    return value
