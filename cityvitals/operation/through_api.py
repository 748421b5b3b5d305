"""What operators do through the API: register devices in the city files, see and replay rejects of a gateway here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapters.mqtt.broker_settings import broker
from adapters.store import Store
from api.operator import Operator, Register
from cityvitals.clock import now_ms
from registry.config import load_city
from registry.place import Place
from registry.settings import Settings
from telemetry.errors import UsageError
from telemetry.periods import iso, parse_period

if TYPE_CHECKING:
    from adapters.sqlite.buffer import Buffer


def operator(settings: Settings) -> Operator:
    """The operations that are possible on this machine: by the city files and the gateway's buffer it has."""
    files = _register(settings) if settings.city_files else None
    buffer = settings.gateway.buffer

    # Imported with the first request for it, here and below: the gateway's buffer and decoders, the editor of city
    # files and the tables of the command line take megabytes.
    def rejects(limit: int) -> Sequence[dict[str, Any]]:
        from cityvitals.operation.rejects import plain  # noqa: PLC0415

        opened = _open(buffer)
        try:
            return [plain(r) for r in opened.rejects.newest(limit)]
        finally:
            opened.close()

    def replay(ids: Sequence[int]) -> Sequence[str]:
        from cityvitals.operation.rejects import replay_in  # noqa: PLC0415

        return list(replay_in(settings, _open(buffer), ids, now_ms()))

    def again(topic: str, payload: str) -> str:
        # Late: without its libraries the API should name the extra `central`, not that of its MQTT client.
        from cityvitals.operation.resend_reject import resend  # noqa: PLC0415

        return resend(broker(settings.gateway.broker), topic, payload.encode())

    return Operator(register=files, rejects=rejects, replay=replay, resend=again, ledger=_ledger)


def _ledger(store: Store, city: str, label: str) -> dict[str, Any]:
    from cityvitals.operation.reconcile import accounts_as_of  # noqa: PLC0415
    from reporting.show import stored_city  # noqa: PLC0415

    period = parse_period(label, stored_city(store, city).zone)
    found, newest = accounts_as_of(store, city, period)
    rows = [{**a._asdict(), "unexplained": a.unexplained, "whole": a.whole} for a in found]
    return {"period": label, "as_of": None if newest is None else iso(newest), "devices": rows}


def _open(path: Path) -> Buffer:
    from adapters.sqlite.buffer import Buffer  # noqa: PLC0415

    if not path.is_file():
        raise UsageError(f"There is no gateway's buffer {path} here; use `cityvitals rejects` where the gateway runs.")
    return Buffer(path, None)


def _register(settings: Settings) -> Register:
    def add(city: str, device: str, like: str, kind: str, quantities: tuple[str, ...], place: Place) -> str:
        from cityvitals.operation.registration import register  # noqa: PLC0415

        files = {load_city(Path(path)).city.id: Path(path) for path in settings.city_files}
        if city not in files:
            raise UsageError(f"No configured city file has the id '{city}'.")
        return register(files[city], device, like, kind, quantities, place)

    return add
