"""A firmware bundle: files one after another, each as name length u8, name, size u32, content; and how it is signed."""

import hashlib
import os
import struct

from micropython import const

_PIECE = const(512)


def sha256(path):
    """Return the digest of a file, read in pieces."""
    digest = hashlib.sha256()
    with open(path, "rb") as f:
        piece = f.read(_PIECE)
        while piece:
            digest.update(piece)
            piece = f.read(_PIECE)
    return digest.digest()


def signed(offer):
    """The bytes of an offer that its HMAC covers."""
    names = ["version", "size", "sha256", "release", "downgrade"] + (["form"] if "form" in offer else [])
    return "|".join([str(offer[name]) for name in names]).encode()


def _make_folders(root, name):
    at = root
    for part in name.split("/")[:-1]:
        at += "/" + part
        try:
            os.mkdir(at)
        except OSError:
            pass


def clear(folder):
    """Remove a folder with all that is in it, if it is there."""
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        path = folder + "/" + name
        try:
            os.remove(path)
        except OSError:
            clear(path)
    os.rmdir(folder)


def unpack(path, folder):
    """Write the files of a bundle under an empty folder; ValueError when it is not one."""
    clear(folder)
    os.mkdir(folder)
    with open(path, "rb") as f:
        head = f.read(1)
        while head:
            name = f.read(head[0]).decode()
            size = f.read(4)
            if ".." in name or name[:1] == "/" or len(size) < 4:
                raise ValueError("not a bundle")
            _make_folders(folder, name)
            _copy(f, folder + "/" + name, struct.unpack("<I", size)[0])
            head = f.read(1)


def _copy(source, path, left):
    with open(path, "wb") as out:
        while left:
            piece = source.read(min(left, _PIECE))
            if not piece:
                raise ValueError("the bundle ends too early")
            out.write(piece)
            left -= len(piece)


def hmac(key, message):
    """HMAC-SHA256 (RFC 2104), which MicroPython's hashlib lacks: the 32-byte code of a message."""
    if len(key) > 64:
        key = hashlib.sha256(key).digest()
    key = key + bytes(64 - len(key))
    inner = hashlib.sha256(bytes([byte ^ 0x36 for byte in key]) + message).digest()
    return hashlib.sha256(bytes([byte ^ 0x5C for byte in key]) + inner).digest()


def equal(a, b):
    """Compare in constant time."""
    if len(a) != len(b):
        return False
    different = 0
    for x, y in zip(a, b):  # noqa: B905 (MicroPython's zip has no `strict`)
        different |= x ^ y
    return different == 0
