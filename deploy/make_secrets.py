"""Make the passwords docker-compose.yml mounts, in deploy/secrets; what is there already stays as it is.

    python3 deploy/make_secrets.py                   everything but devices
    python3 deploy/make_secrets.py --demo            and a user for the simulators
    python3 deploy/make_secrets.py --device aq-001   and a device, whose password is printed once

Needs nothing but Python. Restart a broker after adding users to it.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import os
import re
import secrets
from pathlib import Path

SECRETS = Path(__file__).parent / "secrets"
GATEWAY = "gateway-1"
ITERATIONS = 101  # Mosquitto's own default for PBKDF2-SHA512

EDGE_USERS = {"gateway": "edge_gateway", "operator": "edge_operator"}
HUB_USERS = {GATEWAY: "hub_gateway", "ingest": "hub_ingest", "viewer": "hub_viewer"}
SIMULATOR = {"simulator": "edge_simulator"}
OTHERS = ("user_key", "influx_admin_password", "influx_admin_token", "influx_reader_password", "grafana_password")


def mosquitto_hash(password: str) -> str:
    """The password as Mosquitto keeps it: `$7$<iterations>$<salt>$<PBKDF2-SHA512>`."""
    salt = os.urandom(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    return f"$7${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def secret(folder: Path, name: str) -> str:
    """The content of a secret file, made with 24 random bytes when it is not there."""
    path = folder / name
    if not path.exists():
        # Containers read the file under users of their own; the folder keeps everyone else out.
        path.write_text(secrets.token_urlsafe(24))
        path.chmod(0o644)
    return path.read_text().strip()


def add_user(passwords: Path, user: str, password: str) -> None:
    """Add a user to a Mosquitto password file unless it is in there."""
    lines = passwords.read_text().splitlines() if passwords.exists() else []
    if not any(line.startswith(f"{user}:") for line in lines):
        lines.append(f"{user}:{mosquitto_hash(password)}")
    passwords.write_text("\n".join(lines) + "\n")
    passwords.chmod(0o644)


def make(folder: Path, demo: bool = False) -> None:
    """Make every secret that is missing in `folder`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    edge_users = EDGE_USERS | (SIMULATOR if demo else {})
    for file, users in (("edge.passwd", edge_users), ("hub.passwd", HUB_USERS)):
        for user, name in users.items():
            add_user(folder / file, user, secret(folder, name))
    for name in OTHERS:
        secret(folder, name)


def enrol(folder: Path, device: str) -> str:
    """Give a device a password on the edge broker and return it; it is kept nowhere else."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", device):
        raise SystemExit(f"'{device}' cannot be a user name: write 1 to 64 of A-Z a-z 0-9 . _ - and no dash first.")
    if device in EDGE_USERS | SIMULATOR:
        raise SystemExit(f"'{device}' is a role with rights of its own; choose another id for the device.")
    passwords = folder / "edge.passwd"
    if f"\n{device}:" in f"\n{passwords.read_text()}":
        raise SystemExit(f"{device} has a password already; delete its line in {passwords} to give it a new one.")
    password = secrets.token_urlsafe(18)
    add_user(passwords, device, password)
    return password


def main() -> None:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=SECRETS, help="where the secrets are kept")
    parser.add_argument("--demo", action="store_true", help="let simulators publish for every device")
    parser.add_argument("--device", metavar="ID", help="enrol one device on the edge broker")
    options = parser.parse_args()
    try:
        make(options.folder, options.demo)
    except OSError as error:
        raise SystemExit(f"{error.filename} cannot be used: {error.strerror}. Check the path and its rights.") from None
    print(f"The secrets are in {options.folder}; keep a copy of them somewhere safe.")
    if options.device:
        password = enrol(options.folder, options.device)
        print(f"{options.device} connects with user name {options.device}, password {password}")


if __name__ == "__main__":
    main()
