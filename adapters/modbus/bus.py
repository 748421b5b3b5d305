"""A Modbus line with its devices, or a Modbus TCP gateway, by pymodbus: read registers of one unit."""

from __future__ import annotations

import logging
from types import TracebackType
from urllib.parse import urlsplit

from pymodbus.client import ModbusSerialClient, ModbusTcpClient
from pymodbus.exceptions import ModbusException

from adapters.serial.settings import REFUSED, LineSettings

_TIMEOUT_S = 1.0
logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)  # it logs every attempt; the door logs a change once


class NoAnswer(Exception):
    """One device does not answer, or answers with an exception; others on the line may."""


class Bus:
    """An open line. `settings.port`: a serial port, or `tcp://host:502`. Raises OSError where it is not there."""

    def __init__(self, settings: LineSettings) -> None:
        self._client: ModbusTcpClient | ModbusSerialClient
        if settings.port.startswith("tcp://"):
            place = urlsplit(settings.port)
            self._client = ModbusTcpClient(place.hostname or "", port=place.port or 502, timeout=_TIMEOUT_S, retries=1)
        else:
            self._client = ModbusSerialClient(
                settings.port, baudrate=settings.baud, bytesize=settings.bits, parity=settings.parity,
                stopbits=int(settings.stop), timeout=_TIMEOUT_S, retries=1,
            )  # fmt: skip
        try:
            connected = self._client.connect()
        except REFUSED as error:
            raise OSError(f"{settings.port} does not take its settings: {error}") from None
        if not connected:
            raise OSError(f"{settings.port} cannot be opened")

    def read(self, unit: int, function: int, first: int, count: int) -> list[int]:
        """The words of registers. Raises NoAnswer for the device, OSError where the line is gone."""
        ask = self._client.read_holding_registers if function == 3 else self._client.read_input_registers
        try:
            answer = ask(first, count=count, device_id=unit)
        except ModbusException as error:
            if not self._client.connected:
                raise OSError(str(error)) from None
            raise NoAnswer(str(error)) from None
        if answer.isError() or len(answer.registers) != count:
            raise NoAnswer(f"register {first}: {answer}")
        return list(answer.registers)

    def __enter__(self) -> Bus:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()  # type: ignore[no-untyped-call]
