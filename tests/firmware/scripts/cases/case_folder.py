"""The modules of a case folder, `tests/firmware/<folder>/cases/<module>/`. Runs on any interpreter."""

import sys

from firmware import lazy


def tested(folder: str):  # noqa: ANN201 - a module, whose type has no name on MicroPython
    """The module whose cases these are: `edge/firmware/<folder>/<module>.py`."""
    parts = folder.rstrip("/").split("/")
    return lazy.load(parts[-3] + "." + parts[-1])


def own(folder: str, name: str):  # noqa: ANN201
    """A module of the case folder."""
    sys.path.insert(0, folder)
    try:
        return __import__(name)
    finally:
        sys.path.remove(folder)
