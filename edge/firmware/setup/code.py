"""The one-time code as a person types it, made by `edge/tools/codes.py`.

32 characters of base 32 (no I, L, O, U): 16 are the secret, 16 the beginning of the SHA-256 of the enrolment server's
certificate.
"""

import hashlib

from micropython import const

_LETTERS = const("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
_PART = const(16)
_PORT = const(8443)


def parsed(text):
    """(secret, fingerprint); ValueError with the reason."""
    out = ""
    for char in text.upper():
        if char in "- \t":
            continue
        char = {"I": "1", "L": "1", "O": "0"}.get(char, char)
        if char not in _LETTERS:
            raise ValueError("The code cannot contain '%s'." % char)
        out += char
    if len(out) != 2 * _PART:
        raise ValueError("The code has %d of its 32 characters." % len(out))
    return out[:_PART], out[_PART:]


def place(text):
    """(host, port) of the server, written as host or host:port; ValueError with the reason."""
    if text.startswith("https://"):
        text = text[8:]
    host, colon, port = text.rstrip("/").partition(":")
    if not host or "/" in host or (colon and not (port.isdigit() and 0 < int(port) < 65536)):
        raise ValueError("Write the enrolment server as name or name:port.")
    return host, int(port or _PORT)


def fingerprint(der):
    """The characters that stand for a certificate."""
    number = int.from_bytes(hashlib.sha256(der).digest()[:10], "big")
    return "".join([_LETTERS[(number >> 5 * at) & 31] for at in range(_PART - 1, -1, -1)])
