"""The radio of an ESP32 while a node is set up: its own access point, and the networks in the air."""

import network

from .wifi import Station


class Radio:
    """`password`: of the access point, at least 8 characters; empty leaves it open."""

    def __init__(self, board, password):
        self.board = board
        self.password = password
        self._wlan = network.WLAN(network.STA_IF)
        self._wlan.active(True)
        self.name = "cityvitals-%02x%02x" % tuple(self._wlan.config("mac")[-2:])
        self._point = network.WLAN(network.AP_IF)

    def scan(self):
        """Names of networks, the strongest first, at most twelve."""
        try:
            found = sorted(self._wlan.scan(), key=lambda one: -one[3])
        except OSError:
            return []  # it is still joining
        names = []
        for one in found:
            try:
                name = one[0].decode()
            except UnicodeError:
                continue
            if name and name not in names:
                names.append(name)
        return names[:12]

    def open(self):
        """Open the access point; returns its address."""
        self._point.active(True)
        if self.password:
            self._point.config(ssid=self.name, security=network.AUTH_WPA_WPA2_PSK, key=self.password)
        else:
            self._point.config(ssid=self.name, security=network.AUTH_OPEN)
        return self._point.ifconfig()[0]

    def close(self):
        """Close it."""
        self._point.active(False)

    def station(self, wifi, say):
        """Join with what was entered; the board then has this network."""
        names = ("ssid", "password", "ssid2", "password2")
        made = Station(self.board, {name: wifi.get(name, "") for name in names}, self.name, say)
        self.board.use(made)
        return made

    def leave(self):
        """Leave the network: the access point alone chooses the channel then."""
        self.board.use(None)
        try:
            self._wlan.disconnect()
        except OSError:
            pass
