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


GOES_ON = """
import os, select, signal, socket, threading
from adapters.mqtt.broker import Broker
from adapters.mqtt.interrupts import INTERRUPTS
from adapters.mqtt.link import Link
from cityvitals.processes import until_stopped
until_stopped()
stop, silent = until_stopped(), socket.create_server(("127.0.0.1", 0))
signal.signal(signal.SIGUSR1, lambda *_: print("reads its settings"))
link = Link(Broker("127.0.0.1", silent.getsockname()[1]), "waiting")
link.step()
for number in (signal.SIGUSR1, signal.SIGTERM):
    threading.Timer(0.2, os.kill, (os.getpid(), number)).start()
    link.receive(3600)
    print(len(INTERRUPTS), "stopped" if stop() else "goes on", select.select(INTERRUPTS, [], [], 0)[0])
"""


def run(program: str, folder: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_waiting_for_messages_ends_with_a_signal(tmp_path: Path) -> None:
    assert run(PROGRAM, tmp_path) == "stopped\n"


def test_a_program_that_goes_on_after_a_signal_waits_again(tmp_path: Path) -> None:
    assert run(GOES_ON, tmp_path).splitlines() == ["reads its settings", "1 goes on []", "1 stopped []"]
