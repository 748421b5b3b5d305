"""Board support for ESP32 and ESP32-S3. Not run on a physical board so far: written to the documented interfaces.

Facts it rests on: the epoch of `time` is 2000; `ticks_ms` wraps; a UART needs a larger receive buffer than the default
for meter telegrams; Wi-Fi must be left alone while it is connected, whatever the broker does.
"""

import asyncio
import time

import machine
import network
from esp32 import Partition

from . import lazy

EPOCH_2000 = 946684800
RING_LABEL = "ring"


class Pulses:
    """Counts falling edges of an S0 output; contacts bounce, so edges closer than `debounce_ms` are one."""

    def __init__(self, pin, debounce_ms):
        self._count = 0
        self._last = time.ticks_ms()
        self._debounce = debounce_ms
        self._pin = machine.Pin(pin, machine.Pin.IN, machine.Pin.PULL_UP)
        self._pin.irq(self._edge, machine.Pin.IRQ_FALLING)

    def _edge(self, _pin):
        now = time.ticks_ms()
        if time.ticks_diff(now, self._last) >= self._debounce:
            self._count += 1
            self._last = now

    def count(self):
        """Pulses since the start."""
        return self._count


class Board:
    """An ESP32 whose partition table has a data partition `ring`."""

    name = "esp32"
    speed = 1

    def __init__(self, root=""):
        self.root = root
        self.wifi = {}
        self._wlan = None
        self._last = time.ticks_ms()
        self._ticks = 0

    # ---- time ----

    def ticks_ms(self):
        """Milliseconds since the start; never wraps as long as it is asked once in 6 days."""
        now = time.ticks_ms()
        self._ticks += time.ticks_diff(now, self._last)
        self._last = now
        return self._ticks

    def rtc_ms(self):
        """The RTC in unix milliseconds; runs through a reset."""
        return time.time_ns() // 1000000 + EPOCH_2000 * 1000

    def set_rtc(self, unix_ms):
        """Set the RTC: the TLS library checks certificate dates by it."""
        t = time.gmtime(unix_ms // 1000 - EPOCH_2000)
        machine.RTC().datetime((t[0], t[1], t[2], t[6], t[3], t[4], t[5], unix_ms % 1000 * 1000))

    async def sleep_ms(self, ms):
        """Wait; at least one turn of the loop."""
        await asyncio.sleep_ms(max(1, ms))

    async def within(self, job, ms):
        """Await `job`, at most `ms`; asyncio.TimeoutError after that."""
        return await asyncio.wait_for_ms(job, ms)

    # ---- connections ----

    async def link(self):
        """Return once Wi-Fi is connected; OSError after 30 s, so that the caller's back-off applies."""
        if self._wlan is None:
            self._wlan = network.WLAN(network.STA_IF)
            self._wlan.active(True)
            await asyncio.sleep_ms(1000)  # the status is not to be trusted right after activation
        if self._wlan.isconnected():
            return
        self._wlan.disconnect()
        self._wlan.connect(self.wifi["ssid"], self.wifi.get("password", ""))
        for _ in range(60):
            await asyncio.sleep_ms(500)
            if self._wlan.isconnected():
                return
        raise OSError(118)

    def rssi(self):
        """Signal strength in dBm, or None without a connection."""
        if self._wlan is None or not self._wlan.isconnected():
            return None
        return self._wlan.status("rssi")

    async def connect(self, host, port, tls=None):
        """Open a TCP connection, with TLS and both certificates when `tls` names them."""
        await self.link()
        if not tls:
            return await asyncio.open_connection(host, port)
        import tls as mbed

        context = lazy.borrow("tlscontext").context(mbed, self.root, tls)
        lazy.give_back("tlscontext")
        # Giving back collects: the handshake needs a large free block.
        return await asyncio.open_connection(host, port, context, tls.get("name", host))  # pyright: ignore

    def uart(self, port, baud, options):
        """Return the UART; options: `rx`, `tx` pins, `bits`, `parity` (0 even, 1 odd), `invert`."""
        invert = machine.UART.INV_RX if options.get("invert") else 0
        return machine.UART(
            port,
            baudrate=baud,
            bits=options.get("bits", 8),
            parity=options.get("parity"),
            stop=1,
            rx=options.get("rx"),
            tx=options.get("tx"),
            rxbuf=options.get("rxbuf", 2048),
            invert=invert,
        )

    def i2c(self, bus, options):
        """Return the bus; options: `sda`, `scl` pins."""
        return machine.I2C(bus, sda=machine.Pin(options["sda"]), scl=machine.Pin(options["scl"]), freq=100000)

    def pulses(self, pin, options):
        """Return the pulse counter on a pin."""
        return Pulses(pin, options.get("debounce_ms", 20))

    def analog(self, pin):
        """Return the converter on a pin; its `read_uv` is true between about 0.15 and 2.45 V."""
        return machine.ADC(machine.Pin(pin), atten=machine.ADC.ATTN_11DB)

    # ---- flash, watchdog, reset ----

    def flash(self):
        """Return the raw partition of the record ring."""
        return Partition.find(Partition.TYPE_DATA, label=RING_LABEL)[0]

    def keep(self, data=None):
        """Bytes in RTC memory, which survives a reset but not a loss of power."""
        return machine.RTC().memory() if data is None else machine.RTC().memory(data)

    def watchdog(self, timeout_ms):
        """Start the hardware watchdog; it cannot be stopped."""
        return machine.WDT(timeout=timeout_ms)

    def reset_cause(self):
        """As machine.reset_cause() counts them."""
        return machine.reset_cause()

    def reset(self):
        """Start again."""
        machine.reset()

    def sync_files(self):
        """LittleFS writes through."""
