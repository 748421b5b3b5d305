"""What the chips have, as the port's C sources list it (machine_pin.h, machine_adc.c, soc_caps.h)."""

# pins: those that exist; reads: those that only read; flash: those that the flash or PSRAM of a module takes;
# adc1, adc2: pins of the converters; uarts, i2cs: how many; spis: numbers of SPI; pcnt: units of the pulse counter;
# ethernet: pins of the chip's own Ethernet interface.
CHIPS = {
    "esp32": {
        "pins": tuple(range(24)) + (25, 26, 27) + tuple(range(32, 40)),
        "reads": tuple(range(34, 40)),
        "flash": (6, 7, 8, 9, 10, 11),
        "octal": (16, 17),  # a WROVER's PSRAM
        "adc1": (36, 37, 38, 39, 32, 33, 34, 35),
        "adc2": (4, 0, 2, 15, 13, 12, 14, 27, 25, 26),
        "spis": (1, 2),
        "uarts": 3,
        "uart_pins": ((1, 3), (10, 9), (17, 16)),  # tx, rx where none is given
        "i2cs": 2,
        "i2c_pins": ((18, 19), (25, 26)),  # scl, sda
        "pcnt": 8,
        "ethernet": (0, 19, 21, 22, 25, 26, 27),  # of RMII: clock, data out, enable, data in, carrier
        "console": (1, 3),
    },
    "esp32s3": {
        "pins": tuple(range(22)) + (26,) + tuple(range(33, 49)),
        "reads": (),
        "flash": (26, 27, 28, 29, 30, 31, 32),
        "octal": (33, 34, 35, 36, 37),
        "adc1": tuple(range(1, 11)),
        "adc2": tuple(range(11, 21)),
        "spis": (1, 2),
        "uarts": 3,
        "uart_pins": ((43, 44), (10, 9), (17, 16)),
        "i2cs": 2,
        "i2c_pins": ((9, 8), (9, 8)),
        "pcnt": 4,
        "ethernet": (),
        "console": (43, 44, 19, 20),
    },
    "esp32c3": {
        "pins": tuple(range(14)) + (20, 21),
        "reads": (),
        "flash": (11, 12, 13),
        "octal": (),
        "adc1": (0, 1, 2, 3, 4),
        "adc2": (5,),
        "spis": (1,),
        "uarts": 2,
        "uart_pins": ((21, 20), (10, 9)),
        "i2cs": 1,
        "i2c_pins": ((9, 8),),
        "pcnt": 0,
        "ethernet": (),
        "console": (20, 21, 18, 19),
    },
}
