"""What tests/hidden keeps out of the processes of the tests."""

from __future__ import annotations

import subprocess
import sys


def test_a_gateway_with_a_door_for_stations_starts_without_the_grammar_of_addresses() -> None:
    code = "import gateway.doors.ocpp, sys; print('lark' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
