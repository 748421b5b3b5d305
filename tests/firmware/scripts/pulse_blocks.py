"""Counts pulses while the interpreter is blocked. Runs on MicroPython on a strict board.

pulse_blocks.py OPTIONS-AS-JSON PULSES: the other end of the contact sends PULSES in a block of 2 s, 700 in one of 14 s
(shortened: only that nothing runs meanwhile matters); prints the count after each and what a reset would keep.
"""

import json
import os
import sys
import time

from firmware.hal.esp32_board import Board

options = json.loads(sys.argv[1])
with open(os.getenv("ESP32_BOARD") or "") as f:  # noqa: PTH123
    path = json.load(f)["pulse"][str(options["pin"])]
board = Board("")
pulses = board.pulses(options["pin"], options)
before = pulses.count()
if sys.argv[2] == "0":
    print(before)
    sys.exit()


def send(count: int) -> None:
    """Ask the model of the contact for pulses, and block."""
    with open(path, "r+b", buffering=0) as line:  # noqa: PTH123
        line.write(b"%d\n" % count)
    time.sleep_ms(700)


out = []
for count in (int(sys.argv[2]), 700):
    send(count)
    from machine import idle

    idle()
    out.append(pulses.count())
board.tick(False)
out.append(pulses._kept)
print(*out)
