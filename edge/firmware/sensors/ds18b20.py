"""Maxim DS18B20 temperature sensors on a 1-Wire bus: one or several on a pin, each with its own address."""

KIND = "weather"
PART = "Maxim DS18B20, also waterproof"
BUS = "onewire"
QUANTITIES = ("temperature",)
OPTIONS = {"names": {}}
WIRING = "3.3 V, ground, data to the pin with 4.7 kohm to 3.3 V"
PARTS = ("DS18B20", "4.7 kohm")

_FAMILY = 0x28


def crc8(data):
    """CRC-8/MAXIM."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x8C if crc & 1 else crc >> 1
    return crc


def value(scratchpad):
    """Ten-thousandths of a degree out of the nine bytes; None for 85 C after a loss of power; OSError on a bad CRC."""
    if crc8(scratchpad[:8]) != scratchpad[8]:
        raise OSError(74, "wrong checksum")
    raw = scratchpad[0] | scratchpad[1] << 8
    if raw == 0x0550:
        return None  # what it reports when it lost its supply during the conversion
    return (raw - 65536 if raw & 0x8000 else raw) * 625


class Driver:
    """Options: `pin`, `names`: channel by address, as {"28ff641e8216046b": "soil"}; without names the first is read."""

    def __init__(self, board, options):
        self._board = board
        self._wire = board.wire(options["pin"])
        self._names = options.get("names", {})

    async def read(self):
        """Convert all at once, then read each."""
        if not self._wire.reset():
            raise OSError(19, "no sensor answers on the wire")
        roms = [rom for rom in self._wire.scan() if rom[0] == _FAMILY]
        if not roms:
            raise OSError(19, "no sensor answers on the wire")
        self._wire.reset()
        self._wire.writebyte(0xCC)
        self._wire.writebyte(0x44)
        await self._board.sleep_ms(750)
        out = []
        for rom in roms:
            name = self._names.get("".join(["%02x" % byte for byte in rom]))
            if self._names and not name:
                continue
            self._wire.reset()
            self._wire.select_rom(rom)
            self._wire.writebyte(0xBE)
            scratchpad = bytes([self._wire.readbyte() for _ in range(9)])
            got = value(scratchpad)
            if got is not None:
                out.append((name + "/temperature" if name else "temperature", got, 4))
            if not self._names:
                break
        return out
