"""What Sensirion's I2C sensors share: 16-bit words, each with a CRC-8."""


def crc8(data):
    """Polynomial 0x31, start 0xFF."""
    crc = 0xFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x31 if crc & 0x80 else crc << 1) & 0xFF
    return crc


def words(data):
    """Return the words of an answer; OSError when a check sum is wrong."""
    out = []
    for at in range(0, len(data), 3):
        if crc8(data[at : at + 2]) != data[at + 2]:
            raise OSError(74)
        out.append(data[at] << 8 | data[at + 1])
    return out


def percent_of(raw, span, offset):
    """`offset + span * raw / 65535` in hundredths, rounded: the transfer function of these sensors."""
    return (2 * 100 * span * raw + 65535) // 131070 + 100 * offset
