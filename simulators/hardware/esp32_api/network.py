"""`network` of the ESP32 port: a station that joins, fails and reports as network_wlan.c does."""

import time as _time

import board

STA_IF, AP_IF = 0, 1
STAT_IDLE, STAT_CONNECTING, STAT_GOT_IP = 1000, 1001, 1010
STAT_NO_AP_FOUND, STAT_WRONG_PASSWORD, STAT_BEACON_TIMEOUT, STAT_HANDSHAKE_TIMEOUT = 201, 202, 200, 204
PHY_LAN8720, PHY_GENERIC = 1, 0
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
        self._begin()  # the port tries again by itself

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
        dns = board.world().get("dns", [])
        return ("127.0.0.1", "255.0.0.0", "127.0.0.1", dns[0] if dns else "0.0.0.0")

    def config(self, key=None, **values) -> object:
        """MAC address, or settings."""
        if key == "mac":
            return b"\x24\x0a\xc4\x00\x12\x34"
        self._config.update(values)
        return self._config.get(key)

    def scan(self) -> object:
        """What is in the air: (ssid, bssid, channel, rssi, security, hidden)."""
        there = board.world().get("wifi", {})
        return [] if there.get("away") else [(there.get("ssid", "").encode(), bytes(6), 6, -61, 3, False)]


class LAN:
    """An Ethernet interface with an external chip."""

    def __init__(self, id=0, *, mdc=None, mdio=None, power=None, phy_addr=None, phy_type=None, **spi) -> None:
        if phy_addr is None or phy_type is None:
            raise ValueError("invalid phy address")
        if "spi" not in spi and (mdc is None or mdio is None):
            raise ValueError("mdc and mdio must be specified")
        self._on = False

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
