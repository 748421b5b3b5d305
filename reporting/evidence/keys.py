"""Ed25519 keys: a new pair as PEM files, signing, and checking; by `cryptography`.

A key is named by its fingerprint, `sha256:` and the SHA-256 of its 32 raw bytes in hexadecimal.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from registry import secret_files
from telemetry.errors import UsageError

_RAW = (serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def new_pair(path: Path) -> str:
    """Write a private key (mode 0600) to `path` and the public one to `path`.pub; returns the fingerprint.

    Raises UsageError where one of the files exists.
    """
    public_path = path.with_name(f"{path.name}.pub")
    for each in (path, public_path):
        if each.exists():
            raise UsageError(f"{each} exists; name another file. A key that has signed packs must not be overwritten.")
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    secret_files.write(path, private)
    public_path.write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return fingerprint(public_of(key))


def private_key(path: Path) -> Ed25519PrivateKey:
    """The private key of a PEM file. Raises UsageError."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except FileNotFoundError:
        raise UsageError(f"There is no key {path}; create one with `cityvitals keygen {path}`.") from None
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UsageError(f"{path} is not a private key that can be read: {error}.") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"{path} is not an Ed25519 key; create one with `cityvitals keygen FILE`.")
    return key


def public_of(key: Ed25519PrivateKey) -> bytes:
    """The 32 bytes of its public key."""
    return key.public_key().public_bytes(*_RAW)


def fingerprint(public: bytes) -> str:
    """The name of a public key."""
    return f"sha256:{hashlib.sha256(public).hexdigest()}"


def expected_fingerprint(text: str) -> str:
    """The fingerprint that `text` gives: itself, or that of the public key file it names. Raises UsageError."""
    if text.startswith("sha256:"):
        digits = text.removeprefix("sha256:").lower()
        if len(digits) != 64 or set(digits) - set("0123456789abcdef"):
            raise UsageError(f"'{text}' is not a fingerprint: sha256: and 64 hexadecimal digits.")
        return f"sha256:{digits}"
    try:
        key = serialization.load_pem_public_key(Path(text).read_bytes())
    except FileNotFoundError:
        raise UsageError(f"There is no key {text}; give a public key file or a fingerprint sha256:...") from None
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise UsageError(f"{text} is not a public key that can be read: {error}.") from None
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError(f"{text} is not an Ed25519 public key.")
    return fingerprint(key.public_bytes(*_RAW))


def is_signed(public: bytes, signature: bytes, content: bytes) -> bool:
    """Whether `signature` is of `content` by this key."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, content)
    except (InvalidSignature, ValueError):
        return False
    return True
