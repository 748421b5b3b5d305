"""Board support for the MicroPython unix port: ptys for buses, a file for the flash partition, alarm(2) for the
watchdog.

`wiring.json` in the node's folder says what is connected where:
`{"uart": {"1": "/dev/pts/3"}, "i2c": {"0": "/dev/pts/4"}, "pulse": {"4": "pulses"}, "speed": 1, "sectors": 64}`.
`speed` compresses time: every clock and every wait of the firmware runs that much faster. `dns` lists name servers,
`vault` names the folder that stands for NVS. `watchdog_s`: real seconds that the watchdog waits at least, where a busy
computer may stop the node for longer.
"""

import asyncio
import json
import os
import sys
import time

from micropython import const

from .. import files, lazy
from . import virtual

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
    has_radio = False
    tick_ms = 60000

    def __init__(self, root):
        self.root = self.state = root
        with open(root + "/wiring.json") as f:
            self.wiring = json.load(f)
        self.speed = self.wiring.get("speed", 1)
        self.asked = {}  # names: when a server last gave their address
        self.say = print
        self.buses = {}
        self.air = {}  # temperature and humidity in hundredths, for sensors that correct by them
        self.certificate = ""
        self._last = time.ticks_ms()
        self._ticks = 0
        self._lines = {}

    def begin(self, conf, say):
        """The configuration is known: only the log is of use here."""
        self.say = say

    # ---- time ----

    def ticks_ms(self):
        """Milliseconds since the start; never wraps."""
        now = time.ticks_ms()
        self._ticks += time.ticks_diff(now, self._last)
        self._last = now
        return self._ticks * self.speed

    def rtc_ms(self):
        """A clock that survives a reset but not a loss of power."""
        return (_host_ms() + self.wiring.get("rtc_shift_ms", 0)) * self.speed

    def set_rtc(self, unix_ms):
        """The host's clock is not ours to set."""

    async def sleep_ms(self, ms):
        """Wait; at least one turn of the loop."""
        await asyncio.sleep_ms(max(1, ms // self.speed))

    async def within(self, job, ms):
        """Await `job`, at most `ms`; asyncio.TimeoutError after that. Never below a second of real time."""
        return await asyncio.wait_for_ms(job, max(1000, ms // self.speed))

    # ---- connections ----

    async def link(self, beat):
        """The network of the host is always there."""

    def network(self):
        """The state of the network, for people."""
        return "the host's"

    def rssi(self):
        """No radio, no signal strength."""

    def battery_mv(self):
        """No battery."""

    def name_servers(self):
        """Addresses of the name servers."""
        if "dns" in self.wiring:
            return self.wiring["dns"]
        lines = (files.read("/etc/resolv.conf") or b"").decode().split("\n")
        return [line.split()[1] for line in lines if line.startswith("nameserver ") and ":" not in line]

    async def connect(self, host, port, tls, stage):
        """Open a TCP connection, with TLS and both certificates when `tls` names them."""
        return await lazy.load("net.dial").dial(self, host, port, tls, stage)

    def uart(self, port, baud, options):
        """Return a byte stream, the same one each time; baud rate and framing mean nothing on a pty."""
        key = "uart%d" % port
        if key not in self._lines:
            self._lines[key] = virtual.open_line(self.wiring["uart"][str(port)])
        return self._lines[key]

    def drop_uart(self, port):
        """The line was unplugged: it is opened again at the next use."""
        line = self._lines.pop("uart%d" % port, None)
        if line:
            line.close()

    def i2c(self, bus, options):
        """Return the bus."""
        if bus not in self._lines:
            self._lines[bus] = virtual.PipeI2C(self.wiring["i2c"][str(bus)])
        return self._lines[bus]

    def pulses(self, pin, options):
        """Return the pulse counter on a pin."""
        return lazy.load("hal.pulses").Pulses(self, pin, virtual.open_line(self.wiring["pulse"][str(pin)]))

    def analog(self, pin):
        """Return the converter on a pin."""
        return lazy.load("hal.analog").Analog(self.wiring["analog"][str(pin)])

    def microphone(self, options):
        """Return what gives samples as `readinto(buf)`: the rate and the pins are the file's."""
        return open(self.wiring["i2s"], "rb")  # noqa: SIM115

    def spi(self, options):
        """There is no SPI on this port."""
        raise OSError(19, "the unix port has no SPI")

    def wire(self, pin):
        """There is no 1-Wire bus on this port."""
        raise OSError(19, "the unix port has no 1-Wire bus")

    def output(self, pin, level):
        """Nothing is connected to outputs."""

    # ---- flash, watchdog, reset ----

    def flash(self):
        """Return the raw partition of the record ring."""
        return virtual.FileNor(self.root + "/ring.bin", self.wiring.get("sectors", 64))

    def spare_image(self):
        """There are no partitions on this port."""
        raise OSError(19, "no partition for a second ROMFS image")

    def enrolled(self, name):
        """The bytes of an enrolled file, or of its copy in the vault; OSError that names it."""
        data = files.read(self.root + "/" + name)
        data = self.vault(name) if data is None else data
        if data is None:
            raise OSError(2, name + " is missing")
        return data

    def vault(self, name, data=None):
        """A copy outside of the file system: read, or write when `data` is given."""
        if "vault" not in self.wiring:
            return None
        path = self.wiring["vault"] + "/" + name
        if data is None:
            return files.read(path)
        with open(path, "wb") as f:
            f.write(data)
        return data

    def count(self, number=None):
        """The boot number in the vault: read, or write."""
        data = self.vault("boots", str(number).encode() if number else None)
        return int(data or 0)

    def keep(self, data=None):
        """Bytes in memory that survives a reset but not a loss of power: read, or write when `data` is given."""
        if data is None:
            return files.read(self.root + "/rtc.bin") or b""
        try:
            with open(self.root + "/rtc.bin", "wb") as f:
                f.write(data)
        except OSError:
            pass
        return data

    def watchdog(self, timeout_ms):
        """Start the watchdog; it cannot be stopped."""
        return virtual.Alarm(timeout_ms, self.speed, self.wiring.get("watchdog_s", 2))

    def tick(self, online):
        """Once a second."""

    def key_pressed(self):
        """Whether somebody typed `?` on the console."""
        return False

    def reset_cause(self):
        """Power-on when the memory of the clock is empty."""
        return _SOFT if self.keep() else _POWER_ON

    def reset(self):
        """End the process with the status that its keeper starts again."""
        sys.exit(75)

    def deep_sleep(self, ms):
        """Wait, then start again: nothing but the clock's memory is carried over."""
        time.sleep_ms(ms // self.speed)
        sys.exit(75)

    def sync_files(self):
        """Push files to the disk."""
        if hasattr(os, "sync"):
            os.sync()
