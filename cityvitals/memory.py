"""What a long-running process does with freed memory.

glibc takes blocks over a threshold from the system one by one and gives them back when they are freed. The threshold
begins at 128 KiB and rises with every such block that is freed, up to 32 MiB; a heap whose free end is twice as large
shrinks (mallopt(3)). With arrays that come and go several times a second this is slow while it is low, every one of
them being mapped and faulted in anew, and later lets the largest ones stay in the heap. Naming both sizes ends that.
"""

from __future__ import annotations

import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h
_MAPPED = 4 << 20  # bytes; larger than what a batch needs, smaller than the copies made when old windows are forgotten
_KEPT = 32 << 20  # bytes at the end of the heap that are kept for the next batch


def steady_heap() -> bool:
    """Keep up to 32 MiB for the next batch; return blocks over 4 MiB when they are freed. False without glibc."""
    try:
        libc = ctypes.CDLL(None)
        libc.gnu_get_libc_version  # noqa: B018 - musl and macOS do not have it, and mean other things by the numbers
    except (AttributeError, OSError, TypeError):
        return False
    return bool(libc.mallopt(_M_MMAP_THRESHOLD, _MAPPED) and libc.mallopt(_M_TRIM_THRESHOLD, _KEPT))
