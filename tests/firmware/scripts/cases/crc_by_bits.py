"""CRC-16 from its definition, bit by bit: what the firmware's tables are compared with."""


def crc16(data: bytes, polynomial: int, start: int = 0xFFFF) -> int:
    """Of a reflected polynomial, such as 0xA001."""
    crc = start
    for byte in data:
        for bit in range(8):
            odd = (crc ^ byte >> bit) & 1
            crc = crc >> 1 ^ (polynomial if odd else 0)
    return crc
