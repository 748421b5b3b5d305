"""FIWARE entities: NGSI-LD and NGSI v2, normalised or key-value, alone, in a list, or in a notification's `data`.

An attribute becomes `{"value", "unit", "time"}` with the unit of its `unitCode` (or the one in its metadata) and its
own `observedAt` or timestamp; `short` is the entity's id after the last colon.
"""

from __future__ import annotations

from typing import Any

from gateway.formats import json
from telemetry.errors import Rejected

_KINDS = frozenset({"Property", "Number", "Integer", "Float", "StructuredValue", "DateTime", "Text", "Relationship"})


def read(payload: bytes, levels: dict[str, str]) -> list[Any]:  # noqa: ARG001 - every format is called so
    """The entities of a payload. Raises Rejected."""
    found: list[Any] = []
    for document in json.read(payload, {}):
        inside = document.get("data", document) if isinstance(document, dict) else document
        for entity in inside if isinstance(inside, list) else [inside]:
            if not isinstance(entity, dict):
                raise Rejected("not an NGSI entity: not a JSON object")
            found.append({name: _attribute(item) for name, item in entity.items()} | _short(entity))
    return found


def _short(entity: dict[str, Any]) -> dict[str, str]:
    return {"short": str(entity["id"]).rpartition(":")[2]} if isinstance(entity.get("id"), str) else {}


def _attribute(item: Any) -> Any:  # noqa: ANN401
    if not isinstance(item, dict) or "value" not in item or "type" not in item:
        return item
    value = item["value"]
    if isinstance(value, dict) and "@value" in value:
        value = value["@value"]
    if isinstance(value, str) and item.get("type") not in ("Number", "Integer", "Float"):
        return value
    metadata = item.get("metadata") if isinstance(item.get("metadata"), dict) else {}
    labels = {
        "unit": item.get("unitCode") or _meta(metadata, "unitCode"),
        "time": item.get("observedAt") or _meta(metadata, "timestamp") or _meta(metadata, "TimeInstant"),
    }
    kept = {name: said for name, said in labels.items() if said is not None}
    if isinstance(value, dict) and not {"value", "v"} & set(value):  # phases side by side, each with the same labels
        return {name: {"value": one, **kept} for name, one in value.items()}
    return {"value": value, **kept}


def _meta(metadata: Any, name: str) -> Any:  # noqa: ANN401
    entry = metadata.get(name)
    return entry.get("value") if isinstance(entry, dict) else entry
