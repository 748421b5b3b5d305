"""Decodes the cases of a JSON file and prints the results as JSON. Runs on any interpreter.

    vectors.py CASES.json

A case is `{"decode": name, "hex" or "text": input, ...}`; the names are the functions in DECODERS.
"""

import json
import sys
from binascii import hexlify, unhexlify

from firmware import lazy
from firmware.buses import modbus, sensirion
from firmware.net import sntp
from firmware.records import senml
from firmware.sensors import (
    ads1115,
    bme280,
    bme680,
    ds18b20,
    dsmr_p1,
    mhz19,
    modbus_evse,
    modbus_meter,
    openevse,
    pms5003,
    s0,
    sdm630,
    sds011,
    sgp41,
    sps30,
)


def raw(case: dict) -> bytes:
    """The input of a case."""
    return unhexlify(case["hex"]) if "hex" in case else case["text"].encode()


def bme(case: dict) -> list:
    """All channels from calibration bytes and ADC values."""
    chip = bme280.Calibration(unhexlify(case["low"]), unhexlify(case["high"]))
    fine = chip.fine(case["t"])
    return [fine, chip.temperature(fine), chip.pressure(case["p"], fine), chip.humidity(case["h"], fine)]


def bosch_gas(case: dict) -> list:
    """Temperature, pressure and humidity of a BME680."""
    chip = bme680.Calibration(*[unhexlify(case[key]) for key in ("low", "high", "heat")])
    fine = chip.fine(case["t"])
    return [fine * 5 + 128 >> 8, chip.pressure(case["p"], fine), chip.humidity(case["h"], fine)]


def modbus_answer(case: dict) -> object:
    """The register bytes of an answer, as hex."""
    unit, function, count = case["ask"]
    try:
        data = modbus.Answer(unit, function, count).feed(raw(case))
    except OSError as err:
        return err.args[1]
    return hexlify(data).decode() if data is not None else None


def p1(case: dict) -> list:
    """The readings of each telegram; the text may hold line feeds where the wire has CR LF, and no checksum at all."""
    data = raw(case).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    if case.get("crc") == "made":  # the recorded text was made anonymous, and its checksum is no longer right
        data = data[: data.rindex(b"!") + 1]
        data += b"%04X\r\n" % dsmr_p1.crc16(data)
    return [dsmr_p1.values(found) for found in dsmr_p1.Parser(case.get("crc", True)).feed(data)]


def rapi(case: dict) -> list:
    """The words of each line, and what they mean as an answer to a question."""
    lines = openevse.Parser().feed(raw(case))
    meaning = dict(openevse.QUESTIONS).get(case.get("asked", ""))
    return [meaning(words) for words in lines] if meaning else lines


def time_answer(case: dict) -> object:
    """Unix milliseconds of an SNTP answer, or why it is refused."""
    try:
        return sntp.parse(raw(case), b"12345678")
    except ValueError as err:
        return str(err)


DECODERS = {
    "mhz19": lambda case: mhz19.Parser().feed(raw(case)),
    "mhz19_command": lambda case: hexlify(mhz19.framed(case["command"])).decode(),
    "ds18b20": lambda case: ds18b20.value(unhexlify(case["raw"]) + bytes((ds18b20.crc8(unhexlify(case["raw"])),))),
    "modbus_meter": lambda case: modbus_meter.values(raw(case), modbus_meter.MODELS[case["model"]][case["block"]][3]),
    "register": lambda case: modbus_meter.number(raw(case), 0, case["kind"], 0),
    "pms5003_command": lambda case: hexlify(pms5003.command(*case["args"])).decode(),
    "sds011_command": lambda case: hexlify(sds011.command(*case["args"])).decode(),
    "pms5003": lambda case: [pms5003.words(frame) for frame in pms5003.frames().feed(raw(case))],
    "sds011": lambda case: [sds011.tenths(frame) for frame in sds011.frames().feed(raw(case))],
    "sps30": lambda case: [
        [command, state, sps30.values(data) if len(data) == 40 else len(data)]
        for command, state, data in sps30.Parser().feed(raw(case))
    ],
    "sps30_question": lambda case: hexlify(sps30.question(case["command"], unhexlify(case["data"]))).decode(),
    "crc8": lambda case: sensirion.crc8(raw(case)),
    "bme280": bme,
    "bme680": bosch_gas,
    "sgp41_ticks": lambda case: hexlify(sgp41.ticks(*case["air"])).decode(),
    "ads1115": lambda case: ads1115.microvolt(raw(case)),
    "ads1115_config": lambda case: ads1115.config(case["channel"]),
    "modbus_request": lambda case: hexlify(modbus.request(*case["ask"])).decode(),
    "modbus_answer": modbus_answer,
    "scaled": lambda case: modbus.scaled(raw(case), case["decimals"]),
    "sdm630": lambda case: sdm630.values(raw(case), sdm630.BLOCKS[case["block"]][2]),
    "evse": lambda case: modbus_evse.MODELS[case["model"]][3](raw(case)),
    "dsmr_p1": p1,
    "openevse": rapi,
    "openevse_line": lambda case: openevse.line(case["command"]).decode(),
    "s0": lambda case: s0.values(case["count"], case["per_kwh"]),
    "decimal": lambda case: senml.decimal(case["mantissa"], case["decimals"]),
    "sntp": time_answer,
}


def decoded(case: dict) -> object:
    """A case by its own decoder above, else by `values` of the driver of that name."""
    name = case["decode"]
    return DECODERS[name](case) if name in DECODERS else lazy.load("sensors." + name).values(raw(case))


def main() -> None:
    """Print one list with a result per case."""
    with open(sys.argv[1]) as f:  # noqa: PTH123
        cases = json.load(f)
    print(json.dumps([decoded(case) for case in cases]))


main()
