"""`network` of the ESP32 port: a station that joins, fails and reports as network_wlan.c does."""

import json
import sys
import time as _time

import board
import machine
from pins import pin_id

STA_IF, AP_IF = 0, 1
STAT_IDLE, STAT_CONNECTING, STAT_GOT_IP = 1000, 1001, 1010
STAT_NO_AP_FOUND, STAT_WRONG_PASSWORD, STAT_BEACON_TIMEOUT, STAT_HANDSHAKE_TIMEOUT = 201, 202, 200, 204
PHY_GENERIC, PHY_LAN8720, PHY_W5500 = 0, 2, 10  # numbers of network_lan.c; only their names count
AUTH_OPEN, AUTH_WPA_WPA2_PSK = 0, 4
_active = False
_hostname = "mpy-esp32"


def hostname(name=None) -> object:
    """Return or set the name for DHCP."""
    global _hostname
    if name is None:
        return _hostname
    if not 0 < len(name) <= 32:
        raise ValueError
    _hostname = name
    return None


class WLAN:
    """One object per interface, as on the port."""

    IF_STA, IF_AP = 0, 1
    _objects = {}

    def __new__(cls, interface=0) -> object:
        if interface not in (0, 1):
            raise ValueError("invalid WLAN interface identifier")
        if board.WORLD.get("no_memory"):
            raise OSError("WiFi Out of Memory")
        if interface not in cls._objects:
            made = object.__new__(cls)
            made._sta = interface == 0
            made._on = made._wanted = made._joined = False
            made._reason, made._joins_at, made.joins = 0, 0, 0
            made._config = {}
            cls._objects[interface] = made
        return cls._objects[interface]

    def __init__(self, interface=0) -> None:
        pass

    def active(self, on=None) -> object:
        """Start or stop the radio."""
        global _active
        if on is not None:
            self._on = _active = bool(on)
            if not on:
                self._wanted = self._joined = False
            if not self._sta:
                self._log()
        return self._on

    def connect(self, ssid=None, key=None, *, bssid=None) -> object:
        """Begin to join; it goes on by itself, also after a failure."""
        if not self._on:
            raise OSError("Wifi Not Started")
        self._step()
        if self._wanted and not self._joined and _time.ticks_diff(self._joins_at, _time.ticks_ms()) > 0:
            raise OSError("Wifi Internal Error")  # sta is connecting
        self._ssid, self._key, self._wanted, self.joins = ssid, key or "", True, self.joins + 1
        self._begin()

    def _begin(self) -> object:
        self._joins_at = _time.ticks_add(_time.ticks_ms(), board.world().get("wifi", {}).get("join_ms", 300))

    def _step(self) -> object:
        there = board.world().get("wifi", {})
        if self._joined and (there.get("ssid") != self._ssid or there.get("away")):
            self._joined, self._reason = False, 200
            self._begin()
        if not self._wanted or self._joined or _time.ticks_diff(self._joins_at, _time.ticks_ms()) > 0:
            return
        if there.get("away") or there.get("ssid") != self._ssid:
            self._reason = 201
        elif there.get("password", "") != self._key:
            self._reason = there.get("wrong", 202)
        else:
            self._joined, self._reason = True, 0
            return
        self._begin()  # the port retries by itself

    def disconnect(self) -> object:
        """Leave, and stop trying."""
        if not self._on:
            raise OSError("Wifi Not Started")
        self._wanted = self._joined = False
        self._reason = 8  # ASSOC_LEAVE

    def isconnected(self) -> object:
        """With an address."""
        self._step()
        return self._joined

    def status(self, what=None) -> object:
        """The state as a number, or the signal strength."""
        self._step()
        if what == "rssi":
            if not self._joined:
                raise OSError("Wifi Not Connected")
            return -61
        if what is not None:
            raise ValueError("unknown status param")
        if self._joined:
            return STAT_GOT_IP
        if self._reason in (201, 202):
            return self._reason
        if self._reason == 8:
            return STAT_IDLE
        if self._wanted:
            return STAT_CONNECTING
        return self._reason or STAT_IDLE

    def ifconfig(self, config=None) -> object:
        """(address, mask, gateway, name server)."""
        if not self._sta:
            return ("192.168.4.1", "255.255.255.0", "192.168.4.1", "0.0.0.0")
        dns = board.world().get("dns", [])
        return ("127.0.0.1", "255.0.0.0", "127.0.0.1", dns[0] if dns else "0.0.0.0")

    def config(self, *asked, **values) -> object:
        """MAC address, or settings."""
        if asked and values:
            raise TypeError("either pos or kw args are allowed")
        if asked == ("mac",):
            return b"\x24\x0a\xc4\x00\x12\x34"
        for name in values:
            if name not in (
                "ssid",
                "key",
                "security",
                "channel",
                "hidden",
                "max_clients",
                "txpower",
                "pm",
                "reconnects",
            ):
                raise ValueError("unknown config param")
        if values and not self._sta:
            wanted = dict(self._config)
            wanted.update(values)
            self._settings(wanted)
        self._config.update(values)
        return self._config.get(asked[0]) if asked else None

    def _settings(self, wanted) -> object:
        """What esp_wifi_set_config refuses of an access point."""
        if not self._on:
            raise OSError("Wifi Not Started")
        if not 0 < len(wanted.get("ssid", "ESP").encode()) <= 32:
            raise OSError("Wifi Invalid SSID")
        if wanted.get("security", AUTH_OPEN) != AUTH_OPEN and not 8 <= len(wanted.get("key", "")) <= 63:
            raise OSError("Wifi Invalid Password")
        self._config = wanted
        self._log()

    def _log(self) -> object:
        """For tests: what a telephone would find."""
        sys.stderr.write("AIR %s\n" % json.dumps(self._config if self._on else {}))

    def scan(self) -> object:
        """What is in the air: (ssid, bssid, channel, rssi, security, hidden)."""
        if not self._on:
            raise OSError("STA must be active")
        there = board.world().get("wifi", {})
        return [] if there.get("away") else [(there.get("ssid", "").encode(), bytes(6), 6, -61, 3, False)]


def _spi_chip(spi=None, cs=None, int=None, **other) -> object:
    """A chip on SPI: the bus, its select pin and its interrupt."""
    if other:
        raise TypeError("extra keyword arguments given")
    if spi is None or cs is None or int is None:
        raise ValueError("spi, cs and int must be specified")
    if not isinstance(spi, machine.SPI):
        raise ValueError("invalid spi")
    chosen, interrupt = pin_id(cs), pin_id(int)
    if chosen in board.CHIP["reads"]:
        board.crash("GPIO%d only reads; it selects the Ethernet chip" % chosen)
    board.claim(chosen, "Ethernet select")
    board.claim(interrupt, "Ethernet interrupt")


class LAN:
    """An Ethernet interface with an external chip."""

    def __init__(self, id=0, *, mdc=None, mdio=None, power=None, phy_addr=None, phy_type=None, **spi) -> None:
        if phy_addr is None or not 0 <= phy_addr <= 31:
            raise ValueError("invalid phy address")
        if phy_type == PHY_W5500:
            _spi_chip(**spi)
        elif phy_type in (PHY_LAN8720, PHY_GENERIC) and board.CHIP["ethernet"]:
            self._own_pins(mdc, mdio, power)
        else:
            raise ValueError("invalid phy type")  # of the chips here only the ESP32 has an Ethernet interface
        if board.WORLD.get("no_chip"):
            raise OSError("esp_eth_driver_install failed")  # it asks the chip for its version
        if LAN._made:
            raise OSError("esp_netif_attach failed")
        LAN._made = True
        self._on = False

    _made = False

    @staticmethod
    def _own_pins(mdc, mdio, power) -> object:
        if mdc is None or mdio is None:
            raise ValueError("mdc and mdio must be specified")
        for pin, what in ((mdc, "mdc"), (mdio, "mdio"), (power, "power")):
            if pin is None:
                continue
            number = pin_id(pin)
            if number in board.CHIP["reads"]:
                board.crash("GPIO%d only reads; it is the %s of Ethernet" % (number, what))
            board.claim(number, "Ethernet " + what)
        for number in board.CHIP["ethernet"]:
            board.claim(number, "Ethernet data")

    def active(self, on=None) -> object:
        """Start or stop."""
        if on is not None:
            if self._on == bool(on):
                raise OSError("ethernet enable failed")  # the driver is in this state already
            self._on = bool(on)
        return self._on

    def isconnected(self) -> object:
        """With a link and an address."""
        return self._on and not board.world().get("unplugged")

    def status(self) -> object:
        """Numbers as in network_lan.c."""
        return 5 if self.isconnected() else 3

    def ifconfig(self) -> object:
        """(address, mask, gateway, name server)."""
        dns = board.world().get("dns", [])
        return ("127.0.0.1", "255.0.0.0", "127.0.0.1", dns[0] if dns else "0.0.0.0")
