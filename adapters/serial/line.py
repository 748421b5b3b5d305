"""A serial line as a stream of bytes, by pyserial: `/dev/ttyUSB0`, `/dev/serial/by-id/...`, or `socket://host:port`."""

from __future__ import annotations

from types import TracebackType

import serial

from adapters.serial.settings import REFUSED, LineSettings

_WAIT_S = 0.2


class SerialLine:
    """An open line. Raises OSError where it is not there, also later when it is unplugged."""

    def __init__(self, settings: LineSettings) -> None:
        try:
            self._port = serial.serial_for_url(
                settings.port, baudrate=settings.baud, bytesize=settings.bits, parity=settings.parity,
                stopbits=settings.stop, timeout=_WAIT_S,
            )  # fmt: skip
        except REFUSED as error:
            raise OSError(f"{settings.port} does not take its settings: {error}") from None

    def read(self) -> bytes:
        """The bytes that are there; none after a fifth of a second without any."""
        first = self._port.read(1)
        return first + self._port.read(self._port.in_waiting) if first else b""

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self._port.write(data)

    def __enter__(self) -> SerialLine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._port.close()
