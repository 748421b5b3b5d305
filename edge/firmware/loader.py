"""The loader, `main.py` on the board: chooses the firmware slot, counts the starts of a trial, rolls back after three.

It is flashed once and never updated over the air, so it uses nothing from the slots. On the unix port:
`micropython loader.py FOLDER` (exit status 75 requests a restart).
"""

import binascii
import json
import os
import sys

TRIES = 3


def load(path):
    """Return the state of the slots; a fresh one when the file is absent or damaged."""
    try:
        with open(path, "rb") as f:
            data = f.read()
        if int(data[:8], 16) == binascii.crc32(data[9:]):
            return json.loads(data[9:])
    except (OSError, ValueError):
        pass
    return {"active": "a", "trial": None, "version": "", "tries": 0, "bad": []}


def save(path, state):
    """Write aside and rename: a power cut leaves the old or the new state."""
    body = json.dumps(state).encode()
    with open(path + ".new", "wb") as f:
        f.write(b"%08x " % binascii.crc32(body))
        f.write(body)
    os.rename(path + ".new", path)


def choose(state):
    """Return (slot to start, state to store, or None when it has not changed)."""
    if not state["trial"]:
        return state["active"], None
    state["tries"] += 1
    if state["tries"] > TRIES:
        state["bad"] = state["bad"][-7:] + [state["version"]]
        if state["trial"] == "rom":
            state["back"] = True  # the images are exchanged once more
        state["trial"] = None
        return state["active"], state
    return state["trial"], state


def mount_state():
    """The node's own files on a partition of their own, reformatted when damaged; "" where there is none."""
    if sys.platform != "esp32":
        return ""
    import vfs
    from esp32 import Partition

    found = Partition.find(Partition.TYPE_DATA, label="state")
    if not found:
        return ""
    try:
        vfs.mount(found[0], "/state")
    except OSError:
        vfs.VfsLfs2.mkfs(found[0])
        vfs.mount(found[0], "/state")
    return "/state"


def exchanged(state):
    """Bring the wanted ROMFS image to where it runs; True where something was moved, and the board must start again."""
    try:
        import exchange
        from esp32 import Partition
    except ImportError:
        return False
    found = [Partition.find(Partition.TYPE_DATA, label=label) for label in ("romfs", "romfs_b", "swap")]
    if not all(found):
        return False
    images = exchange.Exchange(found[0][0], found[1][0], found[2][0])
    moved = images.unfinished()
    if moved:
        images.resume()
    trial = state["trial"] == "rom"
    if trial or state.get("back"):
        name = (("T" if trial else "R") + state["image"]).encode()
        if images.journal()[0] != name:
            images.run(name, state["sectors"])
            moved = True
    return moved


def place(root, state, slot):
    """The folder of the firmware: a ROMFS image, whose modules take no heap, else the slot, where it has been put."""
    for folder in ("/rom", state + "/" + slot):
        try:
            os.stat(folder + "/firmware")
            return folder
        except OSError:
            pass
    return root + "/" + slot


def main(root):
    """Start the firmware; whatever ends it starts the board again."""
    state = mount_state() or root
    known = load(state + "/slots")
    if exchanged(known):
        reset(0)
    slot, changed = choose(known)
    if changed:
        try:
            save(state + "/slots", changed)
        except OSError:
            slot = changed["active"]  # no room to count the starts of a trial: the proven slot runs
        if changed.get("back") and exchanged(changed):
            reset(0)
    sys.path.insert(0, place(root, state, slot))
    for name in ("load", "save", "choose", "mount_state", "exchanged", "place"):
        del globals()[name]  # they have done their work, and memory is short
    try:
        import asyncio

        from firmware.app import Node
        from firmware.hal import Board

        asyncio.run(Node(Board(root)).run())
    except Exception as err:
        sys.print_exception(err)
        note_crash(state, err)
    reset()


def note_crash(root, err):
    """Leave a line for the fault log, which the firmware itself could not write."""
    try:
        with open(root + "/crash.txt", "w") as f:
            f.write(repr(err))
    except OSError:
        pass


def reset(pause=5):
    """Start again, after a pause that keeps a broken node from wearing itself out."""
    if sys.platform == "esp32":
        import time

        import machine

        time.sleep(pause)
        machine.reset()
    sys.exit(75)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
