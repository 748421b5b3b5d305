"""Everything that runs at the edge: the node firmware, and the tools that build and load it.

On CPython the firmware's modules can be imported too: the one name they need of MicroPython's own module is given here.
"""

import sys
from types import ModuleType


class _MicroPython(ModuleType):
    @staticmethod
    def const(value: object) -> object:
        """A value that MicroPython's compiler puts in where it is used."""
        return value


sys.modules.setdefault("micropython", _MicroPython("micropython"))
