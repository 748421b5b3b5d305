"""docs/how-to/past-one-machine.md, followed with a real Kafka; the job runs in this process, not on Flink."""

from __future__ import annotations

import re
import shlex
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from registry.config import load_settings
from tests.docs.pages import REPO, Page, run, words_of
from tests.ingest.samples import NOW, windows
from tests.processes import end, start, wait_for
from tests.scale.servers import ENGINE, Kafka, is_there
from tests.scale.test_chain import CITY, Gateway, findings, metered, minutes, worked_on
from tests.scale.topics import create
from tests.servers import Mosquitto

PAGE = "docs/how-to/past-one-machine.md"
CONFIG = """city_files = ["aba.toml"]
[ingest]
id = "bridge-of-test"
topic = "cv/1/aba/+/windows"
broker.url = "mqtt://127.0.0.1:{port}"
rejects = "rejects.db"
[store]
url = "sqlite:///store.db"
{log}
"""


def options(line: str) -> dict[str, str]:
    """The long options of a command with their values."""
    return dict(re.findall(r"(--[\w-]+) ([^-\s]\S*)", line))


def test_the_job_takes_the_options_of_the_page_and_the_section_is_valid(tmp_path: Path) -> None:
    page = Page(PAGE)
    jobs = [line for line in page.left if "scale.flink_job" in line]
    source = (REPO / "scale" / "flink_job.py").read_text(encoding="utf-8")
    known = set(re.findall(r'add_argument\("(--\w+)"', source))
    needed = set(re.findall(r'add_argument\("(--\w+)", required=True', source))
    for job in jobs:
        given = set(re.findall(r"--\w+", job.split("scale.flink_job")[1]))
        assert needed <= given <= known
    submitted = (REPO / "tests" / "scale" / "servers.py").read_text(encoding="utf-8")
    of_flink = re.findall(r"(?<= )--?[a-z]+", jobs[0].split("scale.flink_job")[0])
    assert of_flink
    assert [option for option in of_flink if f'"{option}"' not in submitted] == []
    config = tmp_path / "cityvitals.toml"
    config.write_text(page.code("toml"))
    assert load_settings(config).log.brokers == options(jobs[0])["--brokers"]


@pytest.mark.skipif(not is_there(), reason=f"no Kafka in {ENGINE}: tools/get-engine installs it")
@pytest.mark.timeout(600)
def test_a_city_moves_to_the_log_by_the_commands_of_the_page(mosquitto: Mosquitto, tmp_path: Path) -> None:
    kafka = Kafka(tmp_path / "kafka")
    try:
        followed(Page(PAGE), kafka, mosquitto, tmp_path)
    finally:
        kafka.close()


def make_topics(page: Page, kafka: Kafka) -> None:
    """As kafka-topics.sh does, which the tests do not have."""
    from confluent_kafka.admin import AdminClient, NewTopic

    create(kafka.address, "a-first-one")  # returns when Kafka answers
    admin = AdminClient({"bootstrap.servers": kafka.address})
    for _ in range(2):
        asked = options(page.take("kafka-topics.sh --bootstrap-server kafka:9092 --create"))
        settings = dict([asked["--config"].split("=")])
        topic = NewTopic(asked["--topic"], int(asked["--partitions"]), 1, config=settings)
        [made] = admin.create_topics([topic]).values()
        made.result()
        wait_for(partial(kept, admin, asked["--topic"], settings), 30, "the topic's settings")


def followed(page: Page, kafka: Kafka, mosquitto: Mosquitto, folder: Path) -> None:
    from adapters.sqlite.store import SqliteStore
    from ingest.core import Ingest
    from registry.config import load_city
    from telemetry.windows import MINUTE
    from telemetry.wire import decode

    make_topics(page, kafka)
    page.take("flink run --detached")

    config = folder / "cityvitals.toml"
    log = page.code("toml").replace("kafka:9092", kafka.address) + "tick_s = 0.2\n"
    (folder / "aba.toml").write_text(CITY)
    config.write_text(CONFIG.format(port=mosquitto.port, log=log))
    store = SqliteStore(folder / "store.db")
    ingest = Ingest(store)
    served = ingest.add_city(load_city(folder / "aba.toml"), MINUTE)
    ingest.take("aba", decode(windows(1, 2, 3), ingest.table)[2])
    served.derive(NOW)
    store.close()
    first = [page.take("cityvitals bridge"), page.take("cityvitals values")]
    page.take("flink run --detached")
    page.take("flink stop --savepointPath")
    page.take("flink run -s")
    assert "5 records of aba are in Kafka" in run(page.take("cityvitals move aba"), folder)
    again = [page.take("cityvitals bridge"), page.take("cityvitals values")]
    assert first == again
    running = [begun(line, folder) for line in (*again, page.take("cityvitals archive"))]
    gateway = Gateway(mosquitto.port)
    try:
        wait_for(lambda: "connected to" in (folder / "bridge.log").read_text(), 60, "the bridge at the broker")
        gateway.send(4, 5)
        worked_on(kafka, 5)
        wait_for(lambda: metered(folder / "store.db") == 5.0, 60, "the value in the store")
        wait_for(lambda: minutes(folder / "store.db") == [1, 2, 3, 4, 5], 60, "the windows in the store")
        stored = {f"reader cityvitals-values{end_}": "ok" for end_ in ("", "-archive")}
        wait_for(lambda: {k: findings(kafka.address).get(k, ("",))[0] for k in stored} == stored, 90, "doctor")
    finally:
        gateway.close()
        codes = [end(process) for process in running]
    assert codes == [0, 0, 0]
    assert page.left == []


def kept(admin: Any, topic: str, settings: dict[str, str]) -> bool:
    """Whether Kafka has the topic with these settings."""
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import ConfigResource, ResourceType

    [found] = admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]).values()
    try:
        return {name: found.result()[name].value for name in settings} == settings
    except KafkaException:  # just made
        return False


def begun(line: str, folder: Path) -> subprocess.Popen[bytes]:
    words, _ = words_of(line)
    return start(words, log=folder / f"{shlex.split(line)[1]}.log", cwd=folder, env={"PYTHONPATH": str(REPO)})
