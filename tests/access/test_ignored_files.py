"""Keys, passwords and tokens that the commands write in a checkout are not offered to git."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "name",
    [
        "pki/ca.key",
        "pki/nodes/aq-001/node.key",
        "pki/gateways/gw/key.pem",
        "tokens",
        ".env",
        "gateway.db",
        "deploy/secrets/x",
    ],
)
def test_secrets_of_the_commands_are_ignored(name: str) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    done = subprocess.run(["git", "check-ignore", "-q", name], cwd=ROOT, check=False)
    assert done.returncode == 0, f"{name} would be committed"
