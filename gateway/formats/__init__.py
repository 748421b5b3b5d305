"""Payload formats. The folder is the registry: a module's name is the format's name.

A module has `decode(payload, arrival, options) -> Decoded`, or `read(payload, levels) -> messages` for a mapping to
turn into rows (or `reader(options) -> read`, where reading needs a state or a key). Beside `decode`, a module may have
`shortest(options)`, a shorter way of usual messages, see `gateway/decoding/plain.py`. A format that comes on serial
lines has `framer()`, which cuts its frames. All raise `Rejected` when nothing of a payload can be used.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache
from typing import Any

from gateway.decoding.decoded import Decoded, SourceOptions
from gateway.decoding.framing import Framer
from gateway.decoding.plain import ReadPlain
from telemetry.errors import UsageError, nearest

Decode = Callable[[bytes, int, SourceOptions], Decoded]
Read = Callable[[bytes, dict[str, str]], list[Any]]


def names() -> list[str]:
    """All format names."""
    return sorted(found.name for found in pkgutil.iter_modules(__path__))


@cache  # asked for with the first message of each device, and the folder is read each time
def _module(name: str) -> Any:  # noqa: ANN401 - a module
    if name not in names():
        raise UsageError(f"There is no payload format '{name}'; {nearest(name, names())}")
    return importlib.import_module(f"{__name__}.{name}")


def decoder(name: str) -> Decode:
    """The format's decode function. Raises UsageError for an unknown name, or for one that needs a mapping."""
    module = _module(name)
    if not hasattr(module, "decode"):
        raise UsageError(f"The payload format '{name}' needs a device family, or `values` or `names` in the source.")
    decode: Decode = module.decode
    return decode


def shortest(name: str, options: SourceOptions) -> ReadPlain | None:
    """The shortest way of the format's usual messages, for one source; None where it has none."""
    module = _module(name)
    if not hasattr(module, "shortest"):
        return None
    made: ReadPlain = module.shortest(options)
    return made


def may_carry_users(name: str) -> bool:
    """Whether messages of this format can hold what identifies a user; a module whose messages never do declares it."""
    return bool(getattr(importlib.import_module(f"{__name__}.{name}"), "MAY_CARRY_USERS", True))


def needs_others(name: str) -> bool:
    """Whether a message may be needed to read one of another topic, and of another device; a module declares it."""
    return bool(getattr(importlib.import_module(f"{__name__}.{name}"), "NEEDS_OTHERS", False))


def framer(name: str) -> Framer:
    """What cuts the format's frames out of the bytes of a serial line. Raises UsageError where it has none."""
    module = _module(name)
    if not hasattr(module, "framer"):
        raise UsageError(f"The payload format '{name}' is not one of serial lines.")
    made: Framer = module.framer()
    return made


def is_mapped(name: str) -> bool:
    """Whether messages of this format need a mapping. Raises UsageError for an unknown name."""
    return not hasattr(_module(name), "decode")


def reader(name: str, options: dict[str, Any]) -> Read:
    """The format's read function. `options`: those of the source. Raises UsageError."""
    module = _module(name)
    if hasattr(module, "reader"):
        made: Read = module.reader(options)
        return made
    if options:
        raise UsageError(f"The payload format '{name}' has no option '{next(iter(options))}'.")
    read: Read = module.read
    return read
