"""Shares of classes among the passenger vehicles that counters saw (by plate or camera). Pure."""

from __future__ import annotations

from collections.abc import Callable

from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.presence import captures_of_time
from kpi_derivation.rules.reasons import low, no_data, no_device, undefined, without_value
from registry.city import DeviceKind

COUNTERS: tuple[DeviceKind, ...] = ("traffic_counter",)


def classified_share(quantity: str) -> Callable[[View], list[Part]]:
    """A derivation: 100 * the vehicles of one class (`quantity`) / all vehicles of a known class."""

    def derive(view: View) -> list[Part]:
        """One part, without a name."""
        few, known = (view.rows(q, COUNTERS) for q in (quantity, "vehicles_classified"))
        cars, rule = float(known.sum.sum()), view.city.rules.period_capture
        coverage, n = captures_of_time(view, known)[1], int((known.n > 0).sum())
        if not len(known) or not len(few):
            why = no_device("no traffic counter that classifies vehicles is registered")
        elif not n:
            why = no_data("no classified vehicle in the period")
        elif coverage < rule:
            why = low(coverage, rule, "counter-time coverage")
        elif not cars:
            why = undefined("nothing was classified")
        else:
            seen = float(few.sum.sum())
            return [Part(value=100.0 * seen / cars, coverage=coverage, n_devices=n, numerator=seen, denominator=cars)]
        return [without_value(why, coverage, n)]

    return derive
