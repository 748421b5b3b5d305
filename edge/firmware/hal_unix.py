"""Board support for the MicroPython unix port: ptys for buses, a file for the flash partition, alarm(2) for the
watchdog.

`wiring.json` in the node's folder says what is connected where:
`{"uart": {"1": "/dev/pts/3"}, "i2c": {"0": "/dev/pts/4"}, "pulse": {"4": "pulses"}, "speed": 1, "sectors": 64}`.
`speed` compresses time: every clock and every wait of the firmware runs that much faster.
"""

import asyncio
import json
import os
import select
import sys
import time

POWER_ON, WATCHDOG, SOFT = 1, 3, 5  # as machine.reset_cause() counts them on the ESP32


def _host_ms():
    """Milliseconds that go on over a restart of the process, as a board's RTC does over a reset."""
    with open("/proc/uptime") as f:
        whole, part = f.read().split()[0].split(".")
    return int(whole) * 1000 + int(part) * 10


def open_line(path):
    """Open a pty; non-blocking, because a blocking read waits until the whole count is there."""
    import ffi

    line = open(path, "r+b", buffering=0)  # noqa: SIM115
    ffi.open(None).func("i", "fcntl", "iii")(line.fileno(), 4, 2048)  # F_SETFL, O_NONBLOCK
    return line


class FileNor:
    """A NOR flash partition in a file: programming only clears bits, erasing sets a whole block."""

    def __init__(self, path, blocks, size=4096):
        self.blocks = blocks
        self.size = size
        try:
            self.file = open(path, "r+b")  # noqa: SIM115
        except OSError:
            with open(path, "wb") as f:
                for _ in range(blocks):
                    f.write(b"\xff" * size)
            self.file = open(path, "r+b")  # noqa: SIM115

    def readblocks(self, block, buf, offset=0):
        """Fill `buf` from a byte offset in a block."""
        self.file.seek(block * self.size + offset)
        self.file.readinto(buf)

    def writeblocks(self, block, data, offset=0):
        """Program bytes: bits go from 1 to 0 only."""
        old = bytearray(len(data))
        self.readblocks(block, old, offset)
        for i, byte in enumerate(data):
            old[i] &= byte
        self.file.seek(block * self.size + offset)
        self.file.write(old)

    def ioctl(self, op, arg):
        """4: number of blocks, 5: block size, 6: erase block `arg`."""
        if op == 4:
            return self.blocks
        if op == 5:
            return self.size
        if op == 6:
            self.file.seek(arg * self.size)
            self.file.write(b"\xff" * self.size)
        return 0


class PipeI2C:
    """An I2C bus whose devices live in another process: `address, write length, read length, bytes` over a pty."""

    def __init__(self, path):
        self._path = path
        self._file = None

    def _exchange(self, addr, data, count):
        if self._file is None:
            self._file = open_line(self._path)
            self._poll = select.poll()
            self._poll.register(self._file, select.POLLIN)
        try:
            self._file.write(bytes((addr, len(data), count)) + data)
            reply = self._gather(1 + count)
        except OSError:
            self._file.close()
            self._file = None
            raise
        if reply[0]:
            raise OSError(19)  # nobody answered to the address
        return reply[1:]

    def _gather(self, count):
        reply = b""
        while len(reply) < count and not (reply and reply[0]):
            part = self._file.read(count - len(reply)) if self._poll.poll(1000) else None
            if not part:
                raise OSError(110)  # the bus is stuck
            reply += part
        return reply

    def writeto(self, addr, data):
        """Write bytes to a device."""
        self._exchange(addr, bytes(data), 0)

    def readfrom(self, addr, count):
        """Read bytes from a device."""
        return self._exchange(addr, b"", count)

    def writeto_mem(self, addr, register, data):
        """Write bytes from a register on."""
        self._exchange(addr, bytes((register,)) + bytes(data), 0)

    def readfrom_mem(self, addr, register, count):
        """Read bytes from a register on."""
        return self._exchange(addr, bytes((register,)), count)


class Alarm:
    """Watchdog: the kernel ends the process when it is not fed, as the board's would reset it."""

    def __init__(self, timeout_ms, speed):
        import ffi

        self._seconds = max(2, timeout_ms // 1000 // speed)
        self._alarm = ffi.open(None).func("I", "alarm", "I")
        self.feed()

    def feed(self):
        """Start the countdown again."""
        self._alarm(self._seconds)


class Pulses:
    """Counts edges: each byte that arrives on the line is one pulse."""

    def __init__(self, path):
        self._file = open_line(path)
        self._poll = select.poll()
        self._poll.register(self._file, select.POLLIN)
        self._count = 0

    def count(self):
        """Pulses since the start."""
        while self._poll.poll(0):
            data = self._file.read(64)
            if not data:
                break
            self._count += len(data)
        return self._count


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

        from .tlscontext import context

        return await asyncio.open_connection(host, port, context(mbed, self.root, tls), tls.get("name", host))

    def udp(self, host, port):
        """Return a non-blocking UDP socket connected to a server."""
        import socket

        addr = socket.getaddrinfo(host, port, 0, socket.SOCK_DGRAM)[0][-1]
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.connect(addr)
        sock.setblocking(False)
        return sock

    def uart(self, port, baud, options):
        """Return a byte stream; baud rate and framing mean nothing on a pty."""
        return open_line(self.wiring["uart"][str(port)])

    def i2c(self, bus, options):
        """Return the bus."""
        return PipeI2C(self.wiring["i2c"][str(bus)])

    def pulses(self, pin, options):
        """Return the pulse counter on a pin."""
        return Pulses(self.wiring["pulse"][str(pin)])

    # ---- flash, watchdog, reset ----

    def flash(self):
        """Return the raw partition of the record ring."""
        return FileNor(self.root + "/ring.bin", self.wiring.get("sectors", 64))

    def keep(self, data=None):
        """Bytes in memory that survives a reset but not a loss of power: read, or write when `data` is given."""
        try:
            with open(self.root + "/rtc.bin", "rb" if data is None else "wb") as f:
                return f.read() if data is None else f.write(data)
        except OSError:
            return b""

    def watchdog(self, timeout_ms):
        """Start the watchdog; it cannot be stopped."""
        return Alarm(timeout_ms, self.speed)

    def reset_cause(self):
        """Power-on when the memory of the clock is empty."""
        return SOFT if self.keep() else POWER_ON

    def reset(self):
        """End the process with the status that its keeper starts again."""
        sys.exit(75)

    def sync_files(self):
        """Push files to the disk."""
        if hasattr(os, "sync"):
            os.sync()
