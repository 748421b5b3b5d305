"""The JavaScript engine of one codec file, in a process of its own: `codec_engine.py FILE SECONDS`.

A line of JSON with an uplink comes by the standard input, and a line by the standard output answers: `data`, `error` of
the codec, or `stopped` with the reason. The first line says `ready`, or in `wrong` why the file does not run. QuickJS
sometimes crashes where its limit of memory is reached; then this process ends, and not the gateway.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import quickjs

_MEMORY, _STACK = 16 << 20, 512 << 10
_CALL = """
function cityvitals(text) {
  var input = JSON.parse(text), found;
  if (typeof decodeUplink === "function") {
    found = decodeUplink(input);
    if (found && found.errors && found.errors.length) return JSON.stringify({error: String(found.errors[0])});
    found = found && found.data !== undefined ? found.data : found;
  } else if (typeof Decoder === "function") found = Decoder(input.bytes, input.fPort);
  else if (typeof Decode === "function") found = Decode(input.fPort, input.bytes);
  else return JSON.stringify({error: "no function decodeUplink, Decoder or Decode is defined"});
  return JSON.stringify({data: found === undefined ? null : found});
}
"""


def _made(source: str, seconds: float) -> Any:  # noqa: ANN401 - the library has no types
    context = quickjs.Context()
    context.set_memory_limit(_MEMORY)
    context.set_max_stack_size(_STACK)
    context.set_time_limit(seconds)
    context.eval(source)
    context.eval(_CALL)
    return context


def _say(answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def main(path: Path, seconds: float) -> None:
    """Answer until the input ends."""
    source = path.read_text(encoding="utf-8")
    try:
        engine = _made(source, seconds)
    except quickjs.JSException as error:
        _say({"wrong": str(error).splitlines()[0]})
        return
    _say({"ready": True})
    for line in sys.stdin:
        try:
            engine = engine or _made(source, seconds)
            answer = json.loads(engine.get("cityvitals")(line))
        except (quickjs.JSException, ValueError, TypeError, RecursionError) as error:
            engine = None  # what an engine that was stopped still holds is not known
            answer = {"stopped": (str(error).splitlines() or ["stopped"])[0]}
        _say(answer)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
