"""Payload formats. The folder is the registry: a module's name is the format's name.

A module has `decode(payload, arrival, options) -> Decoded` and raises `Rejected` when nothing of it can be used.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable

from gateway.decoded import Decoded, SourceOptions
from telemetry.errors import UsageError, nearest

Decode = Callable[[bytes, int, SourceOptions], Decoded]


def names() -> list[str]:
    """All format names."""
    return sorted(found.name for found in pkgutil.iter_modules(__path__))


def decoder(name: str) -> Decode:
    """The format's decode function. Raises UsageError for an unknown name."""
    if name not in names():
        raise UsageError(f"There is no payload format '{name}'; {nearest(name, names())}")
    decode: Decode = importlib.import_module(f"{__name__}.{name}").decode
    return decode


def may_carry_users(name: str) -> bool:
    """Whether messages of this format can hold what identifies a user; a module that never does says so itself."""
    return bool(getattr(importlib.import_module(f"{__name__}.{name}"), "MAY_CARRY_USERS", True))
