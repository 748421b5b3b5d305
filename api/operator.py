"""What operators do through the API: functions of the programs around it, which the API itself may not import."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.store import Store
from registry.place import Place

# city, device, like, kind, quantities, place -> what to do next
Register = Callable[[str, str, str, str, tuple[str, ...], Place], str]


@dataclass(frozen=True, slots=True)
class Operator:
    """The operations that this server offers; None for one that it does not.

    `register`: adds a device to a city file; `rejects`: the newest rejects of the gateway on this machine; `replay`:
    replays rejects by id, while the gateway is stopped; `resend`: sends topic and payload to the gateway's broker,
    while it runs; `ledger`: of a store, city and calendar period. Each raises UsageError with what to do.
    """

    register: Register | None = None
    rejects: Callable[[int], Sequence[dict[str, Any]]] | None = None
    replay: Callable[[Sequence[int]], Sequence[str]] | None = None
    resend: Callable[[str, str], str] | None = None
    ledger: Callable[[Store, str, str], dict[str, Any]] | None = None
