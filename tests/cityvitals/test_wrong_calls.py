"""Operators mistake paths, folders and names: each mistake is a sentence that says what to do, and harms nothing."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.sqlite.buffer import Buffer
from cityvitals.__main__ import main
from cityvitals.operation.recover import only_one
from edge.tools import enrol
from telemetry.readings import Readings
from telemetry.series import Series
from telemetry.windows import MINUTE

Call = Callable[[str], tuple[int, str]]
LONG = "a" * 64
TLS = 'url = "mqtts://127.0.0.1:1"'
CONFIGS = {
    "blocked": '[gateway]\nbuffer = "text/gateway.db"',
    "lost-cert": f'[gateway.broker]\n{TLS}\ncert = "lost.crt"\nkey = "lost.key"',
    "lost-ca": f'[ingest.broker]\n{TLS}\nca = "lost.crt"',
    "wrong-key": f'[gateway.broker]\n{TLS}\ncert = "pki/devices-ca.crt"\nkey = "pki/issued/aq-1.key"',
    "plain": '[gateway.broker]\ncert = "pki/issued/aq-1.crt"\nkey = "pki/issued/aq-1.key"',
    "no-text": f'[gateway.broker]\n{TLS}\nca = "text"',
}


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Run a command line in a folder with authorities, a gateway's buffer, an empty file and a text."""
    monkeypatch.chdir(tmp_path)
    enrol.make_authorities(Path("pki"), "aba", enrol.utc_now())
    enrol.enrol(Path("pki"), "device", "aq-1", enrol.utc_now())
    (tmp_path / "pki" / "issued" / "broken.crt").write_text("no certificate")
    (tmp_path / "copies").mkdir()
    (tmp_path / "empty.db").touch()
    (tmp_path / "bytes").write_bytes(b"\x9b\xff\n")
    (tmp_path / "text").write_text("nothing of ours\n" * 1000)
    buffer = Buffer(tmp_path / "gateway.db", MINUTE)
    buffer.put(Readings.of([buffer.table.id_of(Series("aba", "s1", "no2"))], [1000], [1.0]))
    buffer.close()
    for name, inside in CONFIGS.items():
        (tmp_path / f"{name}.toml").write_text(inside)

    def run(line: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["cityvitals", *line.split()])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out + said.err

    return run


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ("enrol ca --city aba --pki text/pki", 1, "text/pki cannot be used"),
        ("enrol ca --city Zürich", 2, "is not a valid city id"),
        ("enrol ca --city abb", 2, "holds the authorities of 'aba'"),
        ("enrol device aq-2 --pki nowhere", 2, "cityvitals enrol ca"),
        ("enrol device aq-1", 2, "enrolled already"),
        (f"enrol device {LONG}a", 2, "is not a valid id"),
        ("enrol device aq-9 --wifi sensors", 2, "--kind air"),
        ("enrol device aq.key --pki pki", 0, ""),
        ("enrol device aq-1.key --pki pki", 2, "aq-1.key.der already exists"),
        ("enrol broker hub --host https://hub.example:8883", 2, "without scheme and port"),
        ("enrol broker hub --host bücher.example", 2, "xn--"),
        ("enrol broker hub --port 99999", 2, "65535"),
        ("enrol revoke nobody", 2, "no certificate of 'nobody'"),
        ("enrol revoke broken", 2, "broken.crt is not a readable certificate"),
        ("doctor --pki copies --config lost-ca.toml", 1, "contains no certificates"),
        ("doctor --pki pki --config lost-ca.toml", 1, "broken.crt is not a readable certificate"),
        ("doctor --time-server 127.0.0.1:ntp --config lost-ca.toml", 1, "--time-server host"),
        ("doctor --mosquitto text --mosquitto pki --config lost-ca.toml", 1, "pki: cannot be read"),
        ("backup gateway.db copies", 2, "copies is a folder"),
        ("backup gateway.db gateway.db", 2, "are the same file"),
        ("backup gateway.db nowhere/copy.db", 2, "There is no folder nowhere"),
        ("backup nowhere.db copy.db", 2, "There is no file nowhere.db"),
        ("backup empty.db copy.db", 1, "empty.db is empty"),
        ("backup text copy.db", 1, "file is not a database"),
        ("restore empty.db gateway.db", 1, "empty.db is empty"),
        ("restore text gateway.db", 1, "file is not a database"),
        ("restore gateway.db text/gateway.db", 1, "text/gateway.db cannot be written"),
        ("recover nowhere --buffer gateway.db", 2, "There is no file nowhere"),
        ("recover text --buffer gateway.db", 1, "does not contain readings of a gateway"),
        ("recover gateway.db --buffer gateway.db", 2, "are the same file"),
        ("recover gateway.db --buffer nowhere.db", 2, "There is no buffer file nowhere.db"),
        ("ledger --city aba --store sqlite:///s.db --period 24h", 2, "for calendar periods only"),
        ("rejects list --buffer copies", 2, "There is no buffer file copies"),
        ("rejects list --buffer text", 1, "not a database"),
        ("token index --scope read --tokens text/tokens", 1, "cannot be used"),
        ("token index --scope read --tokens nowhere/tokens", 1, "cannot be used"),
        ("region import bytes --store sqlite:///r.db", 2, "bytes cannot be read: it is not UTF-8 text."),
        ("config check --config bytes", 2, "bytes cannot be read: it is not UTF-8 text."),
        ("verify text", 2, "text/manifest.json cannot be read: Not a directory."),
        ("kpi show --city bytes.toml --store sqlite:///r.db --period 2018", 2, "no city file bytes.toml"),
        ("kpi backfill --city aba --store sqlite:///r.db", 2, "this command reads the city file: --city aba.toml"),
        ("gateway --config blocked.toml", 1, "text/gateway.db cannot be written"),
        ("gateway --config lost-cert.toml", 2, "`cert` names lost.crt"),
        ("gateway --config wrong-key.toml", 2, "do not match"),
        ("gateway --config plain.toml", 2, "mqtts://"),
        ("gateway --config no-text.toml", 2, "`ca` names text"),
        ("ingest --config lost-ca.toml", 2, "`ca` names lost.crt"),
    ],
)
def test_a_mistake_is_a_sentence(call: Call, tmp_path: Path, line: str, code: int, says: str) -> None:
    before, files = (tmp_path / "gateway.db").read_bytes(), sorted(tmp_path.glob("*.db"))
    found, said = call(line)
    assert (found, says in said) == (code, True), said
    assert "Traceback" not in said
    gc.collect()  # a buffer that was opened gets what was written to it when it is closed
    assert (tmp_path / "gateway.db").read_bytes() == before
    made = set(tmp_path.glob("*.db")).difference(files)
    assert not made or line.startswith("region import"), "an import looks into the store that it was given"
    assert not [p.name for p in tmp_path.iterdir() if p.suffix in (".part", ".restored")]


@pytest.mark.parametrize(("program", "file"), [("gateway", "gateway.db"), ("ingest", "ingest.db")])
def test_a_second_one_with_the_same_file_is_refused(call: Call, tmp_path: Path, program: str, file: str) -> None:
    (tmp_path / "twice.toml").write_text(f'[gateway]\nbuffer = "{file}"\n[ingest]\nrejects = "{file}"\n')
    with only_one(tmp_path / file):
        code, said = call(f"{program} --config twice.toml")
    assert code == 1
    assert f"Another process writes to {file}. Stop the" in said
