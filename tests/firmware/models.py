"""For each driver the model of its sensor, wired to the pins that the tools choose, and what it must report."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from simulators.hardware.atm90e32 import Atm90e32
from simulators.hardware.bme280 import Bme280
from simulators.hardware.bme680 import Bme680
from simulators.hardware.charger import OpenEvse
from simulators.hardware.climate import Ads1115, Scd41, Sht4x
from simulators.hardware.dlms import DlmsMeter
from simulators.hardware.gases import Mhz19, Scd30, Sen55, Sgp41
from simulators.hardware.i2c import Bus, Chip
from simulators.hardware.line import Device
from simulators.hardware.meters import ModbusSlave, P1Port, Pzem004t, S0Output, Sdm630
from simulators.hardware.microphone import Microphone
from simulators.hardware.modbus_line import ModbusLine, sdm120
from simulators.hardware.onewire import OneWire
from simulators.hardware.particles import Sds011, Sps30, Sps30OnI2c
from simulators.hardware.pilot import ControlPilot
from simulators.hardware.pms5003 import Pms5003
from simulators.hardware.sml import SmlMeter


class Model(NamedTuple):
    """`make` builds it on a serial line; `line`: what its side of the line must be set to."""

    make: Callable[[Path], Device]
    expected: dict[str, float]
    line: dict[str, Any] = {}  # noqa: RUF012 - never changed


def _pzem(path: Path) -> Device:
    meter = Pzem004t(path)
    meter.measure(225.7, 0.108, 24.4, 70038)
    return meter


def _sdm630(path: Path) -> Device:
    meter = Sdm630(path)
    meter.measure(230.5, 3.25, 2200.5, 12345.5, 1.5)
    return meter


def _abb(path: Path) -> Device:
    station = ModbusSlave(path, function=3)
    station.registers = dict.fromkeys(range(0x400C, 0x4020), 0)
    station.registers.update({0x400D: 0x0300, 0x4011: 16000, 0x4017: 2301, 0x401D: 3680, 0x401F: 5500})
    return station


def _pilot(path: Path) -> Device:
    pilot = ControlPilot(path)
    pilot.state = "C"
    return pilot


def chips(**by_address: Chip) -> Callable[[Path], Device]:
    """A bus with chips: `chips(x44=Sht4x())`."""
    return lambda path: Bus(path, {int(name[1:], 16): chip for name, chip in by_address.items()})


MODELS: dict[str, Model] = {
    "sen5x": Model(
        chips(x69=Sen55()),
        {"pm1": 3.5, "pm2_5": 7.2, "pm4": 8.0, "pm10": 9.5, "humidity": 45.12, "temperature": 21.5, "voc_index": 100.5},
    ),
    # 52 kohm in the ten bits of its range: 795 in range 7.
    "bme680": Model(
        chips(x76=Bme680()), {"temperature": 21.5, "humidity": 45.0, "pressure": 1013.25, "gas_resistance": 51979}
    ),
    "sgp41": Model(chips(x59=Sgp41()), {"voc_raw": 30100, "nox_raw": 15900}),
    "sps30_i2c": Model(chips(x69=Sps30OnI2c()), {"pm1": 3.5, "pm2_5": 7.25, "pm4": 8.5, "pm10": 9.5}),
    "atm90e32": Model(
        Atm90e32,
        {
            "voltage": 230.12,
            "current": 4.25,
            "power": 3541.12,
            "power_l2": -110.08,
            "frequency": 49.98,
            "power_factor": 0.973,
        },
        {"mode": 3, "most": 200000},
    ),
    "dlms_push": Model(
        DlmsMeter, {"energy_total": 2345678, "power": 450, "voltage": 231.4, "current": 1.95}, {"baud": 2400}
    ),
    "i2s_noise": Model(Microphone, {"laeq": 94.0, "la10": 94.0, "la90": 94.0}),
    "scd30": Model(chips(x61=Scd30()), {"co2": 843, "temperature": 21.25, "humidity": 47.5}),
    "mhz19": Model(Mhz19, {"co2": 655}, {"baud": 9600}),
    "sml": Model(
        SmlMeter,
        {"energy_total": 12345678.9, "energy_export_total": 500, "power": -1234, "voltage": 230.1},
        {"baud": 9600},
    ),
    "rain_gauge": Model(S0Output, {"rain_total": 0}),
    "anemometer": Model(S0Output, {"wind_speed": 0, "wind_gust": 0}),
    "ds18b20": Model(OneWire, {"temperature": 18.5}),
    "pms5003": Model(Pms5003, {"pm1": 4, "pm2_5": 10, "pm10": 12}, {"baud": 9600}),
    "sds011": Model(Sds011, {"pm2_5": 12.3, "pm10": 45.6}, {"baud": 9600}),
    "sps30": Model(Sps30, {"pm1": 3.5, "pm2_5": 7.25, "pm10": 9.5}, {"baud": 115200}),
    "bme280": Model(chips(x76=Bme280()), {"temperature": 21.5, "humidity": 45.0, "pressure": 1013.25}),
    "sht4x": Model(chips(x44=Sht4x()), {"temperature": 25.0, "humidity": 40.0}),
    "scd41": Model(chips(x62=Scd41(running=True)), {"co2": 612, "temperature": 22.0, "humidity": 50.0}),
    "ads1115": Model(
        chips(x48=Ads1115([512000, 300000, -25000, 1000])),
        {"no2_we": 512.0, "no2_ae": 300.0, "o3_we": -25.0, "o3_ae": 1.0},
    ),
    "pzem004t": Model(_pzem, {"voltage": 225.7, "current": 0.108, "energy_total": 70038}, {"baud": 9600}),
    "sdm630": Model(_sdm630, {"voltage": 230.5, "power": 2200.5, "energy_total": 12345500}, {"baud": 9600}),
    "dsmr_p1": Model(
        lambda path: P1Port(path, lambda: (2345678, 450)),
        {"energy_total": 2345678, "power": 450, "voltage": 231.4},
        {"baud": 115200, "invert": True},
    ),
    "s0": Model(S0Output, {"pulses": 0}),
    "openevse": Model(OpenEvse, {"connector_state": 0, "energy_total": 100000}, {"baud": 115200}),
    "j1772": Model(_pilot, {"connector_state": 2}),
    "modbus_meter": Model(
        lambda path: ModbusLine(path, {1: sdm120(230.5, 3.25, 700.5, 1234.5, 1.5)}, quiet_s=0.01),
        {"voltage": 230.5, "current": 3.25, "power": 700.5, "energy_total": 1234500, "energy_export_total": 1500},
        {"baud": 9600},
    ),
    "modbus_evse": Model(_abb, {"connector_state": 2, "current": 16.0, "voltage": 230.1}, {"baud": 19200}),
}
