from binascii import unhexlify

from firmware.net import sntp


def decode(case: dict) -> object:
    """Unix milliseconds of an SNTP answer, or why it is refused."""
    try:
        return sntp.parse(unhexlify(case["hex"]), b"12345678")
    except ValueError as err:
        return str(err)
