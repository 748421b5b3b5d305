"""HMAC-SHA256 (RFC 2104), which MicroPython's hashlib lacks."""

import hashlib


def digest(key, message):
    """Return the 32-byte code of a message."""
    if len(key) > 64:
        key = hashlib.sha256(key).digest()
    key = key + bytes(64 - len(key))
    inner = hashlib.sha256(bytes([byte ^ 0x36 for byte in key]) + message).digest()
    return hashlib.sha256(bytes([byte ^ 0x5C for byte in key]) + inner).digest()


def equal(a, b):
    """Compare in a time that does not tell where they differ."""
    if len(a) != len(b):
        return False
    different = 0
    for x, y in zip(a, b):  # noqa: B905 (MicroPython's zip has no `strict`)
        different |= x ^ y
    return different == 0
