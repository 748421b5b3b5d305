"""The verifiers' rules over a city's reported figures of one year. Pure.

A figure that contradicts itself or another one is rejected. A figure that a verifier would check (variation of 5 % or
10 %, an unusual order) is reported and stored. Pages are those of the publisher's Verification Manual (2022).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from kpi_derivation.catalogue import KPIS
from reporting.figures.denominators import denominator_of
from reporting.figures.points import Point, unit_of
from reporting.figures.ratio import is_per_100_000
from reporting.figures.reported import Reported

SUM_TOLERANCE = 2.0
DENOMINATOR_VARIATION = 0.05
YEAR_VARIATION = 0.10
MOST_NOT_REPORTED = 0.20
MAY_EXCEED_100 = ("SC:EH:ED:2C",)
SUMS_TO_100 = ("EC:I:T:4A", "EN:EN:WA:1C")


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """Data for the checks: the city's denominators, its figures of other years, and derived values."""

    denominators: Mapping[str, float | None] = {}
    earlier: Sequence[Reported] = ()
    derived: Mapping[Point, float] = {}


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that a figure breaks (`rejected`), or that a verifier would check."""

    rule: str
    page: str
    rejected: bool
    code: str
    part: str
    year: int
    text: str


Figures = Mapping[Point, Reported]
Rule = Callable[[Figures, Context], Iterator[Finding]]


def check(figures: Sequence[Reported], context: Context) -> list[Finding]:
    """All findings on the figures of one year, rejections first."""
    by_point = {(f.code, f.part): f for f in figures}
    found = [finding for rule in RULES for finding in rule(by_point, context)]
    return sorted(found, key=lambda f: (not f.rejected, f.code, f.part, f.rule))


def _finding(f: Reported, rule: str, page: str, text: str, rejected: bool = True) -> Finding:
    return Finding(rule=rule, page=page, rejected=rejected, code=f.code, part=f.part, year=f.year, text=text)


def _variation(value: float, base: float) -> float:
    """Share by which a value differs from a base other than 0; rounded, so that exactly 5 % is 5 %."""
    return round(abs(value - base) / abs(base), 12)


def percent_range(figures: Figures, _: Context) -> Iterator[Finding]:
    """A percentage is at most 100, except where the publisher allows more; Gini at most 1; yes or no is 1 or 0."""
    for (code, part), f in figures.items():
        unit = unit_of(KPIS[code], part)
        most = 100.0 if unit.startswith("%") and code not in MAY_EXCEED_100 else 1.0 if unit == "0-1" else None
        if most is not None and f.value > most:
            yield _finding(f, "range", "p118", f"{f.value:g} is above {most:g}, which a figure in {unit} cannot be")
        if unit == "yes/no" and f.value not in (0.0, 1.0):
            yield _finding(f, "yes or no", "", f"{f.value:g} is neither yes (1) nor no (0)")


def sums(figures: Figures, _: Context) -> Iterator[Finding]:
    """The shares of all ways to travel, and of all ways to treat waste, sum to 100 +/- 2 %."""
    for code in SUMS_TO_100:
        shares = [f for (c, _), f in figures.items() if c == code]
        total = round(sum(f.value for f in shares), 9)  # rounded, so that exactly 98 is 98
        if not shares:
            continue
        missing = [p for p in KPIS[code].parts if (code, p) not in figures]
        if total > 100 + SUM_TOLERANCE or (not missing and total < 100 - SUM_TOLERANCE):
            text = f"the shares of {code} sum to {total:g} %, not to 100 +/- 2; correct them"
            yield _finding(shares[0], "shares sum to 100", "p32", text)
        elif missing:
            text = f"the shares of {code} sum to {total:g} % without {', '.join(missing)}; report these too, 0 for none"
            yield _finding(shares[0], "shares sum to 100", "p32", text, rejected=False)


def treatment_order(figures: Figures, _: Context) -> Iterator[Finding]:
    """Tertiary treatment <= secondary <= primary: water passes the stages in order."""
    stages = [figures.get(("EN:EN:WS:4C", stage)) for stage in ("primary", "secondary", "tertiary")]
    known = [stage for stage in stages if stage is not None]
    for before, after in itertools.pairwise(known):
        if after.value > before.value:
            text = f"{after.part} treatment {after.value:g} % is more than {before.part} {before.value:g} %"
            yield _finding(after, "tertiary <= secondary <= primary", "p32", text)


def potable_below_basic(figures: Figures, _: Context) -> Iterator[Finding]:
    """Safely managed drinking water is a part of basic water supply."""
    basic, potable = figures.get(("EC:I:WS:1C", "")), figures.get(("EC:I:WS:2C", ""))
    if basic and potable and potable.value > basic.value:
        text = f"potable water supply {potable.value:g} % is more than basic water supply {basic.value:g} %"
        yield _finding(potable, "potable below basic", "p68", text)


def parts_within_whole(figures: Figures, _: Context) -> Iterator[Finding]:
    """The numerator of a share is at most its denominator, except where the publisher allows more."""
    for f in figures.values():
        share = f.unit.startswith("%") and f.code not in MAY_EXCEED_100
        if share and f.numerator is not None and f.denominator is not None and f.numerator > f.denominator:
            text = f"numerator {f.numerator:g} is more than denominator {f.denominator:g}"
            yield _finding(f, "a part within its whole", "p31", text)


def denominators(figures: Figures, context: Context) -> Iterator[Finding]:
    """Population and households are the same in all figures of a year: 5 % variation is reported."""
    for f in figures.values():
        name = denominator_of(f.code)
        city = context.denominators.get(name) if name else None
        if f.denominator is None or not city:
            continue
        expected = city / 100_000 if is_per_100_000(f.unit) else city
        varies = _variation(f.denominator, expected)
        if varies > DENOMINATOR_VARIATION:
            text = f"denominator {f.denominator:g} differs by {100 * varies:.1f} % from the city's {name} {expected:g}"
            yield _finding(f, "denominators within 5 %", "p31", text, rejected=False)


def years(figures: Figures, context: Context) -> Iterator[Finding]:
    """More than 10 % change from the newest earlier year is reported; 5 % for population and households."""
    before: dict[Point, Reported] = {}
    for e in sorted(context.earlier, key=lambda e: e.year):
        f = figures.get((e.code, e.part))
        if f and e.year < f.year:
            before[e.code, e.part] = e
    for point, e in before.items():
        f = figures[point]
        yield from _changed(f, "value", e.value, f.value, YEAR_VARIATION, e.year)
        if denominator_of(f.code):
            yield from _changed(f, "denominator", e.denominator, f.denominator, DENOMINATOR_VARIATION, e.year)


def _changed(f: Reported, what: str, old: float | None, new: float | None, most: float, year: int) -> Iterator[Finding]:
    if old and new is not None and _variation(new, old) > most:
        page = "p28" if most == YEAR_VARIATION else "p31"
        text = (
            f"{what} {new:g} differs by {100 * _variation(new, old):.1f} % from {old:g} of {year}; explain it in remark"
        )
        yield _finding(f, f"years within {100 * most:g} %", page, text, rejected=False)


def unusual(figures: Figures, _: Context) -> Iterator[Finding]:
    """Combinations that verifiers check."""
    access = figures.get(("EC:I:ES:3C", ""))
    if access and access.value < 90:
        yield _finding(access, "access to electricity", "p77", f"{access.value:g} % is unusual; check it", False)
    power, water = figures.get(("EC:ICT:ES:1C", "")), figures.get(("EC:ICT:WS:1C", ""))
    if power and water and power.value < water.value:
        text = f"smart electricity meters {power.value:g} % are fewer than smart water meters {water.value:g} %"
        yield _finding(power, "smart meters", "p44", text, False)


def derived_agrees(figures: Figures, context: Context) -> Iterator[Finding]:
    """A reported figure that differs by 10 % from the derived value is reported (a rule of CityVitals)."""
    for point, f in figures.items():
        derived = context.derived.get(point)
        if derived and _variation(f.value, derived) > YEAR_VARIATION:
            text = f"{f.value:g} differs from {derived:g}, derived from readings, by more than 10 %"
            yield _finding(f, "reported against derived", "rule of CityVitals", text, rejected=False)


RULES: tuple[Rule, ...] = (
    percent_range, sums, treatment_order, potable_below_basic, parts_within_whole, denominators, years, unusual,
    derived_agrees,
)  # fmt: skip
