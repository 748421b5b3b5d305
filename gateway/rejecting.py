"""A message that could not be used, in whole or in part, as it is kept: with its reason, without its users."""

from __future__ import annotations

from hashlib import blake2b
from typing import NamedTuple

from adapters.sqlite.rejects import RejectedMessage
from gateway.batch import joined
from gateway.incoming import Incoming
from gateway.privacy import city_key, reason_without_users, sealed, without_users
from gateway.routes import Route


class Problem(NamedTuple):
    """Why a message of the batch could not be used. `place`: of the message in it; `number`: of its arrival."""

    place: int
    reasons: list[str]
    route: Route | None
    number: int


def rejected_message(message: Incoming, problem: Problem, arrival: int, secret: bytes) -> RejectedMessage:
    """The message as it is kept. `arrival`: ms UTC; `secret`: under which what may name users is encrypted."""
    payload, reason = message.payload, joined(problem.reasons)
    if problem.route is None or problem.route.may_carry_users:
        reason = reason_without_users(reason, payload)
        payload = sealed(payload, secret) if secret else without_users(payload, city_key(secret, ""))
    sender = problem.route.device if problem.route else ""
    digest = None
    if message.retain:
        digest = blake2b(message.address.encode() + b"\0" + message.payload, digest_size=16).digest()
    at = message.arrival or arrival
    return RejectedMessage(at, message.address, payload, reason, problem.number, sender, digest)
