"""Makes two drivers on one bus. Runs on MicroPython on a strict board: two_sensors.py OPTIONS-AS-JSON."""

import json
import sys

from firmware import lazy
from firmware.hal.esp32_board import Board

board = Board("")
options = json.loads(sys.argv[1])
for _ in range(2):
    lazy.load("sensors." + options["driver"]).Driver(board, options)
print("both made")
