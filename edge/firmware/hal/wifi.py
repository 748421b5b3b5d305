"""Wi-Fi of an ESP32 as a station: joins and reports the reason of a failure.

The port reconnects by itself after a failure. `disconnect` and `connect` in between would restart an association or a
DHCP exchange that takes longer than the timeout; they are used only to change to the second network, or after
two minutes without progress.
"""

import network
from micropython import const

_TIMEOUT_MS = const(30000)
_CHANGE_MS = const(60000)
_STUCK_MS = const(120000)
_POLL_MS = const(500)
_TEXTS = const(
    "200 beacon lost|201 no access point|202 wrong password|203 association failed|204 handshake timeout, often a wrong"
    " password|205 connection failed|210 no access point with a supported security|211 security is too weak|212 signal"
    " is too weak|1000 idle|1001 connecting|1010 connected"
)


class Station:
    """`wifi`: ssid, password, and a second network ssid2, password2 for when the first fails."""

    def __init__(self, board, wifi, hostname, say):
        self.board = board
        self.say = say
        self._networks = [(wifi["ssid"], wifi["password"])]
        if wifi["ssid2"]:
            self._networks.append((wifi["ssid2"], wifi["password2"]))
        self._chosen = 0
        self._asked_ms = None
        try:
            network.hostname(hostname[:32])
        except (ValueError, OSError):
            pass  # the default name will do
        self._wlan = network.WLAN(network.STA_IF)

    def connected(self):
        """With an address."""
        return self._wlan.isconnected()

    def ifconfig(self):
        """(address, mask, gateway, name server)."""
        return self._wlan.ifconfig()

    def text(self):
        """The state in words: network, number and what it means."""
        status = self._wlan.status()
        meaning = "status %d" % status
        for line in _TEXTS.split("|"):
            if line.startswith("%d " % status):
                meaning = line
        out = "Wi-Fi '%s': %s" % (self._networks[self._chosen][0], meaning)
        return out + ", address " + self.ifconfig()[0] if self.connected() else out

    def rssi(self):
        """Signal strength in dBm; None where the link has just gone."""
        try:
            return self._wlan.status("rssi") if self._wlan.isconnected() else None
        except OSError:
            return None

    def _join(self):
        ssid, password = self._networks[self._chosen]
        self._asked_ms = self.board.ticks_ms()
        try:
            self._wlan.connect(ssid, password)
        except OSError as err:
            self.say("network", "connect: %s" % err)

    async def _change_network(self):
        """Join the other network, or the same one from the start."""
        self._chosen = (self._chosen + 1) % len(self._networks)
        self._wlan.disconnect()
        await self.board.sleep_ms(1000)
        self._join()

    async def up(self, beat):
        """Return once connected; OSError after 30 s. `beat()` is called meanwhile."""
        if not self._wlan.active():
            self._wlan.active(True)
            await self.board.sleep_ms(1000)  # the status is wrong right after activation
        began = self.board.ticks_ms()
        while not self._wlan.isconnected():
            beat()
            now = self.board.ticks_ms()
            if self._asked_ms is None or (self._wlan.status() == 1000 and now - self._asked_ms > 2000):
                self._join()
            elif now - self._asked_ms > (_CHANGE_MS if len(self._networks) > 1 else _STUCK_MS):
                await self._change_network()
            self.say("network", self.text())
            if now - began > _TIMEOUT_MS:
                raise OSError(118, self.text())
            await self.board.sleep_ms(_POLL_MS)
        self.say("network", self.text())
