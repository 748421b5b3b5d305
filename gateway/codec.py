"""A city's own LoRaWAN codec: JavaScript, run in an engine of its own with limits of time and memory.

Codecs are JavaScript everywhere: `decodeUplink({bytes, fPort})` gives `{data: {...}}` (The Things Stack, ChirpStack 4);
the older `Decoder(bytes, port)` and `Decode(port, bytes)` are called too. The engine has no files, no network and no
clock of ours; one that loops or allocates is stopped, the message is rejected with the reason, and the next message
starts with a new engine. After one that ran into the limit of time, messages of the same port are rejected unread,
twice as many each time, so that other devices need not wait a second for each.
"""

from __future__ import annotations

import base64
import binascii
import json
from pathlib import Path
from typing import Any

import quickjs

from telemetry.errors import Rejected, UsageError, cause

_SECONDS, _MEMORY, _STACK = 1, 16 << 20, 512 << 10
_FIRST, _MOST = 10, 10_000  # messages that are rejected unread after a message that took too long
_CALL = """
function cityvitals(text) {
  var input = JSON.parse(text), found;
  if (typeof decodeUplink === "function") {
    found = decodeUplink(input);
    if (found && found.errors && found.errors.length) return JSON.stringify({error: String(found.errors[0])});
    found = found && found.data !== undefined ? found.data : found;
  } else if (typeof Decoder === "function") found = Decoder(input.bytes, input.fPort);
  else if (typeof Decode === "function") found = Decode(input.fPort, input.bytes);
  else return JSON.stringify({error: "there is no function decodeUplink, Decoder or Decode"});
  return JSON.stringify({data: found === undefined ? null : found});
}
"""


class Codec:
    """One codec file. Raises UsageError where it cannot be read or is not JavaScript."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rejecting: dict[int, list[int]] = {}  # port -> messages still to be rejected, and of the whole pause
        try:
            self._source = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"The codec {path} cannot be read: {cause(error)}.") from None
        try:
            self._call: Any = self._made()
        except quickjs.JSException as error:
            raise UsageError(f"The codec {path} is not JavaScript that runs: {str(error).splitlines()[0]}.") from None

    def _made(self) -> Any:  # noqa: ANN401 - the library has no types
        context = quickjs.Context()
        context.set_memory_limit(_MEMORY)
        context.set_max_stack_size(_STACK)
        context.set_time_limit(_SECONDS)
        context.eval(self._source)
        context.eval(_CALL)
        return context

    def decode(self, raw: bytes, port: int) -> dict[str, Any]:
        """What the codec says of an uplink. Raises Rejected."""
        pause = self._rejecting.get(port)
        if pause is not None and pause[0] > 0:
            pause[0] -= 1
            raise Rejected(
                f"the codec {self._path.name} was stopped after {_SECONDS} s at an earlier message of port {port};"
                f" it is tried again after {pause[0]} more messages"
            )
        text = json.dumps({"bytes": list(raw), "fPort": port})
        try:
            if self._call is None:
                self._call = self._made()
            said = json.loads(self._call.get("cityvitals")(text))
        except (quickjs.JSException, ValueError, TypeError, RecursionError) as error:
            self._call = None  # what an engine that was stopped still holds is not known
            reason = (str(error).splitlines() or ["stopped"])[0]
            if "interrupted" in reason:
                reason = f"it ran for more than {_SECONDS} s"
                length = min(2 * pause[1], _MOST) if pause else _FIRST
                self._rejecting[port] = [length, length]
            raise Rejected(f"the codec {self._path.name} was stopped: {reason[:100]}") from None
        self._rejecting.pop(port, None)
        if not isinstance(said, dict) or "error" in said:
            raise Rejected(f"the codec {self._path.name} says: {str(said.get('error'))[:100]}")
        if not isinstance(said.get("data"), dict):
            raise Rejected(f"the codec {self._path.name} gave no object")
        data: dict[str, Any] = said["data"]
        return data


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
