"""The same numbers by plain loops over plain lists: no code of planning/ is used here."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Sequence

from tests.planning.recorded_data import Row

HOUR = 3_600_000


def user_curves(rows: Iterable[Row], kw: float, start: int, end: int, step: int) -> dict[str, dict[int, float]]:
    """kW by user and interval: rated power from plug-in until the energy is in, overlap by overlap."""
    curves: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for row in rows:
        if not (start <= row.start < end and row.kwh > 0 and row.user):
            continue
        at, stop = float(row.start), row.start + row.kwh / kw * HOUR
        while at < min(stop, end):
            number = int((at - start) // step)
            until = min(stop, start + (number + 1) * step)
            curves[row.user][number] += kw * (until - at) / step
            at = until
    return curves


def regular_users(rows: Iterable[Row], start: int, end: int, least: float) -> list[str]:
    energy: dict[str, float] = defaultdict(float)
    for row in rows:
        if start <= row.start < end and row.kwh > 0 and row.user:
            energy[row.user] += row.kwh
    return sorted(user for user, kwh in energy.items() if kwh > least)


def peak(curves: Iterable[dict[int, float]]) -> float:
    total: dict[int, float] = defaultdict(float)
    for curve in curves:
        for number, kw in curve.items():
            total[number] += kw
    return max(total.values())


def shortfall(rows: Iterable[Row], kw: float, limit: float | Sequence[float], start: int, end: int, step: int) -> float:
    """Share of the energy an earliest-deadline-first schedule leaves unserved; a heap for each interval.

    `limit`: kW, of all intervals or of each.
    """
    cars = []
    for row in rows:
        if start <= row.start < end and row.kwh > 0:
            alone = row.start + row.kwh / kw * HOUR
            cars.append([row.start, max(row.end or 0, alone), row.kwh])
    cars.sort()
    total, lost, present, following = sum(c[2] for c in cars), 0.0, list[int](), 0
    for number, begin in enumerate(range(start, end, step)):
        while following < len(cars) and cars[following][0] < begin + step:
            present.append(following)
            following += 1
        heap = [(cars[i][1], i) for i in present]
        heapq.heapify(heap)
        room = max(limit if isinstance(limit, float | int) else limit[number], 0.0) * step / HOUR
        while heap:
            deadline, i = heapq.heappop(heap)
            time = min(deadline, begin + step) - max(cars[i][0], begin)
            given = min(cars[i][2], kw * time / HOUR, room)
            cars[i][2] -= given
            room -= given
        lost += sum(cars[i][2] for i in present if cars[i][1] <= begin + step)
        present = [i for i in present if cars[i][1] > begin + step and cars[i][2] > 1e-12]
    return lost / total


def percentile(values: Sequence[float], share: float) -> float:
    """Linear between the two nearest."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
