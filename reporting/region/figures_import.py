"""One file with the figures of many cities: the columns of `kpi form` and `city`; checked by the rules, all or none."""

from __future__ import annotations

import csv
import gzip
import io
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

import msgspec

from adapters.retried import retried
from adapters.store import CityRecord, Store
from kpi_derivation.engine.values import revise
from registry.city import City
from reporting.dashboard_rows import put_rows
from reporting.figures.file import COLUMNS, check_header, figure_of, row_of
from reporting.figures.reported import Reported, as_value, from_value, is_reported
from reporting.figures.rules import Context, Finding, check
from telemetry.errors import Unavailable, UsageError, cause, nearest
from telemetry.kpi_value import KpiQuery, StoredKpi
from telemetry.windows import MINUTE

log = logging.getLogger(__name__)

_MOST = 20
Progress = Callable[[int], None]


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """The result. `findings`: what a verifier would check, by city; `first`: a sentence for some of them."""

    figures: int
    changed: int
    cities: int
    years: list[int]
    findings: int
    first: list[str]
    notes: list[str]


def import_figures(
    store: Store,
    path: Path,
    cities: Sequence[City],
    now: int,
    strict: bool = False,
    progress: Progress = lambda _: None,
) -> Imported:
    """Check and store a file. `cities`: those that the store does not have yet, or has otherwise. `now`: ms UTC.

    Raises UsageError with a sentence (file, line, rule) for what is wrong; nothing is stored then.
    """
    known = {r.id: City.model_validate(r.config) for r in retried(store.cities)}
    merged = known | {c.id: _joined(c, known.get(c.id)) for c in cities}
    given = _read(path, merged, progress)
    old = {city: _stored(store, city) for city in given if city in known}
    found, wrong = _checked(path, given, merged, old, strict)
    if wrong:
        more = f"\nand {len(wrong) - _MOST} more." if len(wrong) > _MOST else ""
        raise UsageError("\n".join(wrong[:_MOST]) + more)
    changed = {c: list(_changed(merged[c], figures, old.get(c, {}), now)) for c, figures in given.items()}
    for city in merged.values():
        if known.get(city.id) != city:
            record = CityRecord(city.id, city.model_dump(mode="json", exclude_defaults=True), MINUTE)
            retried(partial(store.put_city, record))
    _put(store, changed)
    for name, values in changed.items():
        every = (old.get(name, {}) | {v.kpi.identity: v for v in values}).values()
        retried(partial(put_rows, store, every, merged[name], known.get(name)))
    return Imported(
        figures=sum(map(len, given.values())), changed=sum(map(len, changed.values())), cities=len(given),
        years=sorted({f.year for figures in given.values() for f in figures}), findings=len(found), first=found[:_MOST],
        notes=[],
    )  # fmt: skip


def _stored(store: Store, city: str) -> dict[tuple[str, str, str, str, int], StoredKpi]:
    """The values of years of a city."""
    return {v.kpi.identity: v for v in retried(partial(store.kpis, KpiQuery(city, ["year"])))}


def _put(store: Store, changed: dict[str, list[StoredKpi]]) -> None:
    """All values at once, in one transaction where the store has them; of a server that is too busy, city by city."""
    try:
        store.put_kpis([v for values in changed.values() for v in values])
    except Unavailable as error:
        log.warning("the values are written city by city: %s", error)
        for values in changed.values():
            retried(partial(store.put_kpis, values))


def _joined(new: City, old: City | None) -> City:
    """The new denominators, beside the devices, rules and targets that the store has for the city already."""
    if old is None:
        return new
    numbers = old.city.model_copy(update={k: v for k, v in dict(new.city).items() if k in new.city.model_fields_set})
    return old.model_copy(update={"city": numbers, **({"target": new.target} if new.target else {})})


def _text_of(lines: Iterable[str], path: Path) -> Iterator[str]:
    """The lines. Raises UsageError where the file is not text."""
    try:
        yield from lines
    except (UnicodeError, OSError, EOFError) as error:
        raise UsageError(f"{path} cannot be read: {cause(error)}.") from None


def _read(path: Path, cities: dict[str, City], progress: Progress) -> dict[str, list[Reported]]:
    """The figures by city. Raises UsageError."""
    found: dict[str, list[Reported]] = {}
    seen: dict[tuple[str, str, str, int], int] = {}
    wrong: list[str] = []
    with _opened(path) as file:
        reader = csv.reader(_text_of(file, path))
        header = [cell.strip().lower() for cell in next(reader, [])]
        place = _city_column(header, path)
        plain = [c for c in header if c != "city"]
        check_header(plain, f"{path}, line 1")
        for cells in reader:
            if not any(cells):
                continue
            try:
                city = _known(cells, place, cities)
                figure = figure_of(row_of(plain, cells[:place] + cells[place + 1 :]), reader.line_num)
                identity = (city, figure.code, figure.part, figure.year)
                if identity in seen:
                    raise ValueError(
                        f"{figure.code} of {city} for {figure.year} stands in line {seen[identity]} already"
                    )
                seen[identity] = reader.line_num
                found.setdefault(city, []).append(figure)
            except ValueError as error:
                wrong.append(f"{path}, line {reader.line_num}: {error}.")
            if reader.line_num % 10_000 == 0:
                progress(10_000)
    if wrong or not found:
        more = f"\nand {len(wrong) - _MOST} more." if len(wrong) > _MOST else ""
        raise UsageError("\n".join(wrong[:_MOST]) + more if wrong else f"{path} contains no figures.")
    return found


def _opened(path: Path) -> io.TextIOBase:
    try:
        if path.suffix == ".gz":
            return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
        return path.open(encoding="utf-8-sig", newline="")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}.") from None


def _city_column(header: list[str], path: Path) -> int:
    if "city" not in header:
        raise UsageError(
            f"{path}, line 1: missing city; the first line names the columns: city,{','.join(COLUMNS)}. "
            "For one city use `cityvitals kpi report`."
        )
    return header.index("city")


def _known(cells: list[str], place: int, cities: dict[str, City]) -> str:
    city = cells[place].strip() if place < len(cells) else ""
    if city not in cities:
        raise ValueError(f"there is no city '{city}'; {nearest(city, cities).rstrip('.')}, or list it with --cities")
    return city


def _checked(
    path: Path, given: dict[str, list[Reported]], cities: dict[str, City],
    old: dict[str, dict[tuple[str, str, str, str, int], StoredKpi]], strict: bool,
) -> tuple[list[str], list[str]]:  # fmt: skip
    """Sentences for what is to be checked, and for what is rejected."""
    found, wrong = list[str](), list[str]()
    for city, figures in given.items():
        stored = [v.kpi for v in old.get(city, {}).values()]
        known = [from_value(v) for v in stored if is_reported(v)]
        merged = {(f.code, f.part, f.year): f for f in (*known, *figures)}
        numbers = {name: getattr(cities[city].city, name) for name in ("population", "households")}
        lines = {(f.code, f.part, f.year): f.line for f in figures}
        for year in sorted({f.year for f in figures}):
            derived = {
                (v.code, v.part): v.value for v in stored if v.period == f"{year:04}" and not is_reported(v) and v.value
            }
            earlier = [f for f in merged.values() if f.year < year]
            context = Context(denominators=numbers, earlier=earlier, derived=derived)
            for finding in check([f for f in merged.values() if f.year == year], context):
                sentence = _sentence(path, city, finding, lines)
                (wrong if finding.rejected or strict else found).append(sentence)
    return found, wrong


def _sentence(path: Path, city: str, f: Finding, lines: dict[tuple[str, str, int], int]) -> str:
    line = lines.get((f.code, f.part, f.year))
    place = f"{path}, line {line}" if line else f"{path} (with the stored figures of {f.year})"
    page = f", {f.page}" if f.page else ""
    return f"{place}: {city} {f.code} {f.part}".rstrip() + f": {f.text} (rule: {f.rule}{page})."


def _changed(
    city: City, figures: Iterable[Reported], old: dict[tuple[str, str, str, str, int], StoredKpi], now: int
) -> Iterable[StoredKpi]:
    zone = city.zone
    for figure in figures:
        value = as_value(figure, city.id, zone)
        stored = revise(old.get(value.identity), value, now, 0.0)
        if stored is not None:
            yield stored
