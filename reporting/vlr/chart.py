"""A picture of a goal's figures over the years: small charts in the same order as the table, targets as lines."""

from __future__ import annotations

import io

from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import MaxNLocator

from reporting.figures.figures import official
from reporting.sdg.view import GoalView
from reporting.vlr.content import Review

_COLUMNS, _MOST = 3, 9


def chart(review: Review, goal: GoalView) -> bytes | None:
    """A PNG; None without a figure that has two years. At most nine figures."""
    mine = [
        f for f in official(review.figures) if f.code in goal.kpis and len(review.years.get((f.code, f.part), [])) > 1
    ]
    if not mine:
        return None
    shown = mine[:_MOST]
    rows = -(-len(shown) // _COLUMNS)
    canvas = Canvas(figsize=(9, 1.9 * rows), layout="constrained")
    grid = canvas.subplots(rows, _COLUMNS, squeeze=False)
    for axes in grid.flat[len(shown) :]:
        axes.set_visible(False)
    for axes, f in zip(grid.flat, shown, strict=False):
        years = review.years[f.code, f.part]
        axes.plot(
            [y for y, _ in years], [v for _, v in years], color="#1f5f8b", marker="o", markersize=3, linewidth=1.4
        )
        target = review.targets.get((f.code, f.part))
        if target:
            axes.axhline(target.value, color="#c62828", linewidth=1, linestyle="--")
        axes.set_title(f"{f.name}"[:38], fontsize=8, loc="left")
        axes.set_ylabel(f.unit[:18], fontsize=7)
        axes.tick_params(labelsize=7, length=0)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    out = io.BytesIO()
    canvas.savefig(out, format="png", dpi=130, metadata={"Software": None})
    return out.getvalue()
