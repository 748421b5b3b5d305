"""Which dirty windows of the gateway's buffer are sent together, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

Window = tuple[int, int]  # series and start, ms UTC
Windows = Sequence[Window]


class Turn(NamedTuple):
    """Whose turn it is: `first` before all others, never `skip`; the others from the one that follows `after` on, and
    when there are none left, from the first of all.
    """

    skip: Windows = ()
    first: Windows = ()
    after: Window | None = None


USUAL = Turn()


def chosen(limit: int, newest_first: bool, condition: str, turn: Turn) -> str:
    """A query for window, series and generation of up to `limit` dirty windows for which the `condition` holds."""
    order, follows, precedes = ("DESC", "<", ">=") if newest_first else ("ASC", ">", "<=")
    others = f"message = 0 AND {condition}"
    if turn.skip:
        others += f" AND (window, series) NOT IN ({_values(turn.skip)})"
    parts = [others]
    if turn.first:
        parts = [f"{others} AND (window, series) IN ({_values(turn.first)})"]
        others += f" AND (window, series) NOT IN ({_values(turn.first)})"
        parts.append(others)
    if turn.after:
        last = f"({turn.after[1]:d}, {turn.after[0]:d})"
        parts[-1:] = [f"{others} AND (window, series) {sign} {last}" for sign in (follows, precedes)]
    query = (
        "SELECT * FROM (SELECT window, series, generation FROM dirty"  # noqa: S608 - numbers and fixed text
        f" WHERE {{}} ORDER BY window {order}, series {order} LIMIT {limit:d})"
    )
    return " UNION ALL ".join(query.format(part) for part in parts) + f" LIMIT {limit:d}"


def _values(windows: Windows) -> str:
    return "VALUES " + ",".join(f"({start:d},{series:d})" for series, start in windows)
