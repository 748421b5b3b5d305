"""The work of `replay` and `kpi backfill`: open files and store, run, print the result."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from adapters.stores import open_store
from cityvitals.clock import now_ms
from cityvitals.operation.recover import only_one
from cityvitals.past_store import existing_store
from cityvitals.replay import replay
from gateway.recorded import How
from ingest.core import Ingest
from registry.city import City
from reporting.city_file import read_city
from telemetry.errors import UsageError
from telemetry.windows import parse_width

console = Console(stderr=True)


def replay_command(files: list[Path], city: Path, store: str, speed: str, width: str, through: str, how: How) -> None:
    """`cityvitals replay`. `how`: the files are to be read."""
    pace = _speed(speed)
    for path in files:
        if path.is_dir():
            raise UsageError(f"{path} is a folder; give the path of a file.")
        if not path.is_file():
            raise UsageError(f"There is no file {path}.")
    loaded = read_city(city)
    how = replace(how, zone=loaded.zone)
    if through:
        _through(loaded, files, store, pace, through, how)
        return
    if not store:
        raise UsageError("Name the destination: --store sqlite:///city.db, or --through mqtt://host:port.")
    buffer = replay.buffer_path(store, loaded.id)
    with only_one(buffer), _progress() as bar:
        work = replay.Replay(loaded, open_store(store), buffer, parse_width(width))
        summary = replay.run(work, files, pace, _shown(bar), how)
    print_summary(summary)


def _through(city: City, files: list[Path], store: str, pace: float | None, url: str, how: How) -> None:
    """Replay over a broker; with a store, wait until everything has arrived there."""
    from cityvitals.replay import through as through_broker  # noqa: PLC0415 - needs the MQTT library, replay does not

    with _progress() as bar:
        summary = through_broker.run(city, url, files, pace, _shown(bar), how)
        if store:
            arriving = bar.add_task("arriving", total=summary.rows)
            began = time.perf_counter()
            summary.stored = through_broker.follow(
                open_store(store), city, files, lambda n: bar.update(arriving, completed=n), how
            )
            summary.seconds += time.perf_counter() - began
    print_summary(summary)


def _shown(bar: Progress) -> replay.Progress:
    """A bar for each kind of work, with its total."""
    tasks: dict[str, TaskID] = {}

    def advance(name: str, done: int, total: int | None = None) -> None:
        if name not in tasks:
            tasks[name] = bar.add_task(name, total=total)
        if name == "reading" and done == total:  # the end: what was read twice or not at all does not matter
            bar.update(tasks[name], completed=total)
            return
        if total is not None and name == "folding" and done == 0:
            bar.update(tasks[name], total=total, completed=0)
        bar.advance(tasks[name], done)

    return advance


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        pace = float(text)
    except ValueError:
        pace = 0.0
    if not 0 < pace < 1e9:
        raise UsageError(
            f"'{text}' is not a valid --speed; use 'max' or the number of recorded seconds a second, for example 3600."
        )
    return pace


def _progress() -> Progress:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=console, transient=True)


def print_summary(s: replay.Summary) -> None:
    """Print the summary as lines `name value`."""
    out = Console(highlight=False)
    out.print(f"rows read           {s.rows:>12,}")
    out.print(f"readings stored     {s.stored:>12,}")
    out.print(f"duplicates          {s.duplicates:>12,}")
    out.print(f"flagged             {s.flagged:>12,}")
    out.print(f"rejected            {s.rejected:>12,}")
    out.print(f"windows written     {s.windows:>12,}")
    out.print(f"KPI values changed  {s.kpis:>12,}")
    out.print(f"seconds             {s.seconds:>12.2f}")
    out.print(f"readings per second {s.per_second:>12,.0f}")
    for sentence in s.problems[:10]:
        console.print(sentence, markup=False, highlight=False, soft_wrap=True)
    if s.flagged + s.rejected > len(s.problems[:10]):
        console.print("All of them: cityvitals rejects list --buffer <the store's file>", markup=False, soft_wrap=True)
    if s.deleted:
        sentence = "were not stored: the store's windows of their time are deleted (store.keep_windows_days)"
        console.print(f"{s.deleted:,} windows {sentence}", markup=False, soft_wrap=True)
    if s.unasked:
        names = ", ".join(f"{name} ({n:,})" for name, n in sorted(s.unasked.items(), key=lambda x: -x[1])[:10])
        console.print(f"Not mapped to a quantity, so skipped: {names}", markup=False, soft_wrap=True)
    if s.unregistered:
        names = ", ".join(f"{name} ({n:,})" for name, n in sorted(s.unregistered.items())[:10])
        console.print(f"Not in the city file, so not part of any KPI: {names}", markup=False, soft_wrap=True)


def backfill_command(city: Path, url: str, from_windows: bool) -> None:
    """`cityvitals kpi backfill`."""
    loaded, store = read_city(city), existing_store(url)
    record = store.city(loaded.id)
    if record is None:
        raise UsageError(f"The store contains no data of '{loaded.id}'; run `cityvitals replay` first.")
    ingest = Ingest(store).add_city(loaded, record.width)
    out = Console(highlight=False)
    if from_windows:
        out.print(f"windows read        {ingest.rebuild_hours():>12,}")
    if not ingest.file_changed:
        ingest.touch_everything()
    changed = ingest.derive(now_ms())
    out.print(f"KPI values changed  {len(changed):>12,}")
    for sentence in ingest.change_report:
        out.print(sentence, markup=False, soft_wrap=True)
