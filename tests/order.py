"""In which order the files of tests begin: long ones first, those that wait beside those that calculate."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, zip_longest

# What takes longest begins first, so that nothing long is left for the end when the rest is done.
FIRST = (
    "page/test_walks",
    "page/test_every_view",
    "docs/test_readme",
    "page/",
    "docs/",
    "kpi_derivation/independent/",
    "replay/",
    "test_demo",
    "load/",
    "api/",
)
# Most of their time they wait, for the clock of a board, for its restarts, for heartbeats: while one does, a file that
# keeps a processor busy runs beside it.
WAITING = (
    "chaos/test_storm",
    "chaos/test_mutants",
    "cityvitals/test_ota_tools",
    "firmware/hal/test_faults",
    "firmware/hal/test_sleep",
    "firmware/remote/",
    "firmware/",
    "cityvitals/test_node_tools",
    "docs/test_flash_a_node",
    "chaos/",
    "cityvitals/operation/test_stopped",
)


def _place(name: str, begins: tuple[str, ...]) -> int:
    return next((i for i, begin in enumerate(begins) if name.startswith(begin)), len(begins))


def ordered(names: Iterable[str]) -> list[str]:
    """Files by their path below tests/: of those that wait and of the others one in turn, each kind by its places."""
    waiting: list[str] = []
    busy: list[str] = []
    for name in dict.fromkeys(names):
        (busy if _place(name, WAITING) == len(WAITING) else waiting).append(name)
    waiting.sort(key=lambda name: _place(name, WAITING))
    busy.sort(key=lambda name: _place(name, FIRST))
    return [name for name in chain.from_iterable(zip_longest(waiting, busy)) if name]
