"""Settings of the memory allocator for long-running processes.

glibc maps blocks over a threshold one by one and unmaps them when they are freed. The threshold starts at 128 KiB and
rises with every such block that is freed, up to 32 MiB; a heap whose free end is twice as large shrinks (mallopt(3)).
With arrays that are allocated several times a second this is slow while the threshold is low, because every array is
mapped and faulted in, and later the largest ones stay in the heap. Fixed sizes avoid both.
"""

from __future__ import annotations

import ctypes
import gc
import mmap
import os
import time
from collections.abc import Callable

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h
_MAPPED = 4 << 20  # bytes; larger than a batch needs, smaller than the copies made when old windows are discarded
_GROWN = 8 << 20  # bytes, of what is free and what is not
_KEPT = 32 << 20  # bytes at the end of the heap that are kept for the next batch


def steady_heap() -> bool:
    """Keep up to 32 MiB for the next batch; return blocks over 4 MiB when they are freed. False without glibc."""
    try:
        libc = ctypes.CDLL(None)
        libc.gnu_get_libc_version  # noqa: B018 - musl and macOS do not have it, and mean other things by the numbers
    except (AttributeError, OSError, TypeError):
        return False
    return bool(libc.mallopt(_M_MMAP_THRESHOLD, _MAPPED) and libc.mallopt(_M_TRIM_THRESHOLD, _KEPT))


def trimming(stop: Callable[[], bool], grown: int = _GROWN) -> Callable[[], bool]:
    """`stop`, which also returns what is free inside the heap to the system, with glibc.

    At most once a second, and only if the process has grown by so many bytes since.

    Between the small objects that stay, freed ones leave pages that malloc keeps: an ingest of 100,000 devices has a
    sixth of its memory in them. To return them takes three milliseconds, to look at the size a hundredth of one.
    """
    try:
        trim = ctypes.CDLL(None).malloc_trim
        size = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
    except (AttributeError, OSError, TypeError):  # musl and macOS do not have them
        return stop
    kept, due = 0, 0.0

    def trimmed() -> bool:
        nonlocal kept, due
        if time.monotonic() >= due:
            due = time.monotonic() + 1
            if _resident(size) >= kept + grown:
                trim(0)
                kept = _resident(size)
        return stop()

    return trimmed


def _resident(size: int) -> int:
    return int(os.pread(size, 100, 0).split()[1]) * mmap.PAGESIZE


def settle() -> None:
    """Free what the start has left; the rest is not searched for garbage again: of 100,000 devices that takes a fifth
    of a second or more each time.
    """
    gc.collect()
    gc.freeze()
