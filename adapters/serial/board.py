"""A MicroPython board on a serial port, by mpremote's transport and pyserial (the extra `node`).

`Board` stops the running program and uses the raw REPL: run code, compare, write and remove files, restart. Every error
message names the port.
"""

from __future__ import annotations

import ast
import binascii
import contextlib
import hashlib
import io
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

from telemetry.errors import CityVitalsError, UsageError

BAUD = 115200
_PIECE = 1024  # bytes of a file in one command: boards have little memory for source code

_HASHES = """
import hashlib, binascii
for name in {names!r}:
    try:
        h = hashlib.sha256()
        with open(name, 'rb') as f:
            b = f.read(512)
            while b:
                h.update(b)
                b = f.read(512)
        print(binascii.hexlify(h.digest()).decode())
    except OSError:
        print('-')
"""
_PUT = """
import binascii
with open({name!r}, {mode!r}) as f:
    f.write(binascii.a2b_base64({data!r}))
"""
_RENAME = """
import os
os.rename({aside!r}, {name!r})
"""
_REMOVE = """
import os
for name in {names!r}:
    try:
        os.remove(name)
    except OSError:
        pass
"""
_FOLDER = """
import os
at = ''
for part in {parts!r}:
    at += part
    try:
        os.mkdir(at)
    except OSError:
        pass
    at += '/'
"""
_FACTS = """
import gc, sys
try:
    import esp
    flash = esp.flash_size()
except ImportError:
    flash = 0
print((getattr(sys.implementation, '_mpy', 0) & 0xFF, flash, gc.mem_free() + gc.mem_alloc()))
"""
_RESTART = """
import sys
if sys.platform == 'esp32':
    import machine
    machine.reset()
sys.exit(75)
"""


def ports() -> list[str]:
    """The USB serial ports of this computer, each with its description."""
    from serial.tools.list_ports import comports  # noqa: PLC0415 - an extra

    return [f"{port.device} ({port.description})" for port in comports() if port.vid is not None]


def chosen(port: str) -> str:
    """The given port, or the only USB port. Raises UsageError that lists the ports found."""
    found = ports()
    if not port and len(found) == 1:
        return found[0].partition(" ")[0]
    listed = f"found: {', '.join(found)}." if found else "no USB serial port was found: is the board plugged in?"
    if not port:
        raise UsageError(f"Choose a port, for example --port /dev/ttyUSB0; {listed}")
    if not Path(port).exists() and not port.upper().startswith("COM"):
        raise UsageError(f"There is no port {port}; {listed}")
    return port


class Board:
    """A board whose REPL answers. `timeout`: seconds to wait for the answer."""

    def __init__(self, port: str, timeout: float = 10.0) -> None:
        self.port, self._timeout = port, timeout
        self._transport: Any = None
        self._folders: set[str] = set()  # folders known to exist
        self._open()

    def _open(self, wait: int = 0) -> None:
        from mpremote.transport import TransportError  # noqa: PLC0415 - an extra
        from mpremote.transport_serial import SerialTransport  # noqa: PLC0415

        with contextlib.redirect_stdout(io.StringIO()):  # mpremote prints the board's unexpected output
            try:
                self._transport = SerialTransport(self.port, BAUD, wait=wait, timeout=self._timeout)
            except (TransportError, OSError) as error:
                raise UsageError(
                    f"{self.port} cannot be opened ({error}). Is another program using it, and do you have access?"
                ) from None
            try:
                self._transport.enter_raw_repl(timeout_overall=self._timeout)
            except (TransportError, OSError):
                self.close()
                raise UsageError(
                    f"No MicroPython board answers on {self.port}. Is it the right port, and is MicroPython on the"
                    " board? Press its reset button and try again."
                ) from None

    def __enter__(self) -> Board:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the port; the board is not changed."""
        with contextlib.suppress(OSError):
            self._transport.close()

    def run(self, code: str) -> str:
        """Run code; returns its output. Raises CityVitalsError when it fails or the connection is lost."""
        from mpremote.transport import TransportError, TransportExecError  # noqa: PLC0415 - an extra

        try:
            with contextlib.redirect_stdout(io.StringIO()):
                answer: bytes = self._transport.exec(code)
        except TransportExecError as error:
            last = error.error_output.strip().splitlines()[-1:]
            raise CityVitalsError(f"The board on {self.port} reports: {' '.join(last)}") from None
        except (TransportError, OSError) as error:
            raise CityVitalsError(
                f"The connection to the board on {self.port} was lost ({error}); reconnect it and retry."
            ) from None
        return answer.decode(errors="replace").replace("\r\n", "\n")

    def _value(self, code: str) -> Any:  # noqa: ANN401 - what the code prints
        """Run code that prints a value; returns the value. Raises CityVitalsError for any other output."""
        answer = self.run(code)
        try:
            return ast.literal_eval(answer)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            raise self._unexpected(answer) from None

    def _unexpected(self, answer: str) -> CityVitalsError:
        """The error for unexpected output; a program on the board may print, too."""
        return CityVitalsError(
            f"The board on {self.port} sent the unexpected answer {answer.strip()[:60]!r}. Press its reset"
            " button and try again."
        )

    def version(self) -> tuple[str, tuple[int, int]]:
        """The board's platform and the version of its MicroPython."""
        match self._value("import sys\nprint((sys.platform, tuple(sys.implementation[1])[:2]))"):
            case str(platform), (int(major), int(minor)):
                return platform, (major, minor)
            case other:
                raise self._unexpected(repr(other))

    def facts(self) -> tuple[int, int, int]:
        """What its interpreter loads (`.mpy` version), the size of its flash in bytes (0: unknown), and its heap."""
        match self._value(_FACTS):
            case int(mpy), int(flash), int(heap):
                return mpy, flash, heap
            case other:
                raise self._unexpected(repr(other))

    def missing(self, files: dict[str, bytes]) -> list[str]:
        """Which of the files are missing or differ."""
        different, names = [], list(files)
        for at in range(0, len(names), 20):
            some = names[at : at + 20]
            answer = self.run(_HASHES.format(names=some))
            existing = answer.split()
            if len(existing) != len(some):
                raise self._unexpected(answer)
            different += [
                n for n, have in zip(some, existing, strict=True) if hashlib.sha256(files[n]).hexdigest() != have
            ]
        return different

    def read(self, name: str) -> bytes | None:
        """The content of a small file, None where it does not exist."""
        if self.run(_HASHES.format(names=[name])).strip() == "-":
            return None
        data = self._value(f"with open({name!r}, 'rb') as f:\n    print(repr(f.read()))")
        if not isinstance(data, bytes):
            raise self._unexpected(repr(data))
        return data

    def put(self, name: str, data: bytes) -> None:
        """Write a file under another name and rename it, so that a power cut leaves the old or the new content."""
        folder, aside = name.rpartition("/")[0], name + ".new"
        if folder and folder not in self._folders:
            self.run(_FOLDER.format(parts=folder.split("/")))
            self._folders.add(folder)
        for at in range(0, max(1, len(data)), _PIECE):
            last = at + _PIECE >= len(data)
            piece = binascii.b2a_base64(data[at : at + _PIECE], newline=False)
            put = _PUT.format(name=aside, mode="ab" if at else "wb", data=piece)
            self.run(put + _RENAME.format(aside=aside, name=name) if last else put)

    def remove(self, names: Iterable[str]) -> None:
        """Remove files where they exist."""
        self.run(_REMOVE.format(names=list(names)))

    def restart(self, reopen: bool = False) -> None:
        """Reset the board; `reopen`: and connect to it afterwards, when its port may have disappeared for a moment."""
        from mpremote.transport import TransportError  # noqa: PLC0415 - an extra

        try:
            self._transport.exec_raw_no_follow(_RESTART)
        except (TransportError, OSError) as error:
            raise CityVitalsError(
                f"The board on {self.port} did not restart ({error}); press its reset button."
            ) from None
        self.close()
        if reopen:
            time.sleep(0.5)  # a board with native USB removes its port first
            self._open(wait=15)


def console(port: str) -> None:
    """The board's serial console, until Ctrl-] (or Ctrl-C where the input is not a terminal)."""
    import serial  # noqa: PLC0415 - an extra
    from serial.tools.miniterm import Miniterm  # noqa: PLC0415

    try:
        line = serial.serial_for_url(port, BAUD, timeout=0.2)
    except (OSError, serial.SerialException) as error:
        raise UsageError(f"{port} cannot be opened ({error}). Is another program using it?") from None
    try:
        if sys.stdin.isatty():
            terminal = Miniterm(line)
            terminal.exit_character = "\x1d"
            terminal.set_rx_encoding("UTF-8", "replace")
            terminal.set_tx_encoding("UTF-8")
            terminal.start()
            terminal.join()
        else:
            _follow(line)
    except serial.SerialException as error:
        raise CityVitalsError(f"The connection to the board on {port} was lost ({error}).") from None
    finally:
        line.close()


def _follow(line: Any) -> None:  # noqa: ANN401 - a serial.Serial
    while True:
        sys.stdout.write(line.read(line.in_waiting or 1).decode(errors="replace"))
        sys.stdout.flush()


def listen(port: str, seconds: float, send: bytes = b"", until: bytes = b"") -> str:
    """What a running board prints for some seconds, or until a line that begins so has ended; nothing is stopped."""
    import serial  # noqa: PLC0415 - an extra

    try:
        with serial.serial_for_url(port, BAUD, timeout=0.2) as line:
            return _listened(line, seconds, send, until).decode(errors="replace")
    except (OSError, serial.SerialException) as error:
        raise UsageError(f"{port} cannot be opened ({error}). Is another program using it?") from None


def _listened(line: Any, seconds: float, send: bytes, until: bytes) -> bytes:  # noqa: ANN401 - a serial.Serial
    heard: bytes = b""
    deadline, asked = time.monotonic() + seconds, 0.0
    while time.monotonic() < deadline:
        if send and time.monotonic() - asked > 3:  # a node looks at its console a few times a minute
            line.write(send)
            asked = time.monotonic()
        heard += line.read(line.in_waiting or 1)
        *lines, _ = heard.split(b"\n")
        if until and any(text.startswith(until) for text in lines):
            return heard
    return heard
