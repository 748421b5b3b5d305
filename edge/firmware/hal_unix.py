"""Board support for the MicroPython unix port: ptys for buses, a file for the flash partition, alarm(2) for the
watchdog.

`wiring.json` in the node's folder says what is connected where:
`{"uart": {"1": "/dev/pts/3"}, "i2c": {"0": "/dev/pts/4"}, "pulse": {"4": "pulses"}, "speed": 1, "sectors": 64}`.
`speed` compresses time: every clock and every wait of the firmware runs that much faster.
"""

import asyncio
import json
import os
import sys
import time

from micropython import const

from . import lazy, virtual

_POWER_ON = const(1)  # as machine.reset_cause() counts them on the ESP32
_SOFT = const(5)


def _host_ms():
    """Milliseconds that go on over a restart of the process, as a board's RTC does over a reset."""
    with open("/proc/uptime") as f:
        whole, part = f.read().split()[0].split(".")
    return int(whole) * 1000 + int(part) * 10


class Board:
    """The computer as a board. `root` is the folder that stands for the board's file system."""

    name = "unix"

    def __init__(self, root):
        self.root = root
        with open(root + "/wiring.json") as f:
            self.wiring = json.load(f)
        self.speed = self.wiring.get("speed", 1)
        self._last = time.ticks_ms()
        self._ticks = 0

    # ---- time ----

    def ticks_ms(self):
        """Milliseconds since the start; never wraps."""
        now = time.ticks_ms()
        self._ticks += time.ticks_diff(now, self._last)
        self._last = now
        return self._ticks * self.speed

    def rtc_ms(self):
        """A clock that survives a reset but not a loss of power."""
        return _host_ms() * self.speed

    def set_rtc(self, unix_ms):
        """The host's clock is not ours to set."""

    async def sleep_ms(self, ms):
        """Wait; at least one turn of the loop."""
        await asyncio.sleep_ms(max(1, ms // self.speed))

    async def within(self, job, ms):
        """Await `job`, at most `ms`; asyncio.TimeoutError after that. Never below a second of real time."""
        return await asyncio.wait_for_ms(job, max(1000, ms // self.speed))

    # ---- connections ----

    async def link(self):
        """The network of the host is always there."""

    def rssi(self):
        """No radio, no signal strength."""

    async def connect(self, host, port, tls=None):
        """Open a TCP connection, with TLS and both certificates when `tls` names them."""
        if not tls:
            return await asyncio.open_connection(host, port)
        import tls as mbed

        context = lazy.borrow("tlscontext").context(mbed, self.root, tls)
        lazy.give_back("tlscontext")
        return await asyncio.open_connection(host, port, context, tls.get("name", host))

    def uart(self, port, baud, options):
        """Return a byte stream; baud rate and framing mean nothing on a pty."""
        return virtual.open_line(self.wiring["uart"][str(port)])

    def i2c(self, bus, options):
        """Return the bus."""
        return virtual.PipeI2C(self.wiring["i2c"][str(bus)])

    def pulses(self, pin, options):
        """Return the pulse counter on a pin."""
        return lazy.borrow("pulses").Pulses(self.wiring["pulse"][str(pin)])

    def analog(self, pin):
        """Return the converter on a pin."""
        return lazy.borrow("analog").Analog(self.wiring["analog"][str(pin)])

    # ---- flash, watchdog, reset ----

    def flash(self):
        """Return the raw partition of the record ring."""
        return virtual.FileNor(self.root + "/ring.bin", self.wiring.get("sectors", 64))

    def keep(self, data=None):
        """Bytes in memory that survives a reset but not a loss of power: read, or write when `data` is given."""
        try:
            with open(self.root + "/rtc.bin", "rb" if data is None else "wb") as f:
                return f.read() if data is None else f.write(data)
        except OSError:
            return b""

    def watchdog(self, timeout_ms):
        """Start the watchdog; it cannot be stopped."""
        return virtual.Alarm(timeout_ms, self.speed)

    def reset_cause(self):
        """Power-on when the memory of the clock is empty."""
        return _SOFT if self.keep() else _POWER_ON

    def reset(self):
        """End the process with the status that its keeper starts again."""
        sys.exit(75)

    def sync_files(self):
        """Push files to the disk."""
        if hasattr(os, "sync"):
            os.sync()
