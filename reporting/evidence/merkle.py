"""Merkle trees as in RFC 6962, section 2.1: SHA-256, leaves and inner nodes hashed with different first bytes. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def leaf(content: bytes) -> bytes:
    """The hash of one leaf."""
    return hashlib.sha256(b"\x00" + content).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over hashed leaves, in their order; of none, the hash of nothing."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    level = list(leaves)
    while len(level) > 1:
        # An odd last node moves up unchanged, which is the tree of the RFC (split at the largest power of two).
        paired = [_node(a, b) for a, b in zip(level[::2], level[1::2], strict=False)]
        level = paired + level[len(paired) * 2 :]
    return level[0]


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
