"""A firmware bundle: files one after another, each as name length u8, name, size u32, content."""

import hashlib
import os
import struct

_PIECE = 512


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
    return ("%s|%d|%s" % (offer["version"], offer["size"], offer["sha256"])).encode()


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
