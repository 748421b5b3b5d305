"""OCPP calls that carry meter values, 1.6 and 2.0.1, as a station sends them: `[2, id, action, {...}]`.

Each meter value becomes `{"time", "connector", "values": {measurand: value or list}}` with the units that are said. No
measurand means Energy.Active.Import.Register, no unit Wh for energy and W for power. Values of a phase are listed;
where one of the whole is there it wins.
"""

from __future__ import annotations

from typing import Any

from gateway.formats import json
from telemetry.errors import Rejected

REGISTER = "Energy.Active.Import.Register"
_TWO = frozenset({"L1", "L2", "L3", "L1-N", "L2-N", "L3-N"})


def read(payload: bytes, levels: dict[str, str]) -> list[Any]:  # noqa: ARG001 - every format is called so
    """The meter values of a call, or of its payload alone. Raises Rejected."""
    found: list[Any] = []
    for document in json.read(payload, {}):
        body = document
        if isinstance(document, list):
            if len(document) != 4 or document[0] != 2 or not isinstance(document[3], dict):
                raise Rejected("not an OCPP call: [2, id, action, {...}]")
            body = document[3]
        if not isinstance(body, dict):
            raise Rejected("not an OCPP call: [2, id, action, {...}]")
        found += meter_values(body)
    return found


def meter_values(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The meter values of the body of MeterValues, StopTransaction or TransactionEvent."""
    evse = body.get("evse")
    connector = body.get("connectorId", body.get("evseId", evse.get("id") if isinstance(evse, dict) else None))
    entries = body.get("meterValue") or body.get("transactionData") or []
    if not isinstance(entries, list):
        raise Rejected("meterValue is not a list")
    return [
        {"time": entry.get("timestamp"), "connector": connector, "values": sampled(entry.get("sampledValue"))}
        for entry in entries
        if isinstance(entry, dict)
    ]


def sampled(values: Any) -> dict[str, Any]:  # noqa: ANN401 - from outside
    """Measurand -> value with its unit; values of phases as a list where none of the whole is there."""
    whole: dict[str, Any] = {}
    phases: dict[str, list[Any]] = {}
    for item in values if isinstance(values, list) else []:
        if not isinstance(item, dict) or item.get("location") in ("EV", "Inlet") or item.get("format") == "SignedData":
            continue
        name = item.get("measurand", REGISTER)
        said = item.get("unitOfMeasure", item.get("unit"))
        value = {"value": item.get("value"), **({"unit": said} if said is not None else {})}
        if item.get("phase") in _TWO:
            phases.setdefault(name, []).append(value)
        elif item.get("phase") is None:
            whole[name] = value
    return {**phases, **whole}
