"""`cityvitals doctor` warns of private files that others can read."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cityvitals.operation.doctor_private import readable_by_others
from edge.tools import enrol
from registry.settings import ApiSection, BrokerSettings, GatewaySettings, PushSettings, Settings


def test_keys_tokens_and_secrets_that_others_can_read_are_named(tmp_path: Path) -> None:
    paths = {name: tmp_path / name for name in ("uplink.key", "push.key", "tokens", "password", "ca.crt")}
    for path in paths.values():
        path.write_text("secret")
        path.chmod(0o644)
    settings = Settings(
        gateway=GatewaySettings(
            uplink=BrokerSettings(url="mqtts://h", ca=paths["ca.crt"], key=paths["uplink.key"]),
            push=PushSettings(key=paths["push.key"]),
        ),
        api=ApiSection(tokens=paths["tokens"]),
    )
    environment = {"CITYVITALS__GATEWAY__BROKER__PASSWORD_FILE": str(paths["password"]), "HOME": "/root"}
    found = list(readable_by_others(settings, None, environment))
    assert {f.what for f in found} == {str(p) for n, p in paths.items() if n != "ca.crt"}
    assert all("chmod 600" in f.advice for f in found)
    for path in paths.values():
        path.chmod(0o600)
    assert [f.verdict for f in readable_by_others(settings, None, environment)] == ["ok"]


@pytest.mark.parametrize(("mode", "verdict"), [(0o600, "ok"), (0o604, "warning")])
def test_the_keys_of_a_pki_are_looked_at(mode: int, verdict: str, tmp_path: Path) -> None:
    enrol.make_authorities(tmp_path, "aba", datetime.now(UTC))
    next(iter(tmp_path.rglob("*.key"))).chmod(mode)
    assert [f.verdict for f in readable_by_others(Settings(), tmp_path, {})] == [verdict]
