"""Picks the board support for this interpreter; the rest of the firmware sees only `Board`."""

import sys

if sys.platform == "esp32":
    from .esp32_board import Board as Board
else:
    from .unix_board import Board as Board
