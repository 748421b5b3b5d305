"""Enrols a node of ours: certificate, key for updates and configuration in one folder, ready to go onto the board.

Below the folder of `cityvitals enrol`: `nodes/<id>/` is what the board gets, `issued/<id>.ota.json` what
`cityvitals ota` needs to know of it: city, kind and key. Both are private (mode 0600, folder 0700).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from adapters.mqtt.broker import Broker
from edge.tools import enrol, node_config, node_kinds
from edge.tools.boards import RECOMMENDED
from registry import secret_files
from telemetry.errors import UsageError, cause


@dataclass(frozen=True)
class NodeKey:
    """What signs the updates of a node."""

    city: str
    device: str
    kind: str
    key: bytes


def enrol_node(
    folder: Path, name: str, kind: str, broker: Broker, now: datetime, days: int = 730, drivers: Sequence[str] = (),
    wifi: Mapping[str, str] | None = None, ntp: Sequence[str] = (), interval_s: int = 60, board: str = RECOMMENDED,
) -> tuple[enrol.Issued, Path]:  # fmt: skip
    """Make certificate, key and configuration; returns the certificate's files and the board's folder.

    Everything is checked before anything is written. Raises UsageError.
    """
    city = enrol.city_of(folder)
    key = secrets.token_bytes(32)
    sensors = node_kinds.sensors(kind, drivers, board)
    config = node_config.compose(city, name, broker, sensors, key.hex(), wifi or {}, ntp, interval_s, board)
    node_config.check(config, "The configuration")
    issued = enrol.enrol(folder, "device", name, now, days)
    home = folder / "nodes" / name
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority = enrol.authority_der(folder, "infrastructure")  # signs for brokers: whom the node shall trust
    (home / node_config.CA).write_bytes(authority)
    (home / node_config.CERTIFICATE).write_bytes(issued.der.read_bytes())
    secret_files.write(home / node_config.KEY, issued.der_key.read_bytes())
    secret_files.write(home / node_config.FILE, node_config.as_text(config).encode())
    known = {"city": city, "kind": kind, "key": key.hex()}
    secret_files.write(_key_file(folder, name), json.dumps(known).encode())
    return issued, home


def _key_file(folder: Path, name: str) -> Path:
    return folder / "issued" / f"{name}.ota.json"


def node_key(folder: Path, name: str) -> NodeKey:
    """What is known of an enrolled node. Raises UsageError."""
    try:
        known = json.loads(_key_file(folder, name).read_bytes())
        return NodeKey(known["city"], name, known["kind"], bytes.fromhex(known["key"]))
    except FileNotFoundError:
        raise UsageError(
            f"{folder} has no key for updates of '{name}'; `cityvitals enrol device {name} --kind KIND` makes one."
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{_key_file(folder, name)} cannot be used ({cause(error)}); enrol the node again.") from None


def node_keys(folder: Path, names: Sequence[str], kind: str = "") -> list[NodeKey]:
    """The enrolled nodes of these names, or all of a kind. Raises UsageError where there is none."""
    if names:
        return [node_key(folder, name) for name in names]
    ends = ".ota.json"
    found = [path.name.removesuffix(ends) for path in sorted(folder.glob(f"issued/*{ends}"))]
    keys = [node_key(folder, name) for name in found if not name.startswith("revoked-")]
    chosen = [key for key in keys if key.kind == kind]
    if not chosen:
        known = sorted({key.kind for key in keys})
        raise UsageError(f"{folder} holds no node of kind '{kind}'; enrolled are: {', '.join(known) or 'none'}.")
    return chosen
