"""`python -m tools.kpi_docs`: write docs/kpis.md from the catalogue; with `--check`: exit 1 where it is not current."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from kpi_derivation.catalogue import DERIVATIONS, Derivation, reads
from kpi_derivation.engine.reads import Reads
from registry.city import Rules
from tools.generated import generated

PAGE = Path(__file__).parents[1] / "docs" / "kpis.md"
HEAD = """# KPIs and how they are derived

Generated from the catalogue by `python -m tools.kpi_docs`. Definitions are paraphrased; the authoritative text is
the publisher's (page numbers: U4SSC KPIs Verification Manual, 2022). A method marked *unconfirmed* uses a unit,
numerator or denominator that no text of the publisher confirms; one marked *partial* never gives the whole KPI.
"""


def text() -> str:
    """The page."""
    return "\n".join([HEAD, *_rules(), *(line for d in DERIVATIONS.values() for line in _section(d))])


def _rules() -> Iterator[str]:
    yield "## Rules\n"
    yield "Named in `[rules]` of CITY.toml; the defaults:\n"
    yield "| rule | default |\n|---|---|"
    for name, field in Rules.model_fields.items():
        yield f"| `{name}` | {str(field.default).lower()} |"
    yield ""


def _section(derivation: Derivation) -> Iterator[str]:
    kpi = derivation.kpi
    about = sys.modules[derivation.derive.__module__].__doc__ or ""
    if derivation.derive.__module__ == "kpi_derivation.rules.ratios":
        about = kpi.definition + "; both figures are set in the city file."
    yield f"## {kpi.code} {kpi.name}\n"
    yield f"{about.strip()}\n"
    yield f"- unit: {kpi.unit} ({kpi.unit_status})"
    yield f"- method: `{derivation.method}`"
    if kpi.parts:
        yield f"- parts: {', '.join(f'`{part}`' for part in kpi.parts)}"
    yield from _sources(reads(kpi.code))
    yield ""


def _sources(found: Reads) -> Iterator[str]:
    quantities, kinds = found.in_order("data"), found.in_order("kind")
    if quantities:
        yield f"- from: {', '.join(f'`{q}`' for q in quantities)} of {', '.join(kinds)}"


if __name__ == "__main__":
    sys.exit(generated(PAGE, text, sys.argv[1:]))
