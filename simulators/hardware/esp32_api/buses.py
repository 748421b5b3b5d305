"""UART and I2C of the ESP32 port."""

import io

from board import CHIP, POWERED, WORLD, Wire, claim, crash
from pins import Pin, pin_id, pump

_ETIMEDOUT = 116  # of the port's C library; Linux has 110


class UART(io.IOBase):
    """A serial port."""

    INV_TX, INV_RX, INV_RTS, INV_CTS = 1 << 5, 1 << 2, 1 << 6, 1 << 3
    _made = {}

    def __init__(
        self, port, baudrate=0, bits=0, parity="", stop=0, *, tx="", rx="", rts="", cts="", txbuf=-1, rxbuf=-1,
        timeout=-1, timeout_char=-1, invert=-1, flow=-1,
    ) -> None:  # fmt: skip
        if not 0 <= port < CHIP["uarts"]:
            raise ValueError("UART(%d) does not exist" % port)
        if port in UART._made:
            crash("UART %d was made twice: the first one's driver is gone" % port)
        self._port = port
        self._rxbuf, self._txbuf = 256, 256
        if (rxbuf >= 0 and rxbuf != 256) or (txbuf >= 0 and txbuf != 256):
            if port == 0:
                raise ValueError("REPL UART buffer size is fixed")
            self._rxbuf = rxbuf if rxbuf >= 0 else 256
        self._tx, self._rx = CHIP["uart_pins"][port]
        self._tx, self._rx = self._choose(self._tx, tx), self._choose(self._rx, rx)
        if bits not in (0, 5, 6, 7, 8):
            raise ValueError("invalid data bits")
        if stop not in (0, 1, 2):
            raise ValueError("invalid stop bits")
        if invert != -1 and invert & ~(self.INV_TX | self.INV_RX | self.INV_RTS | self.INV_CTS):
            raise ValueError("invalid inversion mask")
        self._settings = (
            baudrate or 115200, bits or 8, None if parity in ("", None) else parity & 1, invert > 0 and invert & 4 > 0
        )  # fmt: skip
        if port:
            for pin, what in ((self._tx, "tx"), (self._rx, "rx")):
                if pin is not None:
                    if what == "tx" and pin in CHIP["reads"]:
                        crash("GPIO%d only reads; it is the tx of UART %d" % (pin, port))
                    claim(pin, "UART %d %s" % (port, what))
        UART._made[port] = self
        self._connect()

    @staticmethod
    def _choose(default, given) -> object:
        if given == "":
            return default
        if given == -1:
            return None
        return pin_id(given)  # None is not a pin: ValueError, as in the C source

    def _connect(self) -> object:
        self._buf = b""
        self._wire, self._sends, self._right = Wire(None), False, True
        for line in WORLD.get("uart", ()):
            if line["rx"] == self._rx:
                self._wire = Wire(line["path"])
                self._sends = line.get("tx", self._tx) == self._tx
                wanted = (line.get("baud", self._settings[0]), line.get("bits", 8), line.get("parity"))
                self._right = wanted + (line.get("invert", False),) == self._settings
                self._de = line.get("de")

    def _fill(self) -> object:
        pump()
        data = self._wire.read()
        if data and not self._right:
            data = bytes([byte ^ 0xA5 for byte in data])  # what a wrong rate, framing or polarity makes of it
        self._buf = (self._buf + data)[: self._rxbuf]  # the driver's buffer is full: what comes is lost

    def ioctl(self, request, arg) -> object:
        """For poll()."""
        if request != 3:
            return 0
        self._installed()
        self._fill()
        return arg & (4 | (1 if self._buf else 0))

    def _installed(self) -> object:
        """The port installs no driver for the UART of its console: its bytes go there."""
        if not self._port:
            raise OSError(-1, "ESP_FAIL")

    def any(self) -> object:
        """How many bytes wait."""
        self._installed()
        self._fill()
        return len(self._buf)

    def read(self, count=-1) -> object:
        """What is there, None where nothing is (timeout 0), and always on the console's UART."""
        if not self._port:
            return None
        self._fill()
        count = len(self._buf) if count < 0 else count
        out, self._buf = self._buf[:count], self._buf[count:]
        return out or None

    def readinto(self, buf) -> object:
        """The same into a buffer."""
        data = self.read(len(buf))
        if data is None:
            return None
        buf[: len(data)] = data
        return len(data)

    def write(self, data) -> object:
        """Send; a transceiver with a direction pin sends only while that is high."""
        if self._tx is None:
            crash("UART %d writes and has no tx pin" % self._port)
        if self._sends and (self._de is None or Pin.levels.get(self._de)):
            self._wire.write(bytes(data) if self._right else bytes([byte ^ 0xA5 for byte in data]))
        return len(data)

    def txdone(self) -> object:
        """All sent."""
        return True

    def flush(self) -> object:
        """Wait until all is sent."""

    def deinit(self) -> object:
        """Close the port."""
        UART._made.pop(self._port, None)
        for pin in (self._tx, self._rx):
            POWERED.pop(("pin", pin), None)


class I2C:
    """A bus; the devices on it are another process (address, write length, read length, bytes)."""

    _made = set()

    def __init__(self, port=0, *, scl="", sda="", freq=400000, timeout=50000) -> None:
        if not 0 <= port < CHIP["i2cs"]:
            raise ValueError("I2C(%d) doesn't exist" % port)
        if port in I2C._made:
            crash("I2C %d was made twice: the bus is deleted while it is in use" % port)
        I2C._made.add(port)
        default = CHIP["i2c_pins"][port]
        scl = default[0] if scl == "" else pin_id(scl)
        sda = default[1] if sda == "" else pin_id(sda)
        for pin, what in ((scl, "scl"), (sda, "sda")):
            if pin in CHIP["reads"]:
                crash("GPIO%d only reads; it is the %s of I2C %d" % (pin, what, port))
            claim(pin, "I2C %d %s" % (port, what))
        self._wire = Wire(None)
        self._port = port
        for line in WORLD.get("i2c", ()):
            if (line["sda"], line["scl"]) == (sda, scl):
                self._wire = Wire(line["path"])

    def _exchange(self, addr, data, count) -> object:
        pump()
        if self._wire.file is None:
            raise OSError(_ETIMEDOUT)
        self._wire.read()  # an answer that this computer gave too late is not the next one's
        self._wire.write(bytes((addr, len(data), count)) + data)
        status = self._wire.read(1, 1000)
        if not status:
            raise OSError(_ETIMEDOUT)
        if status == b"\x01":
            raise OSError(19)
        out = b""
        while len(out) < count:
            part = self._wire.read(count - len(out), 1000)
            if not part:
                raise OSError(_ETIMEDOUT)
            out += part
        return out

    def scan(self) -> object:
        """Addresses that answer."""
        found = []
        for addr in range(8, 0x78):
            try:
                self._exchange(addr, b"", 0)
                found.append(addr)
            except OSError as err:
                if err.args[0] != 19:
                    raise
        return found

    def writeto(self, addr, data, stop=True) -> object:
        """Write."""
        self._exchange(addr, bytes(data), 0)
        return len(data)

    def readfrom(self, addr, count, stop=True) -> object:
        """Read."""
        return self._exchange(addr, b"", count)

    def readfrom_into(self, addr, buf, stop=True) -> object:
        """Read into a buffer."""
        buf[:] = self._exchange(addr, b"", len(buf))

    def writeto_mem(self, addr, register, data, *, addrsize=8) -> object:
        """Write registers."""
        self._exchange(addr, bytes((register,)) + bytes(data), 0)

    def readfrom_mem(self, addr, register, count, *, addrsize=8) -> object:
        """Read registers."""
        return self._exchange(addr, bytes((register,)), count)


class SoftI2C(I2C):
    """The same bus by software: any two pins that can be outputs, any number of them."""

    def __init__(self, scl, sda, *, freq=400000, timeout=50000) -> None:
        I2C._made.discard(0)
        I2C.__init__(self, 0, scl=scl, sda=sda)
        I2C._made.discard(0)
