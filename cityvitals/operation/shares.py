"""`cityvitals share`: devices move between gateways that share brokers, after the number of gateways changed.

    drain   a mark is published; every gateway's session is read up to it, by the part its buffer was filled as
    copy    what each buffer holds of the devices of another is copied to that one
    leave   each buffer deletes what it gave away and notes its new part

A broker gives every session all messages in one order, so the mark cuts all of them at the same message: what came
before it is in the buffers, what comes after it waits for the gateways' next start. A move that was interrupted is
continued by the same call; until then no gateway starts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from adapters.sqlite import handover
from adapters.sqlite.buffer import Buffer
from adapters.sqlite.handover import COPIED, COPYING
from cityvitals.operation.drained import Session, drain
from cityvitals.operation.recover import damaged_files, only_one
from cityvitals.processes import cities_of
from cityvitals.sources import served_by, sources_of
from gateway.core import Core
from gateway.plausible import Registered
from gateway.routes import Routes, Share
from registry.city import City
from registry.config import load_settings
from registry.settings import GatewaySettings
from telemetry.errors import Rejected, UsageError

NOBODY = 0  # the part of a gateway that ends


@dataclass(slots=True)
class Member:
    """A gateway. `old`: the part its buffer was filled as, None for an empty one; `new`: its part from now on."""

    settings: GatewaySettings
    buffer: Buffer
    core: Core
    routes: Routes
    old: Share | None
    new: Share


def check_start(buffer: Buffer, share: Share) -> None:
    """Whether a gateway may start with this buffer; notes its part in a new one. Raises UsageError."""
    if handover.state(buffer):
        raise UsageError(f"A move of devices to or from {buffer.path} was interrupted; call `cityvitals share` again.")
    old = old_share(buffer, share)
    if old is not None and old != share:
        was = f'share = "{old.number}/{old.of}"' if old.number else "no part"
        raise UsageError(
            f'{buffer.path} was filled with {was} and the configuration says "{share.number}/{share.of}". Stop all'
            " gateways of these brokers and call `cityvitals share` with the configurations of all of them."
        )
    handover.note_share(buffer, share.number, share.of)


def old_share(buffer: Buffer, share: Share) -> Share | None:
    """The part a buffer was filled as; None for an empty one. Of a file that does not say: all, or `share`."""
    noted = handover.share_of(buffer)
    if noted is not None:
        return Share(*noted)
    held = handover.devices(buffer)
    if not held:
        return None
    return share if all(share.takes(*device) for device in held) else Share()


def move(paths: Sequence[Path], ended: Sequence[Path], wait_s: float = 60.0) -> Iterator[str]:
    """Move devices to the gateways of these configurations, also from those that `ended`; lines for the user.

    `wait_s`: how long a broker may say nothing. Raises CityVitalsError.
    """
    with _opened(paths, ended) as members:
        first = members[0].buffer
        if handover.state(first) != COPIED:
            yield from _copied(members, wait_s)
            handover.note_state(first, COPIED)  # from here on it can only go on
        for member in reversed(members):  # the first one, which says how far it is, at last
            if handover.state(member.buffer):
                away = {d for d in handover.devices(member.buffer) if not member.new.takes(*d)}
                handover.leave(member.buffer, away, partial(_moves, member, None), *member.new)
        yield f"{len(members) - len(ended)} gateways share the devices; start them."


def _copied(members: Sequence[Member], wait_s: float) -> Iterator[str]:
    """Bring all to one mark and copy. Nothing is deleted."""
    for member in members:
        handover.note_state(member.buffer, COPYING)
    sessions = [s for m in members for s in Session.of(m.settings, m.core, m.old is not None)]
    taken = drain(sessions, wait_s)
    yield f"{taken:,} messages that waited at the brokers are stored."
    for source in members:
        for target in members:
            moved = {d for d in handover.devices(source.buffer) if not source.new.takes(*d) and target.new.takes(*d)}
            if source is target or not target.new.number:
                continue
            copied = handover.copy(source.buffer, target.buffer, moved, partial(_moves, source, target))
            if moved:
                names = f"{source.settings.id} to {target.settings.id}"
                yield f"{len(moved)} devices, {copied:,} readings from {names}."


def _moves(source: Member, target: Member | None, topic: str) -> bool:
    """Whether a topic names a device that leaves a gateway, for `target` or (None) any other."""
    try:
        route = source.routes.find(topic)
    except Rejected:
        return False
    leaves = bool(route.named) and not source.new.takes(route.city, route.named)
    return leaves and (target is None or target.new.takes(route.city, route.named))


@contextmanager
def _opened(paths: Sequence[Path], ended: Sequence[Path]) -> Iterator[list[Member]]:
    """All gateways, each alone with its buffer."""
    settings = [load_settings(path) for path in [*paths, *ended]]
    shares = [Share.parse(s.gateway.share) for s in settings[: len(paths)]]
    of = len(paths)
    if sorted(shares) != [Share(number, of) for number in range(1, of + 1)]:
        said = ", ".join(f"{s.number}/{s.of}" for s in shares)
        raise UsageError(f"{of} gateways must have the shares 1/{of} to {of}/{of}; the configurations say {said}.")
    shares += [Share(NOBODY, of)] * len(ended)
    for name in ("id", "buffer"):
        values = [str(getattr(s.gateway, name)) for s in settings]
        if len(set(values)) < len(values):
            raise UsageError(f"Two of the configurations have the same {name} under [gateway].")
    with ExitStack() as stack:
        members = []
        for found, share in zip(settings, shares, strict=True):
            stack.enter_context(only_one(found.gateway.buffer, "Stop all gateways of these brokers first."))
            member = _member(found.gateway, share, cities_of(found))
            stack.callback(member.buffer.close)
            members.append(member)
        yield members


def _member(s: GatewaySettings, new: Share, cities: Sequence[City]) -> Member:
    if damaged_files(s.buffer):
        raise UsageError(f"{damaged_files(s.buffer)[0]} is not recovered yet; run `cityvitals recover` first.")
    sources = sources_of(s, cities)
    if doors := sorted({x.door for x in sources if x.door != "mqtt"}):
        raise UsageError(
            f"Gateway {s.id} also takes readings by {doors[0]}, which it takes whole: its devices cannot be moved."
        )
    buffer = Buffer(s.buffer, s.width_s * 1000)
    old, served = old_share(buffer, new), served_by(s, cities)
    core = Core(buffer, sources, s.max_payload_kb << 10, served, Registered.of(cities), old or new)
    return Member(s, buffer, core, Routes(sources, served), old, new)
