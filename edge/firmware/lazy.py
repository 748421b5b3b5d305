"""Rarely needed modules: loaded on demand, and removed from memory afterwards."""

import gc
import sys


def load(name):
    """Return a module of this package, by its dotted name below it."""
    return __import__(_package() + "." + name, None, None, ("x",))


def unload(*names):
    """Remove modules; no other object may still refer to anything in them."""
    for name in names:
        full = _package() + "." + name
        sys.modules.pop(full, None)
        parent, _, leaf = full.rpartition(".")
        parent = sys.modules.get(parent)
        if hasattr(parent, leaf):
            delattr(parent, leaf)
    gc.collect()


def _package():
    return __name__.rpartition(".")[0]
