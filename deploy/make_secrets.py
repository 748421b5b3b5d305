"""Create the passwords that docker-compose.yml mounts, in deploy/secrets; existing ones are not changed.

    python3 deploy/make_secrets.py                   everything except devices
    python3 deploy/make_secrets.py --demo            and a user for each simulated device, all with one password
    python3 deploy/make_secrets.py --device aq-001   and a device, whose password is printed once
    python3 deploy/make_secrets.py --gateway gateway-2   and another gateway for the hub, likewise

It also writes the access rules of the brokers for the cities of deploy/cities: repeat it after adding a city. Needs
nothing but Python 3.11. Restart a broker after adding users to it.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import os
import re
import secrets
import tomllib
from pathlib import Path

SECRETS = Path(__file__).parent / "secrets"
CITIES = Path(__file__).parent / "cities"
RULES = Path(__file__).parent / "mosquitto"
GATEWAY = "gateway-1"
ITERATIONS = 101  # Mosquitto's own default for PBKDF2-SHA512

EDGE_USERS = {"gateway": "edge_gateway", "operator": "edge_operator"}
HUB_USERS = {GATEWAY: "hub_gateway", "ingest": "hub_ingest", "viewer": "hub_viewer"}
SIMULATOR = {"simulator": "edge_simulator"}  # the password of all simulated devices; no client connects as this user
OTHERS = ("user_key", "influx_admin_password", "influx_admin_token", "influx_reader_password", "grafana_password")


def mosquitto_hash(password: str) -> str:
    """The password in Mosquitto's format: `$7$<iterations>$<salt>$<PBKDF2-SHA512>`."""
    salt = os.urandom(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    return f"$7${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def secret(folder: Path, name: str) -> str:
    """The content of a secret file, created with 24 random bytes where it does not exist."""
    path = folder / name
    if not path.exists():
        # Containers read the file as users of their own; the folder's mode excludes everyone else.
        path.write_text(secrets.token_urlsafe(24))
        path.chmod(0o644)
    return path.read_text().strip()


def add_user(passwords: Path, user: str, password: str) -> None:
    """Add a user to a Mosquitto password file unless it exists."""
    lines = passwords.read_text().splitlines() if passwords.exists() else []
    if not any(line.startswith(f"{user}:") for line in lines):
        lines.append(f"{user}:{mosquitto_hash(password)}")
    passwords.write_text("\n".join(lines) + "\n")
    passwords.chmod(0o644)


def cities(folder: Path) -> dict[str, list[str]]:
    """City id -> device ids, of the city files of a folder."""
    files = [tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.toml"))]
    return {file["city"]["id"]: [device["id"] for device in file.get("device", ())] for file in files}


def rules(template: str, names: list[str]) -> str:
    """Access rules in which every topic that any user may write names one of these cities."""
    lines: list[str] = []
    for line in template.splitlines():
        bound = line.startswith("pattern") and names
        lines += [line.replace("cv/1/+/", f"cv/1/{name}/", 1) for name in names] if bound else [line]
    return "\n".join(lines) + "\n"


def make(folder: Path, demo: bool = False, city_files: Path = CITIES) -> None:
    """Create every missing secret in `folder`, and the access rules."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    known = cities(city_files)
    for file, users in (("edge.passwd", EDGE_USERS), ("hub.passwd", HUB_USERS)):
        for user, name in users.items():
            add_user(folder / file, user, secret(folder, name))
    password = secret(folder, SIMULATOR["simulator"]) if demo else ""
    for device in [device for devices in known.values() for device in devices] if demo else []:
        add_user(folder / "edge.passwd", device, password)
    for name in ("edge.acl", "hub.acl"):
        (folder / name).write_text(rules((RULES / name).read_text(), list(known)))
        (folder / name).chmod(0o644)
    for name in OTHERS:
        secret(folder, name)


def enrol(folder: Path, device: str) -> str:
    """Add a device to the edge broker and return its password, which is stored as a hash only."""
    return _enrol(folder / "edge.passwd", device, set(EDGE_USERS | SIMULATOR))


def enrol_gateway(folder: Path, gateway: str) -> str:
    """Add a gateway to the hub and return its password, which is stored as a hash only."""
    return _enrol(folder / "hub.passwd", gateway, set(HUB_USERS) - {GATEWAY})


def _enrol(passwords: Path, device: str, reserved: set[str]) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", device):
        raise SystemExit(
            f"'{device}' is not a valid user name: use 1 to 64 of A-Z a-z 0-9 . _ -, not starting with a dash."
        )
    if device in reserved:
        raise SystemExit(f"'{device}' is a reserved role; choose another id.")
    if f"\n{device}:" in f"\n{passwords.read_text()}":
        raise SystemExit(f"{device} has a password already; delete its line in {passwords} to create a new one.")
    password = secrets.token_urlsafe(18)
    add_user(passwords, device, password)
    return password


def main() -> None:
    """Parse the command line, write the files and print what was created."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=SECRETS, help="the folder of the secrets")
    parser.add_argument("--demo", action="store_true", help="allow simulators to publish for every device")
    parser.add_argument("--device", metavar="ID", help="enrol one device on the edge broker")
    parser.add_argument("--gateway", metavar="ID", help="enrol another gateway on the hub")
    parser.add_argument("--cities", type=Path, default=CITIES, help="the folder of the city files")
    options = parser.parse_args()
    try:
        make(options.folder, options.demo, options.cities)
    except OSError as error:
        raise SystemExit(
            f"{error.filename} cannot be used: {error.strerror}. Check the path and its permissions."
        ) from None
    print(f"The secrets are in {options.folder}; keep a copy of them somewhere safe.")
    if options.device:
        password = enrol(options.folder, options.device)
        print(f"{options.device} connects with user name {options.device}, password {password}")
    if options.gateway:
        password = enrol_gateway(options.folder, options.gateway)
        print(f"{options.gateway}: its hub_gateway secret is {password}; restart the hub's broker.")


if __name__ == "__main__":
    main()
