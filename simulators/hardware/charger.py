"""An OpenEVSE charging station on its serial RAPI."""

from pathlib import Path

from simulators.hardware.line import Device, Faults


def checked(text: str) -> bytes:
    """A line with its XOR check sum."""
    value = 0
    for byte in text.encode():
        value ^= byte
    return f"{text}^{value:02X}\r".encode()


class OpenEvse(Device):
    """State 1 is free, 2 connected, 3 charging, 5 to 11 faults; energy is counted by `charge`."""

    def __init__(self, path: Path, faults: Faults | None = None) -> None:
        super().__init__(path, faults)
        self.state = 1
        self.session_ws = 0
        self.total_wh = 100000
        self.chatter = True  # an event line in front of every answer
        self._pending = b""

    def connect(self) -> None:
        """A vehicle is plugged in: a new session."""
        self.state, self.session_ws = 2, 0

    def charge(self, watt_hours: int) -> None:
        """Energy flows."""
        self.state = 3
        self.session_ws += watt_hours * 3600
        self.total_wh += watt_hours

    def leave(self) -> None:
        """The vehicle is unplugged."""
        self.state = 1

    def step(self) -> None:
        """Answer what has been asked."""
        *lines, self._pending = (self._pending + self.line.receive()).split(b"\r")
        for line in lines:
            if self.chatter:
                self.line.send(checked(f"$AT {self.state:02x} {self.state:02x} 16 0100"))
            self.line.send(checked(self._answer(line)))

    def _answer(self, line: bytes) -> str:
        charging = self.state == 3
        answers = {
            b"$GS": f"$OK {self.state:02x} 120 {self.state:02x} 0100",
            b"$GG": f"$OK {16000 if charging else 0} 230000",
            b"$GU": f"$OK {self.session_ws} {self.total_wh}",
        }
        return answers.get(line[:3], "$NK")
