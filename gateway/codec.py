"""A city's own LoRaWAN codec: JavaScript, run in an engine of its own with limits of time and memory.

Codecs are JavaScript everywhere: `decodeUplink({bytes, fPort})` gives `{data: {...}}` (The Things Stack, ChirpStack 4);
the older `Decoder(bytes, port)` and `Decode(port, bytes)` are called too. The engine has no files, no network and no
clock of ours, and a process of its own (`codec_engine.py`), because it can crash; one that loops or allocates is
stopped, the message is rejected with the reason, and the next message starts with a new engine. After one that ran
into the limit of time or crashed, messages of the same port are rejected unread, twice as many each time, so that other
devices need not wait a second for each.
"""

from __future__ import annotations

import base64
import binascii
import json
import select
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

from gateway import codec_engine
from telemetry.errors import Rejected, UsageError, cause

_SECONDS, _SILENT_S = 1.0, 20.0
_FIRST, _MOST = 10, 10_000  # messages that are rejected unread after a message that took too long


class Codec:
    """One codec file. Raises UsageError where it cannot be read or is not JavaScript."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rejecting: dict[int, list[int]] = {}  # port -> messages still to be rejected, and of the whole pause
        try:
            path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"The codec {path} cannot be read: {cause(error)}.") from None
        self._engine: _Process | None = _Process(path)
        said = self._engine.answer()
        if said is None or "ready" not in said:
            reason = "its engine crashed" if said is None else str(said.get("wrong"))
            raise UsageError(f"The codec {path} is not JavaScript that runs: {reason}.")

    def decode(self, raw: bytes, port: int) -> dict[str, Any]:
        """What the codec says of an uplink. Raises Rejected."""
        pause = self._rejecting.get(port)
        if pause is not None and pause[0] > 0:
            pause[0] -= 1
            raise Rejected(
                f"the codec {self._path.name} was stopped at an earlier message of port {port};"
                f" it is tried again after {pause[0]} more messages"
            )
        said = self._asked({"bytes": list(raw), "fPort": port})
        if said is None or "stopped" in said:
            reason = "its engine crashed" if said is None else str(said["stopped"])
            if said is None or "interrupted" in reason:
                reason = reason if said is None else f"it ran for more than {_SECONDS:g} s"
                length = min(2 * pause[1], _MOST) if pause else _FIRST
                self._rejecting[port] = [length, length]
            raise Rejected(f"the codec {self._path.name} was stopped: {reason[:100]}")
        self._rejecting.pop(port, None)
        if "error" in said:
            raise Rejected(f"the codec {self._path.name} says: {str(said['error'])[:100]}")
        if not isinstance(said.get("data"), dict):
            raise Rejected(f"the codec {self._path.name} gave no object")
        data: dict[str, Any] = said["data"]
        return data

    def _asked(self, uplink: dict[str, Any]) -> dict[str, Any] | None:
        """The engine's answer; None where it crashed. The next message has a new one."""
        if self._engine is None:
            self._engine = _Process(self._path)
            self._engine.answer()  # that it is ready
        said = self._engine.answer(uplink)
        if said is None:
            self._engine = None
        return said


class _Process:
    """The engine's process, which ends with this object."""

    def __init__(self, path: Path) -> None:
        command = [sys.executable, codec_engine.__file__, str(path), str(_SECONDS)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,  # Ctrl-C is for the gateway, with which its input ends
        )
        weakref.finalize(self, _ended, self._process)

    def answer(self, question: object = None) -> dict[str, Any] | None:
        """The next line that it says; None where it has ended or says nothing."""
        to, back = self._process.stdin, self._process.stdout
        assert to is not None  # noqa: S101 - both are pipes
        assert back is not None  # noqa: S101
        line = b""
        try:
            if question is not None:
                to.write(json.dumps(question).encode() + b"\n")
            while not line.endswith(b"\n"):
                ready, _, _ = select.select([back], [], [], _SILENT_S)
                part = back.read(1 << 16) if ready else b""
                if not part:
                    return None
                line += part
        except OSError:
            return None
        found: Any = json.loads(line)
        return found if isinstance(found, dict) else {"error": found}  # the codec may have changed JSON itself


def _ended(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


def uplink(document: Any) -> tuple[bytes, int] | None:  # noqa: ANN401 - from outside
    """Bytes and port of an uplink of The Things Stack or ChirpStack; None where there are none. Raises Rejected."""
    if not isinstance(document, dict):
        return None
    message = document.get("uplink_message", document)
    raw = message.get("frm_payload", message.get("data")) if isinstance(message, dict) else None
    if not isinstance(raw, str):
        return None
    port = message.get("f_port", message.get("fPort", 0))
    try:
        return base64.b64decode(raw, validate=True), port if isinstance(port, int) else 0
    except (binascii.Error, ValueError):
        raise Rejected("the uplink's payload is not base64") from None
