"""Roles: what a client may do beside reading. Each includes the ones before it. Pure.

A viewer reads; a reporter enters figures and sees their history; an operator verifies them, sees and replays rejects,
registers devices and sees health; an admin also creates and deletes tokens. The role of a token is a scope of its line
in the token file.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

Role = Literal["viewer", "reporter", "operator", "admin"]
ROLES: tuple[Role, ...] = ("viewer", "reporter", "operator", "admin")
READING = ("GET", "HEAD")


def role_of(scopes: Collection[str]) -> Role:
    """The highest role among the scopes; viewer without one."""
    return next((role for role in reversed(ROLES) if role in scopes), "viewer")


def needed(method: str, path: str) -> Role:
    """The role that a request needs."""
    if path.startswith("/v1/admin/tokens"):
        return "admin"
    if path.startswith("/v1/admin/"):
        return "operator"
    if path.endswith("/report/verify"):
        return "operator"
    if path.endswith(("/report/states", "/report/submit", "/report/withdraw")):  # names of people, and drafts
        return "reporter"
    writes = method not in READING and path.endswith("/report/figures")
    return "reporter" if writes else "viewer"  # the router answers 405 to every other write


def suffices(role: Role, wanted: Role) -> bool:
    """Whether a role includes another."""
    return ROLES.index(role) >= ROLES.index(wanted)
