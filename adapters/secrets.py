"""Credentials of the store, from the environment or from files named there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from telemetry.errors import UsageError

SECTION = "CITYVITALS__STORE__"


def secret(name: str, environment: Mapping[str, str] = os.environ) -> str:
    """CITYVITALS__STORE__<name>, or the text of the file CITYVITALS__STORE__<name>_FILE; '' where neither is set."""
    path = environment.get(f"{SECTION}{name}_FILE")
    if not path:
        return environment.get(f"{SECTION}{name}", "")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise UsageError(f"{SECTION}{name}_FILE names {path}, which cannot be read: {error.strerror}.") from error
