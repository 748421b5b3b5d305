"""/v1/catalogue: every KPI, derived or reported."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter

from api.model import CatalogueEntry
from kpi_derivation.catalogue import KPIS

router = APIRouter(prefix="/v1", tags=["catalogue"])


@router.get("/catalogue", response_model=list[CatalogueEntry])
def catalogue() -> list[dict[str, Any]]:
    """The 91 KPIs of U4SSC and the local ones; `derivable`: whether it is derived from readings."""
    return [msgspec.structs.asdict(kpi) for kpi in KPIS.values()]
