"""What doctor says of a Kafka that is not there, and of readers that are behind."""

from __future__ import annotations

import pytest

pytest.importorskip("confluent_kafka", reason="confluent-kafka is not installed")

from cityvitals.operation import doctor_log
from cityvitals.operation.doctor_log import BEHIND, engine_log
from registry.settings import LogSettings
from tests.servers import free_port


def test_a_kafka_that_does_not_answer_is_said() -> None:
    port = free_port()
    [finding] = engine_log(LogSettings(brokers=f"127.0.0.1:{port}"))
    assert finding.verdict == "bad"
    assert f"127.0.0.1:{port}" in finding.what
    assert "Is it running?" in finding.advice


@pytest.mark.parametrize(
    ("places", "verdict", "advice"),
    [
        ({0: (-1001, 5), 1: (-1001, 0)}, "unknown", "has not read log yet"),
        ({0: (5, 5), 1: (-1001, 0)}, "ok", "0 records of log are not stored yet"),
        ({0: (5, 8), 1: (-1001, 4)}, "ok", "7 records of log are not stored yet"),
        ({0: (0, BEHIND), 1: (1, 1)}, "warning", "10,000 records of log are not stored yet"),
    ],
)
def test_what_a_reader_has_not_stored(places: dict[int, tuple[int, int]], verdict: str, advice: str) -> None:
    finding = doctor_log._lag("values", "log", places)
    assert (finding.verdict, finding.what, finding.advice) == (verdict, "reader values", advice)
