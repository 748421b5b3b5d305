"""The work of `cityvitals region import`: read the files, show the progress, print the result."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from adapters.store import Store
from registry.city import City
from reporting.goals.stored import entries_of
from reporting.region.cities_file import read_cities
from reporting.region.figures_import import import_figures
from reporting.targets import targets as checked_targets
from telemetry.errors import UsageError, cause

_SHOWN = 10


def import_command(store: Store, file: Path, cities: Path | None, targets: Path | None, strict: bool, now: int) -> str:
    """The result in sentences. Raises UsageError; nothing is stored then."""
    entries = entries_of(targets) or []
    checked_targets(entries)
    if entries and cities is None:
        raise UsageError("Give --cities together with --targets: the targets are stored with these cities.")
    found, notes = list[City](), list[str]()
    if cities is not None:
        try:
            text = cities.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{cities} cannot be read: {cause(error)}.") from None
        found, notes = read_cities(text, str(cities), entries)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading figures", total=None)
        result = import_figures(store, file, found, now, strict, lambda n: bar.advance(task, n))
    years = f"{result.years[0]} to {result.years[-1]}" if len(result.years) > 1 else str(result.years[0])
    lines = [
        f"{result.figures:,} figures of {result.cities:,} cities for {years} stored, {result.changed:,} new or changed."
    ]
    if result.findings:
        lines.append(f"{result.findings:,} figures that a verifier would check, for example:")
        lines += [f"  {sentence}" for sentence in result.first[:_SHOWN]]
    lines += [f"check {note}" for note in notes[:_SHOWN]]
    return "\n".join(lines) + "\n"
