"""Back to a board that is not enrolled: identity, configuration and records go; firmware and boot number stay.

A mark on the file system is written first and removed last, so that a power cut in between does not end it half way.
The boot number stays, because a node that is enrolled again under its id must not use one twice.
"""

import os

from .. import files

MARK = "/reset"
_ENROLLED = ("node.json", "ca.der", "device.der", "device.key.der")
_OWN = ("setup", "anchors", "events", "session", "names", "crash.txt", "ota.part", "ota.of")


def finish(board):
    """Do it; the mark is there."""
    for name in _ENROLLED:
        files.remove(board.root + "/" + name)
        board.vault(name, b"")
    for name in os.listdir(board.state or "/"):
        if name.startswith("config.") or name in _OWN:
            files.remove(board.state + "/" + name)
    flash = board.flash()
    for block in range(flash.ioctl(4, 0)):
        flash.ioctl(6, block)
    board.keep(b"")
    board.sync_files()
    files.remove(board.state + MARK)
