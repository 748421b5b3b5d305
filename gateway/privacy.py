"""User ids are stored and forwarded only as keyed hashes. Pure.

The key is derived for each city, so that the same card in two cities gives two numbers. Without a configured key the
hash has none: then a list of all card numbers is enough to find out whose session it was.

A reject is kept encrypted under the operator's key (`user_key`): nothing of it can be read in the file, and a
replay gets the exact bytes. Without a key it is kept with every text value replaced by its hash, and can be replayed
only where its text is names, units and times.
"""

from __future__ import annotations

import json
import re
from hashlib import blake2b
from typing import Any

from telemetry.errors import Rejected

_SEALED = b"cv-sealed-1:"
# A number below one of these labels is hashed too. Text is hashed below every label.
_USER_LABEL = re.compile(
    r"user|card|rfid|tag|token|uid|mail|emaid|contract|evcc|vin|plate|owner|driver|account|phone", re.I
)
# SenML labels that hold a name or a unit, and text that is a unit in other formats.
_NAME_LABELS = frozenset({"n", "bn", "u", "bu", "unit"})
_NAME = re.compile(r"[A-Za-z0-9_:/.%°µ*-]{0,80}")
_TIME = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?(Z|[+-]\d\d:?\d\d)?")
_WORD = re.compile(r"[^\W_][\w@+.-]{3,}")
_NUMBER = re.compile(r"-?\d{1,7}(\.\d+)?")
_QUOTED = re.compile(r"'([^']{4,})'")


def city_key(secret: bytes, city: str) -> bytes:
    """The city's key; empty where there is no secret."""
    return blake2b(city.encode(), key=secret[:64], digest_size=32).digest() if secret else b""


def sealed(payload: bytes, secret: bytes) -> bytes:
    """A payload encrypted under the operator's secret (AES-256-GCM).

    The nonce is a keyed hash of the payload: it repeats for equal payloads only, which shows that they are equal.
    """
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - with the extra `gateway` only

    key = _seal_key(secret)
    nonce = blake2b(payload, key=key, digest_size=12).digest()
    return _SEALED + nonce + AESGCM(key).encrypt(nonce, payload, None)


def opened(kept: bytes, secret: bytes) -> bytes:
    """The payload of what is kept; what is not encrypted is returned unchanged. Raises Rejected for another key."""
    if not kept.startswith(_SEALED):
        return kept
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    nonce, body = kept[len(_SEALED) : len(_SEALED) + 12], kept[len(_SEALED) + 12 :]
    try:
        return AESGCM(_seal_key(secret)).decrypt(nonce, body, None)
    except (InvalidTag, ValueError) as error:
        raise Rejected("kept under another user_key than the configured one") from error


def _seal_key(secret: bytes) -> bytes:
    return blake2b(b"refused messages", key=secret[:64], digest_size=32).digest()


def without_users(payload: bytes, key: bytes) -> bytes:
    """A payload with every text value that may identify a user replaced by its hash under `key`."""
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError):
        return _masked_words(payload, key)
    try:
        return json.dumps(_masked(found, "", key), ensure_ascii=False).encode("utf-8", "replace")
    except RecursionError:
        return _digest(payload, key).encode()


def _masked(item: Any, label: str, key: bytes) -> Any:  # noqa: ANN401 - any JSON
    """A JSON value with its texts hashed; `label`: under which it stands."""
    if isinstance(item, dict):
        return {name: _masked(value, name, key) for name, value in item.items()}
    if isinstance(item, list):
        return [_masked(value, label, key) for value in item]
    if isinstance(item, str):
        return item if _harmless(label, item) else _digest(item.encode("utf-8", "surrogatepass"), key)
    if isinstance(item, int | float) and not isinstance(item, bool) and _USER_LABEL.search(label):
        return _digest(str(item).encode(), key)
    return item


def _harmless(label: str, text: str) -> bool:
    """Whether a text is a time, or a name or unit where SenML has them, or empty."""
    return not text or bool(_TIME.fullmatch(text)) or (label in _NAME_LABELS and bool(_NAME.fullmatch(text)))


def _masked_words(payload: bytes, key: bytes) -> bytes:
    """What is not JSON: every word but short numbers and times is hashed; what is not text is hashed whole."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return _digest(payload, key).encode()

    def hashed(found: re.Match[str]) -> str:
        word = found[0]
        return word if _NUMBER.fullmatch(word) or _TIME.fullmatch(word) else _digest(word.encode(), key)

    return _WORD.sub(hashed, text).encode()


def _digest(value: bytes, key: bytes) -> str:
    return "h:" + blake2b(value, key=key[:64], digest_size=8).hexdigest()


def reason_without_users(reason: str, payload: bytes) -> str:
    """A reason in which no text value of the payload is quoted; names (labels) stay, for the operator needs them."""
    quoted = _QUOTED.findall(reason)
    if not quoted:
        return reason
    try:
        texts = set(_texts(json.loads(payload), ""))
    except (ValueError, RecursionError):
        return reason
    for piece in quoted:
        if any(text == piece or (len(piece) >= 20 and text.startswith(piece)) for text in texts):
            reason = reason.replace(f"'{piece}'", "(text)")
    return reason


def _texts(item: Any, label: str) -> list[str]:  # noqa: ANN401 - any JSON
    """The text values of a JSON value that may identify a user."""
    if isinstance(item, dict):
        return [text for name, value in item.items() for text in _texts(value, name)]
    if isinstance(item, list):
        return [text for value in item for text in _texts(value, label)]
    return [item] if isinstance(item, str) and not _harmless(label, item) else []
