"""The command line, the long-running processes, demo, doctor and backup; and `open`, the Python library."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cityvitals.library import Library


def __getattr__(name: str) -> str:
    """`cityvitals.__version__`, read when asked for: the command line starts without it."""
    if name == "__version__":
        from registry.version import version  # noqa: PLC0415

        return version()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def open(url: str) -> Library:  # noqa: A001 - `cityvitals.open(url)` reads as what it does
    """Open a store for reading, see `cityvitals.library`. Raises UsageError."""
    from cityvitals.library import open_store  # noqa: PLC0415 - the command line starts without it

    return open_store(url)
