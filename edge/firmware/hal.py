"""Picks the board support for this interpreter; the rest of the firmware sees only `Board`."""

import sys

if sys.platform == "esp32":
    from .hal_esp32 import Board as Board
else:
    from .hal_unix import Board as Board
