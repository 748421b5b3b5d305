"""Keep a local copy of the KPI values of a CityVitals server up to date, by polling only what has changed.

    python index_client.py http://localhost:8000 copy.db [--every 60] [--kind year]

The copy is one SQLite file: table `kpi` with one row a value, table `place` with where to go on. Values and place are
written in one transaction, so a client that is killed goes on where its copy ends. Needs nothing but Python.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from contextlib import closing
from typing import Any

VERSION = 1
COLUMNS = (
    "city", "code", "part", "kind", "start", "end", "period", "value", "unit", "coverage", "status", "n_devices",
    "revision", "previous", "method", "origin", "notes", "changed", "updated", "licence",
)  # fmt: skip
SCHEMA = f"""
CREATE TABLE IF NOT EXISTS kpi ({", ".join(f'"{c}"' for c in COLUMNS)}, PRIMARY KEY (city, code, part, kind, start));
CREATE TABLE IF NOT EXISTS place (feed TEXT PRIMARY KEY, cursor TEXT, etag TEXT);
"""


class IndexClient:
    """A copy of one feed. `kinds`: only these kinds of periods; a copy keeps to the kinds it began with."""

    def __init__(self, server: str, path: str, kinds: Sequence[str] = ()) -> None:
        self._feed = f"{server.rstrip('/')}/v1/index/kpis"
        self._kinds = list(kinds)
        self._name = f"{self._feed} {' '.join(sorted(kinds))}".strip()
        self._db = sqlite3.connect(path)
        self._db.executescript(SCHEMA)

    def poll(self) -> int:
        """Take what has changed since the last poll; returns how many values that was."""
        changed = 0
        while (page := self._page()) is not None:
            changed += len(page["values"])
            if not page["more"]:
                break
        return changed

    def _page(self) -> dict[str, Any] | None:
        """The next page, already kept; None where nothing has changed."""
        cursor, etag = self._place()
        query = [*(("kind", kind) for kind in self._kinds), *([("cursor", cursor)] if cursor else [])]
        request = urllib.request.Request(f"{self._feed}?{urllib.parse.urlencode(query)}")  # noqa: S310 - the user's server
        if etag:
            request.add_header("If-None-Match", etag)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                page: dict[str, Any] = json.load(answer)
                tag = answer.headers.get("ETag") or ""
        except urllib.error.HTTPError as error:
            if error.code == 304:
                return None
            raise
        if page["version"] != VERSION:
            raise SystemExit(f"The server sends version {page['version']} of the feed; this client supports {VERSION}.")
        # The tag belongs to the question that was asked: with another cursor the next question is another one.
        self._keep(page, tag if page["cursor"] == cursor else "")
        return page

    def _place(self) -> tuple[str, str]:
        row = self._db.execute("SELECT cursor, etag FROM place WHERE feed=?", (self._name,)).fetchone()
        return (row[0], row[1]) if row else ("", "")

    def _keep(self, page: dict[str, Any], etag: str) -> None:
        rows = [{**value, "licence": page["licences"].get(value["city"])} for value in page["values"]]
        marks = ", ".join(f":{c}" for c in COLUMNS)
        with self._db:
            self._db.executemany(f"INSERT OR REPLACE INTO kpi VALUES ({marks})", rows)  # noqa: S608 - fixed names
            self._db.execute("INSERT OR REPLACE INTO place VALUES (?, ?, ?)", (self._name, page["cursor"], etag))

    def values(self) -> list[dict[str, Any]]:
        """The whole copy, sorted by its key."""
        cursor = self._db.execute("SELECT * FROM kpi ORDER BY city, code, part, kind, start")
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def close(self) -> None:
        """Release the file."""
        self._db.close()


def main() -> None:
    """Poll once, or repeatedly with --every."""
    parser = argparse.ArgumentParser(description="Keep a local copy of a CityVitals server's KPI values.")
    parser.add_argument("server")
    parser.add_argument("copy")
    parser.add_argument("--every", type=float, help="seconds between polls; without it poll once")
    parser.add_argument("--kind", action="append", default=[], help="only this kind of period, like year")
    options = parser.parse_args()
    with closing(IndexClient(options.server, options.copy, options.kind)) as client:
        while True:
            sys.stdout.write(f"{client.poll()} values changed\n")
            if options.every is None:
                return
            time.sleep(options.every)


if __name__ == "__main__":
    main()
