"""Why messages are rejected, as kinds that a dashboard can count: every reason in the sources has one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.decoding.reject_kinds import KINDS, kind_of, kinds_of
from telemetry.quantities import QUANTITIES, REJECT_KINDS

ROOT = Path(__file__).resolve().parents[3]


def text_of(node: ast.expr) -> str:
    """A sentence as the source writes it, with X for what is filled in; empty for what is made elsewhere."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)
    if isinstance(node, ast.BinOp):
        return text_of(node.left) + text_of(node.right)
    return ""


def reasons() -> Iterator[tuple[str, str]]:
    """Where a sentence stands, and the sentence."""
    for folder in ("gateway", "telemetry"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Rejected" and node.args:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", text_of(node.args[0])


def test_every_reason_has_a_kind() -> None:
    found = [(place, sentence) for place, sentence in reasons() if sentence]
    assert len(found) > 80
    assert [(place, sentence) for place, sentence in found if kind_of(sentence) == "other"] == []


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("payload of 300000 bytes; the limit is 262144", "limit"),
        ("time '12:00' has no zone; write it in UTC with a Z, or give the source a `zone`", "time"),
        ("a retained message without a time of its own cannot be dated", "time"),
        ("'power' has a unit that is not text", "unit"),
        ("unknown quantity 'date'; the nearest is 'rate'", "name"),
        ("the message names no device", "name"),
        ("no source is configured for this topic", "name"),
        ("'pm2_5' has no numeric value", "value"),
        ("'pm2_5' = '8,5' has a decimal comma; set `decimal_comma = true` in this source", "value"),
        ("not JSON: 'unit' is here", "unreadable"),
        ("the uplink's payload is not base64", "unreadable"),
        ("SML file with a wrong checksum: bytes were lost or changed on the way", "unreadable"),
        ("kept under another user_key than the configured one", "unreadable"),
        ("it rained", "other"),
    ],
)
def test_a_reason_is_of_its_kind(reason: str, kind: str) -> None:
    assert kind_of(reason) == kind


def test_what_a_sender_writes_does_not_choose_the_kind() -> None:
    assert kind_of("device 'the limit is my unit' cannot be an id; name it in `devices` of this source") == "name"


def test_counters_carry_the_kind_and_have_words() -> None:
    assert kinds_of(["'a' has no numeric value", "'b' has no numeric value", "not JSON: x"]) == {
        "gw_rejected_value": 2,
        "gw_rejected_unreadable": 1,
    }
    assert set(REJECT_KINDS) == set(KINDS)
    for kind in KINDS:
        assert REJECT_KINDS[kind].lower() in QUANTITIES[f"gw_rejected_{kind}"].title.lower()
