"""The registered devices of a city: when each was last heard, its newest values, and whether it is silent. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from adapters.store import Latest
from api.problems import Denied
from registry.city import City, Device
from registry.silence import silent_after
from telemetry.series import SeriesTable
from telemetry.windows import DAY, MINUTE

LOOK_BACK = DAY + 2 * 60 * MINUTE  # older readings are found by a second, longer query for the missing devices


class Newest(msgspec.Struct, frozen=True):
    """The newest reading of one quantity of a device; `t` in UTC ms, `value` in the catalogue's unit."""

    t: int
    value: float


def newest_of(found: Latest, table: SeriesTable) -> dict[str, dict[str, Newest]]:
    """Device -> quantity -> newest reading."""
    by_device: dict[str, dict[str, Newest]] = {}
    for series, t, value in zip(found.series.tolist(), found.t.tolist(), found.value.tolist(), strict=True):
        name = table[series]
        by_device.setdefault(name.device, {})[name.quantity] = Newest(t, value)
    return by_device


class DeviceState(msgspec.Struct, frozen=True, kw_only=True):
    """One registered device. `heard`: UTC ms of its newest reading, None for never; `state`: ok, silent or unheard.

    `withheld`: position and values are left out, because it may be the meter of a household.
    """

    id: str
    site: str
    kind: str
    lat: float | None
    lon: float | None
    quantities: list[str]
    state: str
    heard: int | None
    withheld: bool
    newest: dict[str, Newest]


# Meters that may be a household's: their position and current values are withheld.
METERS = frozenset({"electricity_meter", "water_meter", "heat_meter"})
MANY = 50  # customers behind one meter
NOT_A_HOME = frozenset({"public_building", "generation", "supply", "billed"})


def states(city: City, newest: dict[str, dict[str, Newest]], now: int) -> list[DeviceState]:
    """Every registered device, those that need attention first: never heard, silent (longest first), well."""
    found = [_state(device, newest.get(device.id, {}), now) for device in city.device]
    order = {"unheard": 0, "silent": 1, "ok": 2}
    return sorted(found, key=lambda d: (order[d.state], d.heard or 0 if d.state == "silent" else 0, d.id))


def _state(device: Device, newest: dict[str, Newest], now: int) -> DeviceState:
    mine = {q: row for q, row in newest.items() if q in device.quantities}
    heard = max((row.t for row in mine.values()), default=None)
    state = "unheard" if heard is None else "silent" if now - heard > silent_after(device) else "ok"
    hidden = withheld(device.kind, device.role, device.customers)
    return DeviceState(
        id=device.id, site=device.site, kind=device.kind, lat=None if hidden else device.lat,
        lon=None if hidden else device.lon, quantities=list(device.quantities), state=state, heard=heard,
        withheld=hidden, newest={} if hidden else mine,
    )  # fmt: skip


def withheld(kind: str, role: str, customers: float) -> bool:
    """Whether position and values of a device are withheld: it may be the meter of a household.

    A meter of a whole street is not: its value shows nothing of any one of its fifty customers.
    """
    return kind in METERS and role not in NOT_A_HOME and customers < MANY


def check_shown(city: City, names: Iterable[str]) -> None:
    """Raises Denied where a load of these meters would show that of a household.

    Beside no meter that may be a household's, or of at least MANY customers together, a sum may be seen.
    """
    wanted = set(names)
    homes = [d for d in city.device if d.id in wanted and withheld(d.kind, d.role, d.customers)]
    if homes and sum(d.customers for d in homes) < MANY:
        raise Denied(
            f"The values of {homes[0].id} are withheld: it may be the meter of a household. Choose meters of at least"
            f" {MANY} customers together, or run the command on the server."
        )
