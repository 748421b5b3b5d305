"""The job on Flink: the log by a Kafka source, the state of each city in RocksDB, values by a transactional sink.

All that is particular to this engine is here: the state of a city as a mapping over Flink's `MapState`, and how source,
job and sink are put together. Needs the extra `scale` (PyFlink, Java 17) and the Kafka connector's jar. On a cluster:

    flink run --detached -pym scale.flink_job --brokers kafka:9092 \\
        --connector flink-sql-connector-kafka-5.0.0-2.2.jar --checkpoints s3://...

`-p N` says on how many slots, `-s SAVEPOINT` goes on from a savepoint, `-D NAME=VALUE` sets what is not set here.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any

from pyflink.common import Configuration, Row, Types, WatermarkStrategy
from pyflink.common.serialization import ByteArraySchema, RowFieldExtractorSchema
from pyflink.datastream import (
    CheckpointingMode,
    DataStream,
    FlatMapFunction,
    KeyedProcessFunction,
    RuntimeContext,
    StreamExecutionEnvironment,
)
from pyflink.datastream.connectors.base import DeliveryGuarantee
from pyflink.datastream.connectors.kafka import (
    KafkaOffsetsInitializer,
    KafkaRecordSerializationSchema,
    KafkaSink,
    KafkaSource,
)
from pyflink.datastream.state import MapState, MapStateDescriptor

from scale.districts import DistrictJob, district, split
from scale.job import CityJob, Output
from scale.kept import Kept
from scale.merging import MergingJob
from scale.records import decoded, value_message
from telemetry.errors import Rejected, UsageError
from telemetry.topics import valid_id

log = logging.getLogger(__name__)

_BYTES = Types.PRIMITIVE_ARRAY(Types.BYTE())
KEPT = 100_000  # series of the cities that a worker has in memory, up to 40 kB each (docs/scale.md)


class KeyedState(MutableMapping[str, bytes]):
    """The entries of the city whose record is worked on."""

    def __init__(self, entries: MapState) -> None:
        self._entries = entries

    def __getitem__(self, key: str) -> bytes:
        found = self._entries.get(key)
        if found is None:
            raise KeyError(key)
        return bytes(found)

    def __setitem__(self, key: str, value: bytes) -> None:
        self._entries.put(key, value)

    def __delitem__(self, key: str) -> None:
        self._entries.remove(key)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._entries.keys()))

    def __len__(self) -> int:
        return sum(1 for _ in self._entries.keys())  # noqa: SIM118 - no mapping, but Flink's state

    def __contains__(self, key: object) -> bool:
        return bool(self._entries.contains(key))


class Job(KeyedProcessFunction):  # type: ignore[misc]
    """Records of all cities of a worker into values: rows of identity and JSON. `divided`: city -> its districts;
    `kept`: series in memory.
    """

    def __init__(self, divided: Mapping[str, int], kept: int = KEPT) -> None:
        self._divided, self._limit = dict(divided), kept

    def _made(self, key: str) -> CityJob:
        count = self._divided.get(key)
        return MergingJob(key, self._state, count) if count else CityJob(key, self._state)

    def _rows(self, output: Output) -> Iterator[Any]:
        return (Row(*value_message(stored)) for stored in output.values)

    def open(self, runtime_context: RuntimeContext) -> None:
        """Called by Flink before the first record."""
        described = MapStateDescriptor("city", Types.STRING(), Types.PICKLED_BYTE_ARRAY())
        self._state = KeyedState(runtime_context.get_map_state(described))
        self._jobs = Kept(self._limit, self._made)

    def process_element(self, value: Any, ctx: KeyedProcessFunction.Context) -> Iterator[Any]:  # noqa: ANN401
        """Called by Flink for each record, with the state of its key."""
        output = self._jobs.take(ctx.get_current_key(), bytes(value))
        for rejection in output.rejected:
            log.warning("rejected: %s", rejection.reason)
        yield from self._rows(output)


class DistrictStep(Job):
    """Records of all districts of a worker into records for the jobs of their cities. The key: of a district."""

    def _made(self, key: str) -> CityJob:
        return DistrictJob(district(key), self._state)

    def process_element(self, value: Any, ctx: KeyedProcessFunction.Context) -> Iterator[Any]:  # noqa: ANN401
        """See Job; the record is the second field."""
        return super().process_element(value[1], ctx)

    def _rows(self, output: Output) -> Iterator[Any]:
        return iter(output.onward)


class Split(FlatMapFunction):  # type: ignore[misc]
    """Records of divided cities into rows of a district's key and its record."""

    def __init__(self, divided: Mapping[str, int]) -> None:
        self._divided = dict(divided)

    def flat_map(self, value: Any) -> Iterator[Row]:  # noqa: ANN401
        """Called by Flink for each record."""
        record = bytes(value)
        try:
            for home, part in split(record, self._divided[decoded(record).city]):
                yield Row(home.key, part)
        except Rejected as reason:
            log.warning("rejected: %s", reason)


def city_of(value: Any) -> str:  # noqa: ANN401
    """The key of a record; '-' for what is none."""
    try:
        return decoded(bytes(value)).city
    except Rejected:
        return "-"


def configuration(jar: str, checkpoints: str) -> Configuration:
    """State in RocksDB, incremental checkpoints that outlive the job, restarts without end."""
    found = Configuration()
    settings = {
        "pipeline.jars": f"file://{jar}",
        "state.backend.type": "rocksdb",
        "execution.checkpointing.incremental": "true",
        "execution.checkpointing.dir": checkpoints,
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        "restart-strategy.type": "exponential-delay",
        "restart-strategy.exponential-delay.max-backoff": "10 s",
        "python.executable": sys.executable,
        "python.fn-execution.bundle.time": "20",
        "python.map-state.read-cache-size": "1000",
        "python.map-state.write-cache-size": "1000",
    }
    for name, value in settings.items():
        found.set_string(name, value)
    return found


def divided_cities(words: Iterable[str]) -> dict[str, int]:
    """City -> districts, of words such as lagos=8. Raises UsageError."""
    found = {}
    for word in words:
        city, _, count = word.partition("=")
        if not valid_id(city) or not count.isdigit() or int(count) < 1:
            raise UsageError(f"--districts {word}: write CITY=NUMBER, as in lagos=8")
        found[city] = int(count)
    return found


def values_of(records: DataStream, divided: Mapping[str, int], kept: int = KEPT) -> DataStream:
    """Rows of values of all cities; those of a divided one by way of its districts."""
    if divided:
        of_city = dict(divided)
        parts = records.filter(lambda value: city_of(value) in of_city).flat_map(
            Split(of_city), Types.ROW([Types.STRING(), _BYTES])
        )
        hours = parts.key_by(lambda part: part[0], key_type=Types.STRING()).process(DistrictStep({}, kept), _BYTES)
        records = records.filter(lambda value: city_of(value) not in of_city).union(hours)
    return records.key_by(city_of, key_type=Types.STRING()).process(Job(divided, kept), Types.ROW([_BYTES, _BYTES]))


def build(
    env: StreamExecutionEnvironment,
    brokers: str,
    log_topic: str,
    values_topic: str,
    divided: Mapping[str, int],
    kept: int = KEPT,
) -> None:
    """Source, job and sink."""
    source = (
        KafkaSource.builder()
        .set_bootstrap_servers(brokers)
        .set_topics(log_topic)
        .set_group_id("cityvitals-job")
        .set_starting_offsets(KafkaOffsetsInitializer.earliest())
        .set_value_only_deserializer(ByteArraySchema())
        .build()
    )
    rows = (
        KafkaRecordSerializationSchema.builder()
        .set_topic(values_topic)
        .set_key_serialization_schema(RowFieldExtractorSchema(0))
        .set_value_serialization_schema(RowFieldExtractorSchema(1))
        .build()
    )
    sink = (
        KafkaSink.builder()
        .set_bootstrap_servers(brokers)
        .set_delivery_guarantee(DeliveryGuarantee.EXACTLY_ONCE)
        .set_transactional_id_prefix(f"cityvitals-{values_topic}")
        .set_property("transaction.timeout.ms", "600000")
        .set_record_serializer(rows)
        .build()
    )
    values_of(env.from_source(source, WatermarkStrategy.no_watermarks(), "log"), divided, kept).sink_to(sink)


def main() -> None:
    """Hand the job to the cluster that `flink run` names; alone, run it in this process until it is ended."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--brokers", required=True, help="Kafka, as host:port,host:port")
    parser.add_argument("--connector", required=True, help="absolute path of flink-sql-connector-kafka")
    parser.add_argument("--checkpoints", required=True, help="URL of a folder that every worker reaches")
    parser.add_argument("--log", default="cityvitals.log", help="topic of windows, city files and ticks")
    parser.add_argument("--values", default="cityvitals.values", help="compacted topic of the KPI values")
    parser.add_argument("--interval", type=int, default=10_000, help="ms between checkpoints")
    parser.add_argument("--districts", nargs="*", default=[], metavar="CITY=NUMBER", help="cities to be divided")
    parser.add_argument("--kept", type=int, default=KEPT, help="series that a worker has in memory, up to 40 kB each")
    given = parser.parse_args()
    env = StreamExecutionEnvironment.get_execution_environment(configuration(given.connector, given.checkpoints))
    env.set_max_parallelism(1024)
    env.enable_checkpointing(given.interval, CheckpointingMode.EXACTLY_ONCE)
    build(env, given.brokers, given.log, given.values, divided_cities(given.districts), given.kept)
    env.execute("cityvitals")


if __name__ == "__main__":
    main()
