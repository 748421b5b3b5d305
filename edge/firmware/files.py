"""Small JSON files that survive a power cut: a checksum in front, written aside and renamed."""

import binascii
import json
import os


def save(path, value):
    """Write `value`, so that after a power cut either the old or the new content is there.

    Returns False where the file system is full or damaged: a node goes on without its side files.
    """
    body = json.dumps(value).encode()
    try:
        with open(path + ".new", "wb") as f:
            f.write(b"%08x " % binascii.crc32(body))
            f.write(body)
        os.rename(path + ".new", path)
        return True
    except OSError:
        remove(path + ".new")  # half a file would only take room
        return False


def load(path, default=None):
    """Return the value, or `default` when the file is absent or damaged."""
    try:
        with open(path, "rb") as f:
            data = f.read()
        if int(data[:8], 16) != binascii.crc32(data[9:]):
            return default
        return json.loads(data[9:])
    except (OSError, ValueError):
        return default


def remove(path):
    """Remove a file if it is there."""
    try:
        os.remove(path)
    except OSError:
        pass


def read(path):
    """The bytes of a file; None when it is absent or unreadable."""
    try:
        with open(path, "rb") as f:
            return f.read()
    except OSError:
        return None


def is_folder(path):
    """True where there is a folder."""
    try:
        return os.stat(path)[0] & 0x4000 != 0
    except OSError:
        return False
