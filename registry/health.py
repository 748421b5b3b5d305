"""Whether everything between the devices and the values runs: heartbeats against limits. Pure; times in ms UTC.

Ingest stores the heartbeats: its own, of each gateway whose windows it stored, and of each city whose values it wrote.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from telemetry.periods import iso
from telemetry.windows import DAY

FORGOTTEN = 7 * DAY  # a gateway or ingest that was not heard for so long is not expected any more


class Limits(BaseModel):
    """Seconds without a heartbeat after which a program counts as stopped."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ingest_s: float = Field(120.0, gt=0)
    gateway_s: float = Field(300.0, gt=0)
    kpi_s: float = Field(7200.0, gt=0)


STANDARD = Limits()
BEAT_MS = 30_000


def beat_ms(limit_s: float, longest: int = BEAT_MS) -> int:
    """Ms between heartbeats under a limit: four within it, so that one late heartbeat raises no alarm."""
    return min(longest, max(round(250 * limit_s), 1))


class Check(NamedTuple):
    """One program or city. `ok`: None where it cannot be said."""

    name: str
    ok: bool | None
    text: str


def checks(beats: Iterable[tuple[str, str, int]], now: int, limits: Limits) -> list[Check]:
    """Every program that was heard in the last seven days, and every city. `beats`: role, name, time."""
    by_role: dict[str, list[tuple[str, int]]] = {"ingest": [], "gateway": [], "kpi": []}
    for role, name, time in beats:
        if role == "kpi" or now - time < FORGOTTEN:
            by_role.setdefault(role, []).append((name, time))
    ingests = by_role["ingest"]
    if not any(by_role.values()):
        return [Check("ingest", None, "no ingest has written to this store in the last seven days")]
    seen_until = max((time for _, time in ingests), default=now)
    runs = now - seen_until <= 1000 * limits.ingest_s
    newest_gateway = max((time for _, time in by_role["gateway"]), default=0)
    return [
        *_programs("ingest", ingests, now, limits.ingest_s),
        *(_gateways(by_role["gateway"], now, limits.gateway_s, seen_until, ingest_runs=runs)),
        *(_values(by_role["kpi"], now, limits.kpi_s, newest_gateway)),
    ]


def silent_program(beats: Iterable[tuple[str, str, int]], now: int, limits: Limits) -> tuple[str, int] | None:
    """The program that is silent and when it was heard last: "ingest", or "gateway" where no gateway is heard."""
    newest: dict[str, int] = {}
    for role, _, time in beats:
        newest[role] = max(time, newest.get(role, 0))
    seen_until = newest.get("ingest", now)
    for role, limit_s, until in (("ingest", limits.ingest_s, now), ("gateway", limits.gateway_s, seen_until)):
        if role in newest and until - newest[role] > 1000 * limit_s:
            return role, newest[role]
    return None


def _programs(role: str, found: list[tuple[str, int]], now: int, limit_s: float) -> Iterator[Check]:
    if not found:
        yield Check("ingest", False, "was not heard for seven days; is `cityvitals ingest` running?")
    for name, time in found:
        ok = now - time <= 1000 * limit_s
        advice = "" if ok else f", over {limit_s:g} s; is `cityvitals {role}` running?"
        yield Check(f"{role} {name}", ok, f"last heartbeat {_ago(time, now)}{advice}")


def _gateways(
    found: list[tuple[str, int]], now: int, limit_s: float, seen_until: int, *, ingest_runs: bool
) -> Iterator[Check]:
    """Gateways by their newest stored window, which only a running ingest can see: it was heard at `seen_until`."""
    for name, time in found:
        late = seen_until - time > 1000 * limit_s
        if not late and not ingest_runs and now - time > 1000 * limit_s:
            yield Check(f"gateway {name}", None, f"last window {_ago(time, now)}; unknown while ingest is stopped")
        else:
            advice = f", over {limit_s:g} s; is it running, does it reach the broker?" if late else ""
            yield Check(f"gateway {name}", not late, f"last window {_ago(time, now)}{advice}")


def _values(found: list[tuple[str, int]], now: int, limit_s: float, newest_window: int) -> Iterator[Check]:
    """Cities whose values do not change although windows arrive."""
    for city, time in found:
        still = now - time > 1000 * limit_s and newest_window - time > 1000 * limit_s
        advice = f", over {limit_s:g} s before the newest window; see the log of ingest" if still else ""
        yield Check(f"KPI values of {city}", not still, f"last written {_ago(time, now)}{advice}")


def _ago(time: int, now: int) -> str:
    return f"{iso(time)}, {max(now - time, 0) / 1000:,.0f} s ago"
