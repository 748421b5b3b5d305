"""EN:EN:EQ:2A Noise Exposure: inhabitants at sites over the limit / inhabitants, %. The limit is unconfirmed.

Lden of each site from the energies of its valid hours by day, evening and night (2002/49/EC Annex I); a site counts
with `period_capture` of the hours. The people a site stands for are its `population` in the registry; they are exposed
where Lden is over the rule `noise_limit_lden`. Where people are not assigned to sites there is no value. A sensor in a
street is not the directive's facade at 4 m: the value is indicative.
"""

from __future__ import annotations

from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.noise import site_levels
from kpi_derivation.rules.ratios import ONLY_CALENDAR, joined
from kpi_derivation.rules.reasons import Why, no_device, not_set, setting

CODE = "EN:EN:EQ:2A"
METHOD = "noise-lden-sites/1 (unconfirmed limit)"
REGION = "ratio"


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    sites, limit = site_levels(view), view.city.rules.noise_limit_lden
    coverage, n = sites.coverage, int(sites.counts.sum())
    people = [d.population for d, ok in zip(sites.devices, sites.counts, strict=True) if ok]
    levels = sites.lden[sites.counts]
    if not sites.devices:
        why = no_device("no noise sensor is registered")
    elif view.period.kind == "24h":
        why = Why(f"{ONLY_CALENDAR}, and 365 days", "not_for_period")
    elif not n:
        least = f"{100 * view.city.rules.period_capture:g} %"
        why = Why(f"no site has {least} of the hours by day, evening and night", "low_coverage")
    elif any(p is None for p in people):
        why = not_set("set population (the people a site stands for) in the [[device]] entries")
    else:
        why = setting(view, "population")
    if why.missing:
        return [Part(value=None, coverage=coverage, n_devices=n, notes=why.text, reason=why.reason)]
    exposed = sum(p or 0.0 for p, level in zip(people, levels.tolist(), strict=True) if level > limit)
    notes = joined(f"indicative: street sensors; exposed over Lden {limit:g} dB", sites.notes)
    total = view.city.city.population or 1.0
    value = 100.0 * exposed / total
    return [Part(value=value, coverage=coverage, n_devices=n, notes=notes, numerator=exposed, denominator=total)]
