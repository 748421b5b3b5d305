"""Every command in a block of the documentation is executed by a test, or stands here with the reason why not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.docs.pages import REPO, Page

# Which test follows the commands of a page.
FOLLOWED_BY = {
    "README.md": "tests/docs/test_readme.py",
    "docs/explanation/numbers.md": "tests/docs/test_how_to.py",
    "docs/how-to/alerts.md": "tests/docs/test_dashboards_pages.py",
    "docs/how-to/backup.md": "tests/docs/test_how_to.py",
    "docs/how-to/certificates.md": "tests/docs/test_certificates.py",
    "docs/how-to/connect-a-device.md": "tests/gateway/devices/test_connect_a_device.py",
    "docs/how-to/flash-a-node.md": "tests/docs/test_flash_a_node.py",
    "docs/how-to/grafana.md": "tests/docs/test_dashboards_pages.py",
    "docs/how-to/influxdb.md": "tests/docs/test_dashboards_pages.py",
    "docs/how-to/many-cities.md": "tests/docs/test_how_to.py",
    "docs/how-to/own-family.md": "tests/docs/test_how_to.py",
    "docs/how-to/own-messages.md": "tests/docs/test_own_messages.py",
    "docs/how-to/past-one-machine.md": "tests/docs/test_past_one_machine.py",
    "docs/how-to/postgresql.md": "tests/docs/test_postgresql.py",
    "docs/how-to/second-gateway.md": "tests/docs/test_second_gateway.py",
    "docs/how-to/servers.md": "tests/docs/test_how_to.py",
    "docs/security.md": "tests/docs/test_certificates.py",
    "docs/tutorial.md": "tests/docs/test_tutorial.py",
}
# Commands that no test executes as they stand: why, and what is tested instead.
NOT_HERE = {
    "esptool --port /dev/ttyUSB0 erase-flash": "needs the boot loader of a chip; esptool takes its options",
    "esptool --port /dev/ttyUSB0 write-flash": "needs the boot loader of a chip; esptool takes its options",
    "influx bucket create": "needs a server of InfluxDB 2; the same words as in deploy/influxdb, which compose runs",
    "influx v1 dbrp create": "needs a server of InfluxDB 2; the same words as in deploy/influxdb, which compose runs",
    "DASHBOARDS=./built ALERTS=./built/alerting docker": "starts containers; `docker compose config` runs",
    "kafka-topics.sh": "a script of Kafka; the topics are made with its options over Kafka's own protocol",
    "flink run": "needs a cluster; make scale-test submits the job with these options",
    "flink stop": "needs a cluster; make scale-test stops the job with a savepoint over Flink's API",
    "cityvitals replay FILES...": "a form; README's replay runs as it stands, tests/replay reads files of every family",
    "scp central.local:": "needs an ssh server; the test copies the file between two network namespaces",
    "sudo apt-get install": "changes the machine; tools/get-servers installs the same packages",
    "sudo systemctl disable": "changes the machine",
    "make setup": "tests run in its result; tests/docs/test_walk.py runs it in the long mode",
    "make demo": "tests/test_demo.py runs the demo that it starts",
    "make test": "is what runs this test",
    "python -m tests.chaos": "takes minutes; tests/chaos runs it for seconds",
    "python -m tests.hostile": "takes minutes; tests/hostile has its parts",
}


def pages() -> Iterator[str]:
    for path in sorted([REPO / "README.md", REPO / "CONTRIBUTING.md", *(REPO / "docs").rglob("*.md")]):
        name = path.relative_to(REPO).as_posix()
        if "/reference/" not in name and Page(name).left:
            yield name


def excused(line: str) -> bool:
    return any(line.startswith(start) for start in NOT_HERE)


def test_every_page_with_commands_is_followed_by_a_test() -> None:
    alone = {name: rest for name in pages() if (rest := [line for line in Page(name).left if not excused(line)])}
    assert alone.keys() - FOLLOWED_BY.keys() == set()
    assert FOLLOWED_BY.keys() - alone.keys() == set(), "a page without commands needs no test"


def test_each_of_these_tests_reads_its_page() -> None:
    for page, test in FOLLOWED_BY.items():
        text = (REPO / test).read_text(encoding="utf-8")
        assert Path(page).stem in text, f"{test} does not name {page}"


def test_what_is_not_executed_is_in_the_documentation() -> None:
    lines = [line for name in pages() for line in Page(name).left]
    unused = [start for start in NOT_HERE if not any(line.startswith(start) for line in lines)]
    assert unused == []
    assert len([line for line in lines if excused(line)]) < len(lines) / 4
