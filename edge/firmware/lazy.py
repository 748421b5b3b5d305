"""Modules that are needed now and then: loaded for the moment, and out of memory again afterwards."""

import gc
import sys


def borrow(name):
    """Return a module of this package."""
    return __import__(_package() + "." + name, None, None, ("x",))


def give_back(*names):
    """Forget modules; nobody may hold on to anything of theirs."""
    package = _package()
    for name in names:
        sys.modules.pop(package + "." + name, None)
        if hasattr(sys.modules[package], name):
            delattr(sys.modules[package], name)
    gc.collect()


def _package():
    return __name__.rpartition(".")[0]
