"""`machine` of the ESP32 port, strict (see README.md)."""

import struct
import sys
import time as _time

import board
from board import CHIP, WORLD, Wire, claim, crash
from buses import I2C, UART, SoftI2C
from pins import Pin, pin_id, pump

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5


class ADC:
    """A converter input."""

    ATTN_0DB, ATTN_2_5DB, ATTN_6DB, ATTN_11DB = 0, 1, 2, 3

    def __init__(self, pin, *, atten=-1) -> None:
        self._id = pin_id(pin)
        if self._id not in CHIP["adc1"] + CHIP["adc2"]:
            raise ValueError("invalid pin")
        if not -1 <= atten <= 3:
            raise ValueError("invalid attenuation")
        claim(self._id, "ADC")
        self._wire = Wire(WORLD.get("adc", {}).get(str(self._id)))

    def read_uv(self) -> object:
        """Microvolts at the pin; true between 0.15 and 2.45 V."""
        import network

        if self._id in CHIP["adc2"] and network._active:
            raise OSError(-263, "ESP_ERR_TIMEOUT")
        if self._wire.file is None:
            return 142000  # an open input
        self._wire.write(b"?")
        reply = b""
        while len(reply) < 4:
            part = self._wire.read(4 - len(reply), 1000)
            if not part:
                crash("the model of the analog input is silent")
            reply += part
        return int.from_bytes(reply, "little")


class _Memory:
    def __init__(self) -> None:
        self.path = WORLD["rtc"]

    def read(self) -> object:
        try:
            with open(self.path, "rb") as f:
                return f.read()
        except OSError:
            return b""


class RTC:
    """The clock, and memory that survives every reset but loss of power."""

    def datetime(self, when=None) -> object:
        """Set or return the time: (year, month, day, weekday, hour, minute, second, microsecond)."""
        if when is None:
            t = _time.gmtime()
            return (t[0], t[1], t[2], t[6], t[3], t[4], t[5], 0)
        year, month, day, _, hour, minute, second, micro = when
        _time._set(_time.mktime((year, month, day, hour, minute, second, 0, 0)), micro)
        return None

    def memory(self, data=None) -> object:
        """Read or write up to 2048 bytes."""
        if data is None:
            return _Memory().read()
        if len(data) > 2048:
            raise ValueError("buffer too long")
        with open(WORLD["rtc"], "wb") as f:
            f.write(data)
        return None


class WDT:
    """The watchdog."""

    def __init__(self, id=0, timeout=5000) -> None:
        if id != 0:
            raise ValueError
        if timeout <= 0:
            raise ValueError("WDT timeout too short")
        import ffi

        self._alarm = ffi.open(None).func("I", "alarm", "I")
        self._seconds = max(1, timeout // 1000)
        self.feed()

    def feed(self) -> object:
        """Start the countdown again."""
        self._alarm(self._seconds)


class I2S:
    """A microphone: samples arrive at their rate, and are lost where the program does not read them (`ibuf`)."""

    RX, TX, MONO, STEREO = 1, 2, 0, 1

    def __init__(self, port, *, sck, ws, sd, mode, bits, format, rate, ibuf, mck=None) -> None:
        if port not in (0, 1) or (port == 1 and WORLD["chip"] == "esp32c3"):
            raise ValueError("invalid id")
        if mode not in (self.RX, self.TX):
            raise ValueError("invalid mode")
        if bits not in (16, 32):
            raise ValueError("invalid bits")
        if format not in (self.MONO, self.STEREO):
            raise ValueError("invalid format")
        pins = (pin_id(sck), pin_id(ws), pin_id(sd))
        for pin, what in zip(pins, ("sck", "ws", "sd")):
            if what != "sd" and pin in CHIP["reads"]:
                crash("GPIO%d only reads" % pin)
            claim(pin, "I2S " + what)
        there = WORLD.get("i2s")
        right = there and (there["sck"], there["ws"], there["sd"]) == pins
        self._file = open(there["path"], "rb") if right else None
        self._size = bits // 8
        self._ibuf = ibuf

    def readinto(self, buf) -> object:
        """Fill the buffer with the next samples; zeros where nothing is connected."""
        if self._file is None:
            return len(bytes(buf))
        size = len(bytes(buf))
        if size > self._ibuf:
            crash("a read longer than the driver's buffer waits forever")
        got = self._file.readinto(buf)
        if got < size:
            self._file.seek(0)
            got = self._file.readinto(buf)
        return got

    def irq(self, handler) -> object:
        """Non-blocking mode: not modelled."""

    def deinit(self) -> object:
        """Release the hardware."""


class SPI:
    """A bus with one chip: full duplex, the answer is clocked out with the request (`lines` of the description)."""

    MSB, LSB = 0, 1
    _made = set()

    def __init__(
        self, id, baudrate=1000000, *, polarity=0, phase=0, bits=8, firstbit=0, sck=None, mosi=None, miso=None
    ) -> None:
        if id not in CHIP["spis"]:
            raise ValueError("SPI(%d) doesn't exist" % id)
        if id in SPI._made:
            crash("SPI %d was made twice" % id)
        SPI._made.add(id)
        pins = (pin_id(sck), pin_id(mosi), pin_id(miso))
        for pin, what in zip(pins, ("sck", "mosi", "miso")):
            if what != "miso" and pin in CHIP["reads"]:
                crash("GPIO%d only reads" % pin)
            claim(pin, "SPI " + what)
        self._line = {}
        for line in WORLD.get("spi", ()):
            if (line["sck"], line["mosi"], line["miso"]) == pins:
                self._line = line
        self._wire = Wire(self._line.get("path"))
        self._right = (polarity << 1 | phase) == self._line.get("mode") and baudrate <= self._line.get("most", baudrate)

    def write_readinto(self, out, buf) -> object:
        """Exchange; all ones where the chip is not selected, or hears another mode or rate."""
        if len(out) != len(buf):
            raise ValueError("buffers must be the same length")
        answer = b"\xff" * len(out)
        if self._wire.file is not None and self._right and not Pin.levels.get(self._line["cs"], 1):
            self._wire.write(bytes(out))
            answer = b""
            while len(answer) < len(out):
                part = self._wire.read(len(out) - len(answer), 1000)
                if not part:
                    crash("the model of the SPI chip is silent")
                answer += part
        buf[:] = answer

    def deinit(self) -> object:
        """Release the hardware."""


def _counter() -> object:
    class Counter:
        """The pulse counter of the chip, by its unit."""

        RISING, FALLING, UP, DOWN = 1, 2, 1, 2
        _made = {}

        def __init__(self, unit, src=None, *, edge=1, direction=1, filter_ns=0) -> None:
            if not 0 <= unit < CHIP["pcnt"]:
                raise ValueError("invalid id")
            pin = pin_id(src)
            claim(pin, "PCNT %d" % unit)
            self._wire = Wire(WORLD.get("pulse", {}).get(str(pin)))
            self._filter = min(max(0, filter_ns * 80 // 1000), 1023)
            self._count = 0

        def value(self, value=None) -> object:
            """The count; hardware goes on counting while nothing runs."""
            for byte in self._wire.read():
                if byte == 0x7C or not self._filter:
                    self._count += 1  # other bytes are glitches shorter than the filter
            now = self._count
            if value is not None:
                self._count = value
            return now

    return Counter


if board.VERSION >= (1, 26) and CHIP["pcnt"]:
    Counter = _counter()


def _note(cause) -> object:
    with open(WORLD["rtc"] + ".cause", "w") as f:
        f.write(str(cause))


def reset_cause() -> object:
    """As modmachine.c: a reset by software is a hard one; any other end is the watchdog's."""
    return _cause


def _read_cause() -> object:
    if not _Memory().read():
        return PWRON_RESET
    try:
        with open(WORLD["rtc"] + ".cause") as f:
            return int(f.read())
    except OSError:
        return WDT_RESET


_cause = _read_cause()
_note(WDT_RESET)


def reset() -> object:
    """End with the status that the board's keeper starts again."""
    _note(HARD_RESET)
    sys.exit(75)


def deepsleep(ms=0) -> object:
    """End with a separate status; the owner of the board wakes it after `ms`."""
    _note(DEEPSLEEP_RESET)
    with open(WORLD["rtc"] + ".sleep", "w") as f:
        f.write(str(ms))
    sys.exit(76)


def unique_id() -> object:
    """The factory's MAC address."""
    return struct.pack(">IH", 0x240AC400, 0x1234)


def freq() -> object:
    """Hertz."""
    return 240000000


def idle() -> object:
    """Nothing to do."""
    pump()
