"""`onewire` of the port, frozen into its images: the bus is another process."""

from board import WORLD, Wire, claim
from pins import pin_id


class OneWire:
    """A bus on a pin."""

    def __init__(self, pin) -> None:
        self._id = pin_id(pin)
        claim(self._id, "1-Wire")
        self._wire = Wire(WORLD.get("onewire", {}).get(str(self._id)))

    def _ask(self, data, count) -> object:
        self._wire.write(data)
        out = b""
        while len(out) < count:
            part = self._wire.read(count - len(out), 1000)
            if not part:
                return None
            out += part
        return out

    def reset(self, required=False) -> object:
        """Whether a device answers."""
        return self._ask(b"R", 1) == b"\x01"

    def scan(self) -> object:
        """The addresses on the bus."""
        count = self._ask(b"S", 1)
        data = self._wire.read(8 * count[0], 1000) if count else b""
        return [bytearray(data[at : at + 8]) for at in range(0, len(data), 8)]

    def select_rom(self, rom) -> None:
        """Address one device."""
        self._wire.write(b"M" + bytes(rom))

    def writebyte(self, value) -> None:
        """Send a byte."""
        self._wire.write(b"W" + bytes((value,)))

    def readbyte(self) -> object:
        """Receive a byte; FF where no device sends."""
        got = self._ask(b"B", 1)
        return got[0] if got else 255
