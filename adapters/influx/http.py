"""The connection to an InfluxDB server: writes line protocol, queries InfluxQL, reports every failure.

InfluxDB 3 is written by `/api/v3/write_lp` and asked by the `/query` of 1.x; what it is built by:
https://docs.influxdata.com/influxdb3/core/write-data/http-api/v3-write-lp/ and .../influxdb3/core/api/v3/.

Nothing is retried here: the caller keeps what was not acknowledged, and an upsert may be repeated.
"""

from __future__ import annotations

import json
import logging
import queue
import re
import ssl
from collections.abc import Iterator, Mapping
from typing import Any, Generic, NoReturn, TypeVar
from urllib.parse import urlencode

import msgspec
import urllib3

from adapters.influx.messages import seconds, sentence
from adapters.influx.pool import make_pool
from adapters.influx.url import Target, authorization
from adapters.secrets import secret
from telemetry.errors import CityVitalsError, Unavailable, cause

log = logging.getLogger(__name__)

Row = TypeVar("Row")
_BUSY = (408, 429)
# urllib3-future, which replaces urllib3 where grafana-client is installed, raises queue.Full and queue.Empty when the
# pool is exhausted, and waits forever without pool_timeout.
_FAULTS = (urllib3.exceptions.HTTPError, OSError, queue.Full, queue.Empty)
_MOST_REFUSED = 10_000  # lines kept until they are taken
_DROPPED = re.compile(r"dropped=(\d+)|(\d+) lines refused")  # of 1.x and 2; of `sentence`
_ROWS_A_PIECE = 10_000
# InfluxDB opens every series in every shard it reads. With its default of 7 days, a year of 5,000 series was written at
# a third and read at a fifth of the speed with 12 weeks.
_SHARD = "12w"
# The retention policy of rows that are never deleted; in InfluxDB 2 the bucket <bucket>/forever, in 3 such a database.
FOREVER = "forever"
_DATABASES3 = "/api/v3/configure/database"


class UnreadableAnswer(CityVitalsError):
    """The server's answer does not have the form that this program writes."""


class PartialWrite(CityVitalsError):
    """The server can never hold some of the lines, or takes no batch of this size. `dropped`: how many; 0 unknown."""

    dropped = 0


class SeriesOf(msgspec.Struct, Generic[Row]):
    """Rows of one series, or some of them; `tags` are those of GROUP BY."""

    values: list[Row] = []
    tags: dict[str, str] = {}
    columns: list[str] = []


class _Result(msgspec.Struct, Generic[Row]):
    series: list[SeriesOf[Row]] = []
    error: str = ""


class Answer(msgspec.Struct, Generic[Row]):
    """One piece of an answer to InfluxQL."""

    results: list[_Result[Row]] = []
    error: str = ""


def _decoded(line: bytes, decoder: msgspec.json.Decoder[Answer[Row]]) -> Answer[Row]:
    """A piece of an answer without incomplete rows. Raises msgspec.DecodeError.

    InfluxDB 1 returns a new point field by field while it is written: a point that lacks some is not stored yet.
    """
    try:
        return decoder.decode(line)
    except msgspec.ValidationError:
        read = json.loads(line)
        for result in read.get("results", []):
            for series in result.get("series", []):
                rows = series.get("values", [])
                series["values"] = [row for row in rows if None not in row or _fits(row, decoder)]
        return decoder.decode(json.dumps(read))


def _fits(row: list[Any], decoder: msgspec.json.Decoder[Any]) -> bool:
    try:
        msgspec.convert({"results": [{"series": [{"values": [row]}]}]}, decoder.type)
    except msgspec.ValidationError:
        return False
    return True


class Connection:
    """One server and database. Safe to share between threads."""

    def __init__(self, target: Target, timeout: float = 30.0) -> None:
        self.target = target
        self._seconds = (min(5.0, timeout), timeout)  # to connect, to read
        # An explicit context, so that SSL_CERT_FILE (a city's own authority) works with every variant of urllib3.
        self._tls = ssl.create_default_context() if target.base.startswith("https") else None
        self._pool = make_pool(self._tls)
        self._headers = authorization(target)
        self._made = target.version == 2
        self._refused: dict[str, str] = {}  # line -> reason; a batch that is retried has the same ones again
        self._lost = False
        self.times_lost = 0  # how often the database, or a retention policy of it, was gone
        self._writer: Any = None

    def write(self, lines: str | bytes, policy: str = "") -> None:
        """Write line protocol with times in ms. Lines that the server can never hold are set aside, see `take_refused`.

        `policy`: a retention policy, '' for the default one. Raises Unavailable where a retry may help, CityVitalsError
        with the server's message where it rejects all.
        """
        try:
            self.write_all(lines, policy)
        except PartialWrite as error:
            rows = (lines if isinstance(lines, bytes) else lines.encode()).split(b"\n")
            if len(rows) == 1 or error.dropped == len(rows):
                self._set_aside(rows, str(error))
                return
            half = len(rows) // 2
            self.write(b"\n".join(rows[:half]), policy)
            self.write(b"\n".join(rows[half:]), policy)

    def _set_aside(self, rows: list[bytes], reason: str) -> None:
        if not self._refused:
            log.warning("%d rows cannot be stored: %s", len(rows), reason)
        for row in rows:
            if len(self._refused) < _MOST_REFUSED:
                self._refused[row.decode()] = reason

    def take_refused(self) -> list[tuple[str, str]]:
        """Lines the server can never hold, with its reason, since the last call; the rest of a batch is written."""
        found, self._refused = self._refused, {}
        return list(found.items())

    def take_lost(self) -> bool:
        """Whether the database was gone and has been recreated since the last call."""
        found, self._lost = self._lost, False
        return found

    def write_all(self, lines: str | bytes, policy: str = "") -> None:
        """Write line protocol with times in ms; also raises PartialWrite."""
        body = lines if isinstance(lines, bytes) else lines.encode()
        self._make_database()
        name, part = self.target.database, f"/{policy}" if policy else ""
        if self.target.version == 1:
            fields = {"db": name, "precision": "ms"} | ({"rp": policy} if policy else {})
            self._post(f"/write?{urlencode(fields)}", body)
        elif self.target.version == 2:
            self._write2(body, name + part)
        else:
            # Acknowledged when it is on disk, within a second by default.
            fields = {"db": name + part, "precision": "millisecond", "accept_partial": "true", "no_sync": "false"}
            self._post(f"/api/v3/write_lp?{urlencode(fields)}", body)

    def _write2(self, lines: bytes, bucket: str) -> None:
        """Write with the API of InfluxDB 2, which other servers support too."""
        from influxdb_client.rest import ApiException  # noqa: PLC0415 - takes half a second; 1.x does without

        try:
            self._write_api().write(bucket, self.target.org, lines, write_precision="ms")
        except ApiException as error:
            self._raise_status(error.status or 503, str(error.body or error.reason), error.headers)
        except _FAULTS as error:
            raise self._unavailable(error) from error

    def _write_api(self) -> Any:  # noqa: ANN401 - the library carries no types
        if self._writer is None:
            from influxdb_client.client.influxdb_client import InfluxDBClient  # noqa: PLC0415
            from influxdb_client.client.write_api import SYNCHRONOUS  # noqa: PLC0415

            timeout = tuple(1000 * seconds for seconds in self._seconds)
            make: Any = InfluxDBClient
            client = make(self.target.base, token=secret("TOKEN") or None, timeout=timeout, org=self.target.org)
            client.api_client.rest_client.pool_manager = self._pool  # its sockets deliver nothing after they are closed
            self._writer = client.write_api(write_options=SYNCHRONOUS)
        return self._writer

    def query(self, influxql: str, decoder: msgspec.json.Decoder[Answer[Row]]) -> Iterator[SeriesOf[Row]]:
        """The answer to InfluxQL, piece by piece, times in ms. Raises Unavailable also where it is incomplete."""
        self._make_database()
        for line in self._lines(influxql):
            try:
                answer = _decoded(line, decoder)
            except msgspec.DecodeError as error:
                raise UnreadableAnswer(
                    f"{self.target.base} sent an answer that CityVitals cannot read: {error}."
                ) from error
            for result in answer.results:
                if result.error:
                    self._notice_lost(result.error)
                    raise Unavailable(f"The store at {self.target.base} cannot answer: {result.error}.")
                yield from result.series

    def ping(self) -> None:
        """Return if the server answers."""
        self._request("GET", "/ping")

    def _make_database(self) -> None:
        """Create the database at the first use, but no bucket of InfluxDB 2; an existing one is not changed.

        A user that may not create databases has been given one. Any other fault is reported by the next request.
        """
        if self._made:
            return
        if self.target.version == 3:
            answer = self._make3(self.target.database)
        else:
            answer = self._ask(
                f"CREATE DATABASE {self.quoted_database} WITH DURATION INF REPLICATION 1 SHARD DURATION {_SHARD}"
                ' NAME "autogen"'
            )
        if answer.status not in (200, 401, 403, 409):
            self._raise_status(answer.status, _text(answer), answer.headers)
        self._made = True

    @property
    def quoted_database(self) -> str:
        """The name of the database as InfluxQL writes it."""
        name = self.target.database.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{name}"'

    @property
    def policy_command(self) -> str:
        """What makes the retention policy FOREVER in 1.x, or the database in its place in 3."""
        if self.target.version == 3:
            return f"influxdb3 create database {self.target.database}/{FOREVER}"
        where = f'"{FOREVER}" ON {self.quoted_database}'
        return f"CREATE RETENTION POLICY {where} DURATION INF REPLICATION 1 SHARD DURATION {_SHARD}"

    def make_policy(self) -> None:
        """Make the retention policy FOREVER of a database. Raises CityVitalsError where the user may not."""
        if self.target.version == 3:
            answer = self._make3(f"{self.target.database}/{FOREVER}")
        else:
            answer = self._ask(self.policy_command)
        if answer.status >= 300 or b'"error"' in answer.data:
            self._raise_status(answer.status if answer.status >= 300 else 403, _text(answer), answer.headers)

    def _make3(self, name: str) -> urllib3.BaseHTTPResponse:
        """The answer to the creation of a database in InfluxDB 3; 409 where it exists."""
        return self._request("POST", _DATABASES3, json.dumps({"db": name}).encode(), _JSON)

    def databases3(self) -> list[str]:
        """The names of all databases of InfluxDB 3; none where the token may not list them."""
        answer = self._request("GET", f"{_DATABASES3}?format=json")
        if answer.status in (401, 403):
            return []
        if answer.status >= 300:
            self._raise_status(answer.status, _text(answer), answer.headers)
        return [str(row["iox::database"]) for row in json.loads(answer.data)]

    def execute(self, influxql: str) -> None:
        """A statement that changes data. Raises Unavailable, or CityVitalsError with the server's reason."""
        asked = urlencode({"db": self.target.database, "q": influxql})
        answer = self._post("/query", asked.encode(), _FORM)
        if b'"error"' in answer.data:
            self._raise_status(400, _text(answer), answer.headers)

    def delete2(self, what: Mapping[str, str]) -> None:
        """Delete by `start`, `stop` and `predicate` with the API of InfluxDB 2. Raises as `execute`."""
        place = urlencode({"org": self.target.org or "", "bucket": self.target.database})
        self._post(f"/api/v2/delete?{place}", json.dumps(what).encode(), _JSON)

    def _ask(self, influxql: str) -> urllib3.BaseHTTPResponse:
        """The answer to a statement that changes the server, of any status."""
        return self._request("POST", "/query", urlencode({"q": influxql}).encode(), _FORM)

    def _lines(self, influxql: str) -> Iterator[bytes]:
        """The JSON documents of a chunked answer, one a line: a JSON string contains no newline."""
        fields = {"db": self.target.database, "epoch": "ms", "chunked": "true", "chunk_size": _ROWS_A_PIECE}
        answer = self._post("/query", urlencode({**fields, "q": influxql}).encode(), _FORM, whole=False)
        rest: list[bytes] = []
        try:
            for block in answer.stream(1 << 16):
                first, *more = block.split(b"\n")
                rest.append(first)
                for line in more:
                    yield from _joined(rest)
                    rest = [line]
            yield from _joined(rest)
        except _FAULTS as error:
            raise self._unavailable(error) from error
        finally:
            answer.close()

    def _post(
        self, path: str, body: bytes, headers: dict[str, str] | None = None, whole: bool = True
    ) -> urllib3.BaseHTTPResponse:
        answer = self._request("POST", path, body, headers, whole)
        if answer.status >= 300:
            self._raise_status(answer.status, _text(answer), answer.headers)
        return answer

    def _request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None,
        whole: bool = True,
    ) -> urllib3.BaseHTTPResponse:  # fmt: skip
        """The answer, of any status; `whole`: read completely, else to be streamed."""
        connect, read = self._seconds
        try:
            return self._pool.request(
                method, self.target.base + path, body=body, headers={**self._headers, **(headers or {})},
                timeout=urllib3.Timeout(connect=connect, read=read), retries=False, redirect=False,
                pool_timeout=connect, preload_content=whole,
            )  # fmt: skip
        except _FAULTS as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: Exception) -> Unavailable:
        return Unavailable(f"The store at {self.target.base} does not answer: {cause(error)}. Is it running?")

    def _notice_lost(self, message: str) -> None:
        """Raise Unavailable where the 1.x database has been dropped: the next request recreates it."""
        if "retention policy not found" in message:
            self.times_lost, self._lost = self.times_lost + 1, True
            raise Unavailable(f"A retention policy at {self.target.base} does not exist any more: {message}.")
        if self._made and self.target.version != 2 and "database not found" in message:
            self._made, self._lost = False, True
            self.times_lost += 1
            log.error(
                "the database at %s does not exist any more; it is recreated, and its data are lost", self.target.base
            )
            raise Unavailable(f"The database at {self.target.base} does not exist any more; it is recreated.")

    def _raise_status(self, status: int, body: str, headers: Mapping[str, str] | None = None) -> NoReturn:
        message = sentence(body)
        if status >= 500 or status in _BUSY:
            busy = Unavailable(f"The store at {self.target.base} reports an error ({status}): {message}.")
            busy.retry_after_s = seconds(headers or {})
            raise busy
        if status == 413 or "partial write" in message or (status == 422 and "retention" in message):
            partial = PartialWrite(f"The store at {self.target.base} cannot hold this: {message}.")
            if found := _DROPPED.search(message):
                partial.dropped = int(found[1] or found[2])
            raise partial
        self._notice_lost(message)
        if status in (401, 403):
            names = "USERNAME and PASSWORD" if self.target.version == 1 else "TOKEN"
            raise CityVitalsError(
                f"The store at {self.target.base} rejected the credentials: {message}. Set CITYVITALS__STORE__{names}."
            )
        raise CityVitalsError(
            f"The store at {self.target.base} rejected the request to '{self.target.database}': {message}."
        )

    def close(self) -> None:
        """Close the sockets."""
        self._pool.clear()
        if self._writer is not None:
            self._writer.close()


_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_JSON = {"Content-Type": "application/json"}


def _joined(pieces: list[bytes]) -> Iterator[bytes]:
    line = b"".join(pieces)
    if line.strip():
        yield line


def _text(answer: urllib3.BaseHTTPResponse) -> str:
    try:
        return answer.data.decode(errors="replace")
    except urllib3.exceptions.HTTPError:
        return "the answer is incomplete"
