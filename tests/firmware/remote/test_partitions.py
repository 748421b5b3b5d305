"""The flash layout of a node, written into images laid out as MicroPython 1.25, 1.26 and later ship them."""

import hashlib
import json
import struct
from pathlib import Path

import pytest

from edge.tools.partitions import APP, START, TABLE, layout, node_image, parsed
from edge.tools.release import pack
from edge.tools.romfs import image
from telemetry.errors import UsageError
from tests.firmware.interpreters import run
from tests.firmware.remote.built import built

# (label, type, subtype, offset, size) as in ports/esp32 of the versions.
STOCK = {
    "1.25": [("nvs", 1, 2, 0x9000, 0x6000), ("phy_init", 1, 1, 0xF000, 0x1000), ("factory", 0, 0, 0x10000, 0x1F0000),
             ("vfs", 1, 0x81, 0x200000, 0x200000)],
    "1.26": [("nvs", 1, 2, 0x9000, 0x6000), ("phy_init", 1, 1, 0xF000, 0x1000), ("factory", 0, 0, 0x10000, 0x1F0000)],
    "ota": [("nvs", 1, 2, 0x9000, 0x4000), ("otadata", 1, 0, 0xD000, 0x2000), ("phy_init", 1, 1, 0xF000, 0x1000),
            ("ota_0", 0, 0x10, 0x10000, 0x180000), ("ota_1", 0, 0x11, 0x190000, 0x180000)],
}  # fmt: skip


def stock(version: str, chip: str, app: int = 1_700_000) -> bytes:
    """An image: bootloader, table, application."""
    entries = b"".join(
        b"\xaa\x50" + struct.pack("<BBII16sI", kind, sub, offset, size, label.encode(), 0)
        for label, kind, sub, offset, size in STOCK[version]
    )
    entries += b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(entries).digest()
    out = bytearray(b"\xff" * (APP - START[chip]))
    out[:4] = b"\xe9\x03\x02\x20"
    out[TABLE - START[chip] : TABLE - START[chip] + len(entries)] = entries
    return bytes(out) + b"\xe9" + bytes(app - 1)


@pytest.mark.parametrize("version", STOCK)
@pytest.mark.parametrize("chip", START)
@pytest.mark.parametrize("flash_mb", [4, 8, 16])
def test_an_image_of_any_version_gets_the_layout_of_a_node(version: str, chip: str, flash_mb: int) -> None:
    before = stock(version, chip, 1_500_000)
    after = node_image(before, chip, flash_mb)
    place = TABLE - START[chip]
    assert parsed(after[place : place + 0xC00]) == layout(flash_mb)
    assert after[:place] == before[:place]  # the boot loader
    assert after[place + 0xC00 :] == before[place + 0xC00 :]  # the application
    assert len(after) == len(before)


@pytest.mark.parametrize("romfs", [False, True])
@pytest.mark.parametrize("flash_mb", [4, 8, 16])
def test_no_two_partitions_overlap_and_all_lie_on_sectors_of_the_flash(flash_mb: int, romfs: bool) -> None:
    parts = layout(flash_mb, romfs)
    ends = [p.offset + p.size for p in parts]
    assert all(end <= other.offset for end, other in zip(ends, parts[1:], strict=False))
    assert ends[-1] <= flash_mb * 1024 * 1024
    assert all(p.offset % 0x1000 == p.size % 0x1000 == 0 for p in parts)
    assert all(p.offset % 0x10000 == 0 for p in parts if p.kind == 0)
    assert {"nvs", "phy_init", "factory", "vfs", "state", "ring"} <= {p.label for p in parts}
    assert {"romfs", "romfs_b", "swap"} & {p.label for p in parts} or (flash_mb == 4 and not romfs)


def sectors(folder: Path, files: dict[str, bytes]) -> int:
    """How many sectors some files take on MicroPython's own LittleFS."""
    path = folder / "files.json"
    path.write_text(json.dumps({name: len(data) for name, data in files.items()}))
    return int(run("littlefs.py", str(path), heap="24M"))


@pytest.mark.parametrize("flash_mb", [4, 8, 16])
def test_the_firmware_fits_into_the_file_systems_with_room_for_a_tenth_more(tmp_path: Path, flash_mb: int) -> None:
    files = built("esp32")
    sizes = {p.label: p.size // 4096 for p in layout(flash_mb)}
    own = {"main.py": bytes(6000), "exchange.py": bytes(4000), "node.json": bytes(2000), "portal.json": bytes(40)}
    own |= dict.fromkeys(("ca.der", "device.der", "device.key.der", "boots"), bytes(500))
    flashed = sectors(tmp_path, own | {f"a/{name}": data for name, data in files.items()})
    assert flashed * 1.1 <= sizes["vfs"], flashed
    both = {f"{slot}/{name}": data for slot in "ab" for name, data in files.items()}
    small = {f"config.{n}": bytes(2000) for n in range(6)} | {f"small{n}": bytes(500) for n in range(6)}
    updated = sectors(tmp_path, both | small | {"ota.part": pack(files)})
    assert updated * 1.05 <= sizes["state"], updated
    sizes = {p.label: p.size for p in layout(flash_mb, romfs=True)}
    assert len(image(files)) * 1.1 <= sizes["romfs"]
    assert sectors(tmp_path, own) * 1.1 <= sizes["vfs"] // 4096


def test_a_romfs_image_lies_where_its_partition_is() -> None:
    made = node_image(stock("1.26", "esp32s3"), "esp32s3", 4, b"firmware")
    at = next(p.offset for p in layout(4, romfs=True) if p.label == "romfs")
    assert made[at:] == b"firmware"
    with pytest.raises(UsageError, match="its partition has 262,144"):
        node_image(stock("1.26", "esp32s3"), "esp32s3", 4, bytes(300_000))


def test_a_wrong_image_is_refused_with_the_reason() -> None:
    with pytest.raises(UsageError, match="there is no partition table"):
        node_image(bytes(200_000), "esp32", 4)
    with pytest.raises(UsageError, match="not a MicroPython image for the esp32s3"):
        node_image(stock("1.26", "esp32"), "esp32s3", 8)  # the image of a plain ESP32 begins at 0x1000
    with pytest.raises(UsageError, match="may take"):
        node_image(stock("1.26", "esp32", 2_200_000), "esp32", 4)
    with pytest.raises(UsageError, match="2 MB is not supported"):
        node_image(stock("1.26", "esp32"), "esp32", 2)
    broken = bytearray(stock("1.26", "esp32s3"))
    broken[TABLE + 40] ^= 1
    with pytest.raises(UsageError, match="checksum"):
        node_image(bytes(broken), "esp32s3", 8)
