"""Queries that read what is never deleted from a retention policy of its own, where the store has one."""

from __future__ import annotations

import json
import re
from typing import Any

_NEVER_DELETED = re.compile(r'FROM (\\+"(?:kpi|device|figure|newest|registry)\\+")')


def from_policy(document: dict[str, Any], policy: str) -> dict[str, Any]:
    """A dashboard, or a group of rules, whose queries read what is never deleted from this retention policy."""
    if not policy:
        return document
    quoted = json.dumps(json.dumps(policy))[1:-1]
    text = _NEVER_DELETED.sub(lambda found: f"FROM {quoted}.{found[1]}", json.dumps(document))
    changed: dict[str, Any] = json.loads(text)
    return changed
