"""What must hold of every value's proof: `faults` says in words what does not."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from kpi_derivation.catalogue import DERIVATIONS, KPIS, region_rule
from registry.city import City
from reporting.proof.explain import Explainer
from reporting.proof.proof import Proof
from reporting.proof.text import as_text
from telemetry.kpi_value import KpiValue
from telemetry.periods import Period


def is_calculated(v: KpiValue) -> bool:
    """Whether the devices' numbers must give the value.

    Where a region's value cannot be made of its cities' either, and no numerator is named, it is the worst station, a
    level in decibels, a maximum or a mean of ratios.
    """
    return region_rule(KPIS[v.code], v.part) not in ("none", "maximum") or v.numerator is not None


def faults(proof: Proof, city: City) -> Iterator[str]:
    """Everything in which a proof contradicts its value or itself."""
    v, counted = proof.value, {d.device for d in proof.counted}
    out = {d.device for d in proof.devices if d.left_out}
    if len(counted | set(proof.from_registry)) != v.n_devices:
        yield f"{v.n_devices} devices count, listed are {sorted(counted | set(proof.from_registry))}"
    if counted & out:
        yield f"{sorted(counted & out)} count and are left out"
    if counted & set(proof.from_registry):
        yield f"{sorted(counted & set(proof.from_registry))} are listed twice"
    listed = counted | out | set(proof.from_registry)
    # Ids that are plain words may be in any sentence.
    ids = [d for d in city.device if not d.id.isalpha()]
    named = {d.id for d in ids if re.search(rf"(?<![\w.:-]){re.escape(d.id)}(?![\w:-])", v.notes)}
    if named - listed:
        yield f"the notes name {sorted(named - listed)}, which are not part of the proof"
    if v.value is not None and not proof.arithmetic and is_calculated(v):
        yield "no arithmetic gives the value"
    if v.value is not None and region_rule(KPIS[v.code], v.part) == "ratio":
        factor = 100.0 if v.unit.startswith("%") else 1.0
        if v.numerator is None or not v.denominator:
            yield "the ratio has no numerator or denominator"
        elif factor * v.numerator / v.denominator != pytest.approx(v.value, rel=1e-9, abs=1e-12):
            yield f"{v.numerator} / {v.denominator} is not {v.value}"
    if f"{v.n_devices} of {proof.registered} devices count" not in " ".join(as_text(proof).split()):
        yield "the text says another number of devices"
    if proof.registered < v.n_devices:
        yield f"{v.n_devices} of {proof.registered} devices"


def all_faults(explainer: Explainer, city: City, period: Period) -> dict[str, list[str]]:
    """The faults of every derived KPI and part in a period, by code and part; and that there were any proofs."""
    found, proofs = {}, 0
    for code in sorted(DERIVATIONS):
        for proof in explainer.proofs(code, period):
            proofs += 1
            wrong = list(faults(proof, city))
            if wrong:
                found[f"{code} {proof.value.part} {period.label}"] = wrong
    assert proofs > len(DERIVATIONS)
    return found
