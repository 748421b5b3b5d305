"""Small JSON files that survive a power cut: a check sum in front, written aside and renamed."""

import binascii
import json
import os


def save(path, value):
    """Write `value` so that after a cut either the old or the new content is there."""
    body = json.dumps(value).encode()
    with open(path + ".new", "wb") as f:
        f.write(b"%08x " % binascii.crc32(body))
        f.write(body)
    os.rename(path + ".new", path)


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
