"""A line of the kernel loses what it is set to lose, and neither side is notified."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.chaos.network import Line, apart, why_not
from tests.processes import end, free_port, start, wait_for

ECHO = """
import socket, sys
server = socket.create_server(("", int(sys.argv[1])))
while True:
    link, _ = server.accept()
    while data := link.recv(100):
        print(data.decode(), flush=True)
        link.sendall(data)
"""


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    if reason := why_not():
        pytest.skip(f"no network namespaces: {reason}")
    with apart():
        made = Line(tmp_path, "test")
        yield made
        made.close()


def answer(link: socket.socket, seconds: float) -> bytes:
    """What came back, if anything did in that time."""
    link.settimeout(seconds)
    with suppress(TimeoutError):
        return link.recv(100)
    return b""


@pytest.mark.parametrize(("mode", "arrives"), [("unplugged", False), ("dead", False), ("deaf", False), ("mute", True)])
def test_a_broken_line_keeps_its_connections_and_passes_nothing(
    line: Line, mode: str, arrives: bool, tmp_path: Path
) -> None:
    port, log = free_port(), tmp_path / "echo.log"
    inside = start([*line.prefix, sys.executable, "-c", ECHO, str(port)], log=log)

    def connect() -> socket.socket | None:
        with suppress(OSError):
            return socket.create_connection((line.inner, port), timeout=5)
        return None

    link = wait_for(connect, 20, "the echo inside")
    assert link is not None
    link.sendall(b"one")
    assert answer(link, 10) == b"one"
    line.set(mode)
    link.sendall(b"two")  # no error: this side is not notified
    assert answer(link, 0.5) == b""
    assert ("two" in log.read_text()) is arrives
    line.set("open")
    assert answer(link, 20) == b"two"
    link.close()
    end(inside)


def test_a_thin_line_passes_everything_slowly(line: Line) -> None:
    line.set("thin")
    server = socket.create_server((line.host, 0))
    client = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2]))).sendall(b'x' * 6000)"
    words = [*line.prefix, sys.executable, "-c", client, line.host, str(server.getsockname()[1])]
    inside = start(words, log=Path("/dev/null"))
    server.settimeout(20)
    link, _ = server.accept()
    link.settimeout(20)
    got = 0
    while data := link.recv(10_000):
        got += len(data)
    assert got == 6000
    assert end(inside) == 0
    link.close()
    server.close()
