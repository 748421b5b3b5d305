"""docs/all-kpis.md: every one of the 91 says where it comes from."""

from __future__ import annotations

from kpi_derivation.catalogue import DERIVATIONS
from reporting.figures.points import u4ssc
from tools.kpi_table import FROM_FILES, how, text


def test_every_kpi_has_one_of_five_origins() -> None:
    origins = {kpi.code: how(kpi) for kpi in u4ssc()}
    assert len(origins) == 91
    assert set(origins.values()) == {"derived", "partial", "city file", "from a file", "by hand"}
    assert origins["EN:EN:AQ:1C"] == "derived"
    assert origins["EN:EN:WS:1C"] == "partial"
    assert origins["EN:EN:PSN:1C"] == "from a file"
    assert origins["SC:SH:SI:2C"] == "by hand"
    assert not FROM_FILES.keys() & DERIVATIONS.keys()
    assert text().count("\n| E") + text().count("\n| S") == 112
