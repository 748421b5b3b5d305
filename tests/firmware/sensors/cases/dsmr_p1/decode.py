from firmware.sensors import dsmr_p1


def decode(case: dict) -> list:
    """The readings of each telegram; the text may hold line feeds where the wire has CR LF, and no checksum at all."""
    data = case["text"].encode().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    if case.get("crc") == "made":  # the recorded text was made anonymous, and its checksum is no longer right
        data = data[: data.rindex(b"!") + 1]
        data += b"%04X\r\n" % dsmr_p1.crc16(data)
    return [dsmr_p1.values(found) for found in dsmr_p1.Parser(case.get("crc", True)).feed(data)]
