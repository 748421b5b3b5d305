"""Frees an I2C bus that a device holds down: a chip that was cut off in the middle of a byte waits for clocks."""

import time


def free(pin, scl, sda):
    """Clock up to nine times until SDA is released, then a stop condition. Returns whether the bus is free.

    `pin`: the class; the pins are used as open drain until the bus takes them.
    """
    clock, data = pin(scl, pin.OPEN_DRAIN, value=1), pin(sda, pin.OPEN_DRAIN, value=1)
    for _ in range(9):
        if data.value():
            break
        clock.value(0)
        time.sleep_us(5)
        clock.value(1)
        time.sleep_us(5)
    data.value(0)
    time.sleep_us(5)
    data.value(1)
    return bool(data.value())
