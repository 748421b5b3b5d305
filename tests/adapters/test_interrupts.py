"""Programs that wait for messages end with the signal, not with the next look at the clock."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import os, signal, socket, threading
from adapters.mqtt.broker import Broker
from adapters.mqtt.link import Link
from cityvitals.processes import until_stopped
stop, silent = until_stopped(), socket.create_server(("127.0.0.1", 0))
link = Link(Broker("127.0.0.1", silent.getsockname()[1]), "waiting")
link.step()
threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGTERM)).start()
link.receive(3600)
print("stopped" if stop() else "not yet")
"""


def test_waiting_for_messages_ends_with_a_signal(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.returncode) == ("stopped\n", 0), done.stderr
