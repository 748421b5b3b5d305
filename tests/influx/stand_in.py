"""An InfluxDB 3 Core as its documents and source describe it (docs.influxdata.com/influxdb3/core, 3.10).

It refuses what the real one refuses: a request without the token, other names of parameters and precisions, a line of
another type of field or with other tags than its table has, InfluxQL that version 3 does not have. What it accepts is
kept and queried in a real InfluxDB 1.x, whose answers have the same form. The name `<database>/<policy>` is a database
of its own, as in version 3. The last write of a row counts here; the real one does not guarantee that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from threading import Lock, Thread
from urllib.error import HTTPError
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from tests.servers import InfluxDB, QuietServer, fetch

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(/[A-Za-z0-9_-]+)?")
_LINE = re.compile(r'((?:\\.|[^\\ ])+) ((?:[^" ]|"(?:\\.|[^"\\])*")+)(?: (-?\d+))?')
_FIELD = re.compile(r'([^=,]+)=("(?:\\.|[^"\\])*"|[^,]*)(?:,|$)')
_STATEMENTS = re.compile(r"""(?:[^;'"]|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")+""")
_FROM = re.compile(r'"((?:\\.|[^"\\])+)"\."((?:\\.|[^"\\])+)"\."')
_KNOWN = re.compile(r"(SELECT|EXPLAIN|SHOW (DATABASES|MEASUREMENTS|(FIELD|TAG) KEYS|TAG VALUES|RETENTION POLICIES))\b")
_POLICIES = re.compile(r'SHOW RETENTION POLICIES(?: ON "([^"]+)")?$')
_PRECISIONS = {"auto": "", "nanosecond": "ns", "microsecond": "u", "millisecond": "ms", "second": "s"}
_WRITE = {"db", "precision", "accept_partial", "no_sync"}
_QUERY = {"db", "q", "epoch", "chunked", "chunk_size", "pretty", "rp", "params"}
Answer = tuple[int, bytes]


class Refused(ValueError):
    """A line, with the reason."""


@dataclass
class Table:
    """The columns that the first lines gave it."""

    tags: tuple[str, ...]
    fields: dict[str, str]


@dataclass
class InfluxDB3:
    """`behind`: keeps and queries, `prefix`: of databases there. `most`: databases; `largest`: bytes of a request."""

    behind: InfluxDB
    token: str = "apiv3_token"
    prefix: str = "three-"
    most: int = 5
    largest: int = 10 << 20
    port: int = 0
    databases: dict[str, str] = field(default_factory=dict)  # name -> retention as InfluxQL has it, INF for none
    tables: dict[tuple[str, str], Table] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """Status and body."""
        place, given = urlsplit(path).path, dict(parse_qsl(urlsplit(path).query))
        self.asked.append(f"{method} {path}")
        if headers.get("Authorization") != f"Bearer {self.token}":
            return 401, b""
        kind = headers.get("Content-Type", "")
        with self.lock:
            if (method, place) == ("POST", "/api/v3/write_lp"):
                return self._write(given, body)
            if (method, place) == ("POST", "/api/v3/configure/database"):
                return self._configure(json.loads(body)) if kind == "application/json" else (415, b"")
        if (method, place) == ("GET", "/api/v3/configure/database"):
            listed = [{"iox::database": name} for name in sorted(self.databases)]
            return (200, json.dumps(listed).encode()) if given == {"format": "json"} else (400, b"format")
        if (method, place) == ("POST", "/query"):
            form = kind == "application/x-www-form-urlencoded"
            return self._query(dict(parse_qsl(body.decode()))) if form else (400, b"content type")
        return (200, b'{"version":"3.10.0"}') if place == "/ping" else (404, b"not found")

    # -- databases -----------------------------------------------------------------------------------------------------

    def _configure(self, asked: dict[str, str]) -> Answer:
        name = asked.get("db", "")
        if not _NAME.fullmatch(name) or set(asked) - {"db", "retention_period"}:
            return 400, b"invalid character in database or rp name"
        if name in self.databases:
            return 409, b"attempted to create a resource that already exists"
        return self._create(name, asked.get("retention_period", "INF"))

    def _create(self, name: str, kept: str) -> Answer:
        if len(self.databases) == self.most:
            return 422, b"Adding a new database would exceed limit of 5 databases"
        self.behind.query(f'CREATE DATABASE "{self._inner(name)}" WITH DURATION {kept}')
        self.databases[name] = kept
        return 200, b""

    def drop(self, name: str) -> None:
        """Delete a database."""
        self.behind.query(f'DROP DATABASE "{self._inner(name)}"')
        del self.databases[name]
        self.tables = {key: table for key, table in self.tables.items() if key[0] != name}

    def _inner(self, name: str) -> str:
        return self.prefix + name.replace("/", "--")

    # -- writing -------------------------------------------------------------------------------------------------------

    def _write(self, given: dict[str, str], body: bytes) -> Answer:
        name, precision = given.get("db", ""), given.get("precision", "auto")
        if set(given) - _WRITE or precision not in _PRECISIONS or precision == "auto" or not _NAME.fullmatch(name):
            return 400, b"error decoding params from url"
        if len(body) > self.largest:
            return 413, b"max request size exceeded"
        if name not in self.databases and (made := self._create(name, "INF"))[0] != 200:
            return made
        good, refused = list[str](), list[dict[str, object]]()
        for number, line in enumerate(body.decode().split("\n"), start=1):
            try:
                self._check(name, line)
                good.append(line)
            except Refused as reason:
                refused.append({"original_line": line, "line_number": number, "error_message": str(reason)})
        if refused and given.get("accept_partial") == "false":
            return 400, json.dumps({"error": "parsing failed for write_lp endpoint", "data": refused[0]}).encode()
        self._keep(self._inner(name), "\n".join(good), _PRECISIONS[precision])
        if refused:
            return 400, json.dumps({"error": "partial write of line protocol occurred", "data": refused}).encode()
        return 204, b""

    def _keep(self, inner: str, lines: str, precision: str) -> None:
        """What lies before the retention is accepted, and nobody sees it."""
        try:
            if lines:
                self.behind.write(quote(inner), lines, precision)
        except HTTPError as error:
            if "retention" not in (said := error.read().decode()):
                raise AssertionError(said) from error

    def _check(self, database: str, line: str) -> None:
        found = _LINE.fullmatch(line)
        if found is None:
            raise Refused("could not parse this line")
        name, *pairs = re.split(r"(?<!\\),", found[1])
        tags = [re.split(r"(?<!\\)=", pair)[0] for pair in pairs]
        fields = {key: _type(value) for key, value in _FIELD.findall(found[2])}
        if len(fields) != len(_FIELD.findall(found[2])) or "time" in {*fields, *tags}:
            raise Refused("invalid line protocol - multiple instances of a field found, or one named time")
        table = self.tables.setdefault((database, name), Table(tuple(tags), {}))
        if tuple(tags) != table.tags:
            raise Refused(f"the tags of table '{name}' are {table.tags}, not {tags}")
        for key, kind in fields.items():
            if table.fields.get(key, kind) != kind or key in table.tags:
                raise Refused(f"invalid column type for column '{key}', expected {table.fields.get(key)}, got {kind}")
        table.fields |= fields

    # -- reading -------------------------------------------------------------------------------------------------------

    def _query(self, given: dict[str, str]) -> Answer:
        if set(given) - _QUERY or "q" not in given or given.get("epoch", "ms") not in ("ns", "u", "ms", "s", "m", "h"):
            return 400, b"error decoding params from url"
        made = list[dict[str, object]]()
        for place, statement in enumerate(found.strip() for found in _STATEMENTS.findall(given["q"])):
            made += [{**result, "statement_id": place} for result in self._results(statement, given)]
        return 200, b"".join(json.dumps({"results": [result]}).encode() + b"\n" for result in made)

    def _results(self, statement: str, given: dict[str, str]) -> list[dict[str, object]]:
        if not _KNOWN.match(statement) or re.search(r"\b(SLIMIT|SOFFSET)\b", statement):
            return [{"error": "error in InfluxQL statement: parsing error: invalid statement"}]
        if policies := _POLICIES.match(statement):
            return [self._policies(policies[1] or given.get("db", ""))]
        database, statement = self._placed(statement, given.get("db", ""))
        if database not in self.databases:
            return [{"error": f"datafusion error: External error: database not found: {database}"}]
        asked = {**given, "q": statement, "db": self._inner(database)}
        lines = fetch(f"{self.behind.url}/query", urlencode(asked).encode()).splitlines()
        return [result for line in lines if line.strip() for result in json.loads(line)["results"]]

    def _policies(self, database: str) -> dict[str, object]:
        if database not in self.databases:
            return {"error": f"Error during planning: database not found: {database}"}
        kept = self.databases[database].replace("INF", "0s")
        columns = ["name", "duration", "default"]
        return {"series": [{"name": "retention_policies", "columns": columns, "values": [[database, kept, True]]}]}

    @staticmethod
    def _placed(statement: str, database: str) -> tuple[str, str]:
        """The database that a statement names, or that of the request, and the statement without it.

        A policy without a database is read and forgotten, as version 3 does.
        """
        named = {database if policy in ("autogen", "default") else f"{database}/{policy}" for database, policy in
                 _FROM.findall(statement)}  # fmt: skip
        assert len(named) < 2, "can only perform queries on a single database"
        bare = _FROM.sub('"', statement)
        return (named.pop() if named else database), re.sub(r'(FROM )"[^"]+"\."', r'\1"', bare)


def _type(value: str) -> str:
    if value.startswith('"'):
        return "iox::column_type::field::string"
    if value in ("t", "T", "true", "True", "f", "F", "false", "False"):
        return "iox::column_type::field::boolean"
    kind = {"i": "integer", "u": "uinteger"}.get(value[-1:], "float")
    try:
        float(value.rstrip("iu"))
    except ValueError:
        raise Refused("could not parse the value of a field") from None
    return f"iox::column_type::field::{kind}"


@contextmanager
def stand_in(behind: InfluxDB, prefix: str = "three-") -> Iterator[InfluxDB3]:
    """Run the server on a free port of the loopback interface; its databases are dropped at the end."""
    made = InfluxDB3(behind, prefix=prefix)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body are sent apart

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, text = made.answer(self.command, self.path, dict(self.headers), body)
            self.send_response(status)
            if status != 204:
                self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with QuietServer(("127.0.0.1", 0), Handler) as server:
        made.port = server.server_address[1]
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield made
        server.shutdown()
        for name in list(made.databases):
            made.drop(name)
