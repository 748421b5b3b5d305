"""docs/how-to/own-messages.md, followed in the city of the tutorial."""

from __future__ import annotations

import re
import signal
import sqlite3
import subprocess
from pathlib import Path

import pytest

from adapters.sqlite.blocks import readable
from tests.docs.pages import Page, run, words_of
from tests.processes import end, free_port, need, start, wait_for

PORT = free_port()


def publish(line: str, folder: Path) -> None:
    run(line.replace("mosquitto_pub", f"mosquitto_pub -p {PORT}"), folder)


def values(folder: Path) -> set[float]:
    """Of the readings in the gateway's buffer."""
    buffer = readable(sqlite3.connect(f"file:{folder / 'my-town' / 'gateway.db'}?mode=ro", uri=True))
    try:
        return {row[0] for row in buffer.execute("SELECT value FROM every_reading")}
    finally:
        buffer.close()


def started(line: str, folder: Path) -> subprocess.Popen[bytes]:
    log = folder / "log"
    log.write_text("")
    words, _ = words_of(f"{line} --port {free_port()} --broker-port {PORT}")
    running = start(words, log=log, cwd=folder)
    wait_for(lambda: "Ctrl-C" in log.read_text(), 90, "the city to run")
    return running


@pytest.mark.timeout(240)
def test_the_page_leads_from_own_names_to_readings_and_from_rejects_to_readings(tmp_path: Path) -> None:
    need("mosquitto_pub", "mosquitto-clients")
    page = Page("docs/how-to/own-messages.md")
    run("cityvitals init my-town --timezone Europe/Oslo", tmp_path)
    config = tmp_path / "my-town" / "cityvitals.toml"
    own, text = page.code("toml"), config.read_text()
    before = re.search(r'\[\[gateway\.source\]\]\ntopic = "my-town/\{device\}"\n.*?\n\n', text, re.S)
    assert before, "`cityvitals init` writes such an entry"
    config.write_text(text.replace(before[0], f"{own}\n"))

    assert "valid" in run(page.take("cityvitals config check"), tmp_path)
    line = page.take("cityvitals run my-town")
    running = started(line, tmp_path)
    publish(page.take("mosquitto_pub -q 1 -t my-town/aq-1"), tmp_path)
    wait_for(lambda: 8.1 in values(tmp_path), 60, "the reading of the flat message")
    senml = page.take("mosquitto_pub -q 1 -t cv/1/my-town/aq-1/data")
    publish(senml.replace("8.1", "8.25"), tmp_path)
    wait_for(lambda: 8.25 in values(tmp_path), 60, "the reading in SenML")
    publish(page.take("mosquitto_pub -q 1 -t my-town/aq-1"), tmp_path)
    listing = page.take("cityvitals rejects list")
    wait_for(lambda: "dust_10" in run(listing, tmp_path), 60, "the reject to be listed")
    assert 14.2 not in values(tmp_path)
    running.send_signal(signal.SIGINT)
    assert running.wait(60) == 0

    [corrected] = re.findall(r"`(rename = \{.*?\})`", page.text)
    config.write_text(re.sub(r"rename = .*", corrected, config.read_text()))
    assert run(page.take("cityvitals rejects replay"), tmp_path)
    assert "dust_10" not in run(listing, tmp_path)
    again = started(line, tmp_path)
    wait_for(lambda: 14.2 in values(tmp_path), 60, "the corrected reading")
    again.send_signal(signal.SIGINT)
    assert again.wait(60) == 0
    end(again)
    assert page.left == []
