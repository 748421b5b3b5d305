"""Ethernet of an ESP32: a LAN8720 at the chip's own interface (ESP32 only), or a W5500 on SPI (any chip).

`lan`: `{"phy": "lan8720", "mdc": 23, "mdio": 18, "address": 1, "power": 12}` or
`{"phy": "w5500", "sck": 12, "mosi": 11, "miso": 13, "cs": 10, "int": 14}`.
"""

import machine
import network
from micropython import const

_TIMEOUT_MS = const(30000)
_POLL_MS = const(500)


def _interface(lan):
    if lan["phy"] == "lan8720":
        power = machine.Pin(lan["power"], machine.Pin.OUT) if "power" in lan else None
        mdc, mdio = machine.Pin(lan["mdc"]), machine.Pin(lan["mdio"])
        phy = network.PHY_LAN8720
        return network.LAN(mdc=mdc, mdio=mdio, power=power, phy_type=phy, phy_addr=lan.get("address", 1))
    pins = {key: machine.Pin(lan[key]) for key in ("sck", "mosi", "miso")}
    spi = machine.SPI(1, baudrate=20000000, **pins)
    cs, interrupt = machine.Pin(lan["cs"]), machine.Pin(lan["int"])
    return network.LAN(spi=spi, cs=cs, int=interrupt, phy_type=network.PHY_W5500, phy_addr=0)


class Lan:
    """The cable."""

    def __init__(self, board, lan, say):
        self.board = board
        self.say = say
        self._lan = _interface(lan)

    def connected(self):
        """With an address."""
        return self._lan.isconnected()

    def ifconfig(self):
        """(address, mask, gateway, name server)."""
        return self._lan.ifconfig()

    def text(self):
        """The state in words."""
        if self.connected():
            return "Ethernet: connected, address " + self.ifconfig()[0]
        return "Ethernet: no link or no address (status %d)" % self._lan.status()

    def rssi(self):
        """None: a cable has none."""

    async def up(self, beat):
        """Return once there is an address; OSError after 30 s."""
        if not self._lan.active():
            self._lan.active(True)
        began = self.board.ticks_ms()
        while not self._lan.isconnected():
            beat()
            self.say("network", self.text())
            if self.board.ticks_ms() - began > _TIMEOUT_MS:
                raise OSError(118, self.text())
            await self.board.sleep_ms(_POLL_MS)
        self.say("network", self.text())
