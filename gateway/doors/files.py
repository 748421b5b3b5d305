"""Files dropped into a folder (exports of data loggers): read as recorded files, moved to `done/` when committed.

A file is read once it has not changed for two looks at the folder. It is moved after the last of its rows is on disk,
so that a file of which a part was read when the gateway stopped is read from its start, which changes nothing. Rows
that cannot be used are listed in `done/<file>.rejected.csv`; a file that cannot be read goes to `rejected/` with the
reason beside it.
"""

from __future__ import annotations

import csv
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from adapters.files.table import Chunk, InvalidRow
from gateway.doors.inbox import Inbox
from gateway.doors.threaded import ThreadedDoor
from gateway.incoming import Incoming
from gateway.recorded import How, read
from gateway.routes import Source
from telemetry.errors import Rejected, UsageError, cause
from telemetry.stamps import read_stamp
from telemetry.topics import valid_id

log = logging.getLogger(__name__)

_LOOK_S = 1.0
_RETRY_S = 5.0
_ROWS = 500  # in one message
_LISTED = 10_000  # rows of a file that cannot be used, with the reason; of more there is the number
_Mark = tuple[int, int]


class FilesDoor(ThreadedDoor):
    """One folder. `zone_of`: a city's time zone. Raises UsageError for a folder that is not there."""

    def __init__(self, source: Source, inbox: Inbox, zone_of: Callable[[str], ZoneInfo | None]) -> None:
        assert source.folder is not None  # noqa: S101 - for mypy: only such sources come here
        assert source.city is not None  # noqa: S101 - as above
        super().__init__(f"files {source.folder.path}")
        self._folder, self._inbox, self._city = source.folder, inbox, source.city
        if not self._folder.path.is_dir():
            raise UsageError(f"There is no folder {self._folder.path}; make it, or correct `folder` of this source.")
        self._zone = zone_of(source.city)
        self._before: dict[Path, _Mark] = {}
        self._states: dict[Path, str] = {}  # what was logged last

    def _run(self) -> None:
        while not self._over.wait(_LOOK_S):
            for path in self._whole():
                try:
                    self._take(path)
                except OSError as error:
                    self._log(path, f"{path}: {cause(error)}; trying again")
                if self._over.is_set():
                    return

    def _whole(self) -> list[Path]:
        """The files that have not changed since the last look, in the order of their names; none while the folder is
        not there, as when a share is not mounted.
        """
        now: dict[Path, _Mark] = {}
        try:
            found = sorted(self._folder.path.iterdir())
            self._states.pop(self._folder.path, None)
        except OSError as error:
            found = []
            self._log(self._folder.path, f"{self._folder.path}: {cause(error)}; looking again until it is back")
        for path in found:
            with suppress(FileNotFoundError):  # who wrote it may have removed it meanwhile
                if path.is_file() and not path.name.startswith("."):
                    mark = path.stat()
                    now[path] = mark.st_size, mark.st_mtime_ns
        whole = [path for path, mark in now.items() if self._before.get(path) == mark]
        self._states = {p: state for p, state in self._states.items() if p in now or p == self._folder.path}
        self._before = now
        return whole

    def _log(self, path: Path, sentence: str) -> None:
        """One line for each change."""
        if sentence != self._states.get(path):
            log.warning(sentence)
        self._states[path] = sentence

    def _take(self, path: Path) -> None:
        how, invalid = How(self._folder.family, device=self._folder.device, zone=self._zone), list[InvalidRow]()
        rows = unused = 0
        try:
            for chunk in read(path, how):
                found = list(chunk.invalid)
                messages = list(packs(chunk, self._city, found))
                if messages and not self._stored(messages):
                    return  # the gateway ends
                invalid += found[: _LISTED - len(invalid)]
                rows, unused = rows + len(chunk), unused + len(found)
        except UsageError as error:
            self._move(path, "rejected").with_suffix(path.suffix + ".reason.txt").write_text(f"{error}\n")
            log.warning("%s", error)
            return
        self._list_invalid(self._move(path, "done"), invalid, unused)
        log.info("%s: %d rows stored, %d not used", path.name, rows, unused)

    def _stored(self, messages: list[Incoming]) -> bool:
        """Hand messages over until they are stored; False where the gateway ends before."""
        while not self._over.is_set():
            future = self._inbox.deliver(messages)
            while not self._over.is_set():
                try:
                    if future.result(0.5):
                        return True
                    break
                except NotYet:
                    continue
            self._over.wait(_RETRY_S)
        return False

    def _move(self, path: Path, where: str) -> Path:
        folder = self._folder.path / where
        folder.mkdir(exist_ok=True)
        place, number = folder / path.name, 1
        while place.exists():
            place, number = folder / f"{path.stem}-{number}{path.suffix}", number + 1
        return path.replace(place)

    @staticmethod
    def _list_invalid(path: Path, invalid: list[InvalidRow], unused: int) -> None:
        """List the rows that were not used beside the file. `unused`: how many there are."""
        more = [("", f"{unused - len(invalid)} further rows are not listed", "")] if unused > len(invalid) else []
        if invalid:
            with path.with_suffix(path.suffix + ".rejected.csv").open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows(
                    [("line", "reason", "row"), *((b.line, b.reason, b.text) for b in invalid), *more]
                )


def packs(chunk: Chunk, city: str, invalid: list[InvalidRow]) -> Iterator[Incoming]:
    """A chunk as SenML messages of its devices. Rows that cannot be a record are added to `invalid`."""
    if chunk.is_outages:
        raise UsageError(f"{chunk.path}: an outage log is not read from a folder; use `cityvitals replay`.")
    open_packs: dict[str, list[dict[str, object]]] = {}
    of = _session if chunk.is_sessions else _measurement
    for place, row in enumerate(chunk.rows()):
        try:
            device, record = of(row)
        except (Rejected, ValueError) as error:
            invalid.append(InvalidRow(chunk.lines[place], chunk.text(place), str(error)))
            continue
        pack = open_packs.setdefault(device, [])
        pack.append(record)
        if len(pack) == _ROWS:
            yield _message(city, device, open_packs.pop(device))
    for device, pack in open_packs.items():
        yield _message(city, device, pack)


def _message(city: str, device: str, pack: list[dict[str, object]]) -> Incoming:
    return Incoming(f"file/{city}/{device}", msgspec.json.encode(pack), bulk=True)


def _measurement(row: tuple[str, ...]) -> tuple[str, dict[str, object]]:
    time, device, quantity, value, unit = row
    record: dict[str, object] = {"n": quantity, "v": _number(value), "t": read_stamp(time) / 1000}
    return _id(device), record | ({"u": unit} if unit else {})


def _session(row: tuple[str, ...]) -> tuple[str, dict[str, object]]:
    start, end, device, energy, user = row
    record = {"n": "session_energy", "u": "kWh", "v": _number(energy), "t": read_stamp(start) / 1000}
    key = f"{user.strip().lower()}|{'' if end else energy}"
    return _id(device), {**record, "key": key, **({"end": read_stamp(end) / 1000} if end else {})}


def _id(device: str) -> str:
    if not valid_id(device):
        raise ValueError(f"'{device[:40]}' is not a valid device id")
    return device


def _number(text: str) -> float:
    number = float("nan") if "_" in text else float(text)
    if number - number != 0:
        raise ValueError(f"'{text[:40]}' is not a finite number")
    return number
