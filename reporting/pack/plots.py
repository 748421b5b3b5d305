"""The plots of a pack as PNG: stations, coverage, months and the wheel. Reproducible byte for byte."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from kpi_derivation.catalogue import KPIS
from reporting.proof.proof import Proof
from reporting.wheel import COLOURS, wedges
from telemetry.kpi_value import KpiValue

if TYPE_CHECKING:
    from reporting.pack.content import Pack

_BLUE, _GREY, _RED = "#1f5f8b", "#c3cbd0", "#c62828"
_UNITS = {"ug/m3": "µg/m³", "/": "", "count": ""}
_NAMES = {"pm2_5": "PM2.5", "pm10": "PM10", "no2": "NO₂", "so2": "SO₂", "o3": "O₃"}


def _titled(name: str, unit: str) -> str:
    """A name with its unit, where it has one to print."""
    return ", ".join(filter(None, (name, _UNITS.get(unit, unit))))


def _part(part: str) -> str:
    """The name of a data point: `no2` and `no2_hours` are of the gas."""
    quantity = next((q for q in _NAMES if part == q or part.startswith(f"{q}_")), "")
    return (_NAMES.get(quantity, "") + part.removeprefix(quantity)).replace("_", " ")


def plots(pack: Pack) -> dict[str, bytes]:
    """File name -> PNG of the plots for which there are data."""
    drawn = {
        "stations.png": _stations(pack),
        "coverage.png": _coverage(pack),
        "months.png": _months(pack),
        "wheel.png": _wheel(pack),
    }
    return {name: _png(canvas) for name, canvas in drawn.items() if canvas is not None}


def _png(canvas: Canvas) -> bytes:
    out = io.BytesIO()
    canvas.savefig(
        out, format="png", dpi=130, metadata={"Software": None}
    )  # otherwise it contains the library's version
    return out.getvalue()


def _plain(axes: Axes) -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0)
    axes.set_axisbelow(True)


def _stations(pack: Pack) -> Canvas | None:
    """Each pollutant's station means, the city's mean and the city's target."""
    proofs = [p for p in pack.proofs if p.value.code == "EN:EN:AQ:1C" and any(d.mean is not None for d in p.devices)]
    if not proofs:
        return None
    sizes = [sum(d.mean is not None for d in p.devices) + 1.2 for p in proofs]
    canvas = Canvas(figsize=(9, 0.9 + 0.34 * sum(sizes)), layout="constrained")
    grid = canvas.subplots(len(proofs), 1, squeeze=False, gridspec_kw={"height_ratios": sizes})
    for axes, proof in zip(grid[:, 0], proofs, strict=True):
        _station_bars(axes, proof)
        target = pack.targets.get((proof.value.code, proof.value.part))
        if target:
            axes.axvline(target.value, color=_RED, linestyle="--", linewidth=1.2)
            axes.set_title(f"city's target {target.value:g}", loc="right", fontsize=9, color=_RED)
    canvas.suptitle(f"Air: station means, {pack.title} (grey: excluded; line: city)", fontsize=12)
    return canvas


def _station_bars(axes: Axes, proof: Proof) -> None:
    shown = [d for d in proof.devices if d.mean is not None]
    names = [d.site or d.device for d in shown]
    names = [n if names.count(n) == 1 else d.device for n, d in zip(names, shown, strict=True)]
    means = [d.mean or 0.0 for d in shown]
    axes.barh(range(len(shown)), means, color=[_GREY if d.left_out else _BLUE for d in shown], height=0.7)
    # The numbers are beside the names, where no line crosses them.
    axes.set_yticks(range(len(shown)), [f"{n}   {m:.1f}" for n, m in zip(names, means, strict=True)])
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.tick_params(labelsize=8)
    value, name = proof.value.value, _titled(_part(proof.value.part), proof.value.unit)
    axes.set_title(f"{name}: {'insufficient' if value is None else f'city {value:.2f}'}", loc="left", fontsize=10)
    if value is not None:
        axes.axvline(value, color="#263238", linewidth=1.2)
    _plain(axes)


def _coverage(pack: Pack) -> Canvas | None:
    """The coverage of each derived value, and the city's rule."""
    shown = [p for p in pack.proofs if p.value.n_devices or p.value.value is not None]
    if not shown:
        return None
    canvas = Canvas(figsize=(9, 1.2 + 0.3 * len(shown)), layout="constrained")
    axes = canvas.subplots()
    names = [f"{p.name}: {_part(p.value.part)}" if p.value.part else p.name for p in shown]
    shares = [100 * p.value.coverage for p in shown]
    colours = [_GREY if p.value.value is None else _BLUE for p in shown]
    bars = axes.barh(range(len(shown)), shares, color=colours, height=0.7)
    axes.bar_label(bars, labels=[f"{s:.1f} %" for s in shares], padding=3, fontsize=8)
    axes.set_yticks(range(len(shown)), names, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, 112)
    axes.axvline(100 * pack.city.rules.period_capture, color=_RED, linestyle="--", linewidth=1.2)
    canvas.suptitle(f"Coverage of derived values, {pack.title} (line: the rule; grey: insufficient)", fontsize=11)
    _plain(axes)
    return canvas


def _months(pack: Pack) -> Canvas | None:
    """Small multiples of the months of every derived figure that has at least two."""
    groups: dict[tuple[str, str], list[KpiValue]] = {}
    for value in pack.months:
        if value.value is not None:
            groups.setdefault((value.code, value.part), []).append(value)
    shown = {key: found for key, found in groups.items() if len(found) > 1}
    if not shown:
        return None
    lines = math.ceil(len(shown) / 2)
    canvas = Canvas(figsize=(9, 0.5 + 1.75 * lines), layout="constrained")
    grid = canvas.subplots(lines, 2, squeeze=False)
    for axes in grid.flat[len(shown) :]:
        axes.set_visible(False)
    for axes, ((code, _), found) in zip(grid.flat, shown.items(), strict=False):
        month_bars(axes, KPIS[code].name, found)
    canvas.suptitle(f"Months, {pack.title}", fontsize=12)
    return canvas


def month_bars(axes: Axes, name: str, found: Sequence[KpiValue]) -> None:
    """The months of one data point of the KPI `name`, from zero on."""
    values = [v.value or 0.0 for v in found]
    axes.bar(range(len(found)), values, color=_BLUE, width=0.75)
    if not any(values):
        axes.set_ylim(0, 1)  # otherwise it reaches as far below zero as above
    axes.set_xticks(range(len(found)), [v.period[5:] for v in found], fontsize=7)
    axes.tick_params(axis="y", labelsize=7)
    name += f": {_part(found[0].part)}" if found[0].part else ""
    axes.set_title(_titled(name, found[0].unit), loc="left", fontsize=9)
    axes.grid(axis="y", color="#e3e7e9", linewidth=0.6)
    _plain(axes)


def _wheel(pack: Pack) -> Canvas:
    """The snapshot for paper: the band of a category is the number of its filled cells."""
    canvas = Canvas(figsize=(8.4, 6.6), layout="constrained")
    axes = canvas.add_subplot(projection="polar")
    parts = wedges(pack.figures, pack.scores)
    step = 2 * math.pi / len(parts)
    for i, wedge in enumerate(parts):
        angle = math.pi / 2 - (i + 0.5) * step
        band = wedge.score.band
        for cell in range(4):
            colour = COLOURS[band] if band and cell < band else COLOURS[None]
            axes.bar(angle, 0.94, width=step * 0.96, bottom=2 + cell, color=colour)
        side = "left" if math.cos(angle) > 0 else "right"
        share = "" if wedge.score.share is None else f" {100 * wedge.score.share:.0f} %"
        axes.text(angle, 6.25, wedge.name + share, ha=side, va="center", fontsize=8)
    axes.set_ylim(0, 6.2)
    axes.axis("off")
    return canvas
