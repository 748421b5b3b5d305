"""The node firmware: reads sensors, stores every record on flash, delivers it over MQTT.

Runs on MicroPython 1.25+ (ESP32 and the unix port) as the package `firmware`; only `hal` touches a board.
"""

VERSION = "0.1.0"
# Grows with every release: an older signed offer is refused, whatever its version is called.
RELEASE = 1
# The clock never runs before this instant (2026-11-01): certificate dates can be checked before the first sync.
BUILT = 1793491200
