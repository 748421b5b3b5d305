"""Fuzzing that follows the code's branches, for any length of time: the optional long mode (Linux, `.[fuzz]`).

    python -m tests.fuzz.guided senml -max_total_time=600

What comes after the name are libFuzzer's options. It ends with an error where an input raises what no decoder may.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random

import atheris

with atheris.instrument_imports(include=["gateway", "telemetry"]):
    from gateway.decoding.decoded import SourceOptions
    from gateway.formats import flat_json, senml
    from telemetry.errors import Rejected
    from telemetry.series import SeriesTable
    from telemetry.wire import decode
from tests.fuzz.mutate import payloads
from tests.fuzz.seeds import FLAT, NOW, SENML, windows

TARGETS: dict[str, tuple[list[bytes], Callable[[bytes], object]]] = {
    "senml": (SENML, lambda data: senml.decode(data, NOW, SourceOptions())),
    "flat_json": (FLAT, lambda data: flat_json.decode(data, NOW, SourceOptions())),
    "windows": ([windows()], lambda data: decode(data, SeriesTable())),
}


def main() -> None:
    """Fuzz one of them."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    if wanted not in TARGETS:
        raise SystemExit(f"Say what: one of {', '.join(TARGETS)}.")
    seeds, call = TARGETS[wanted]

    def once(data: bytes) -> None:
        with contextlib.suppress(Rejected):
            call(data)

    def mutate(data: bytes, limit: int, seed: int) -> bytes:
        """A step that knows JSON: bytes alone would hardly ever get past its parser."""
        return next(payloads([data, *seeds], Random(seed), 1))[:limit]

    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(seeds):
            (Path(corpus) / str(number)).write_bytes(seed)
        atheris.Setup([sys.argv[0], *sys.argv[2:], corpus], once, custom_mutator=mutate)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
