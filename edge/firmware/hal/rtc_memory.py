"""Named pieces of the memory that survives a reset but not a loss of power (2048 bytes on an ESP32).

Layout: for each piece name length u8, name, data length u16, data; CRC-32 of all at the end.
"""

import struct
from binascii import crc32


def _pieces(board):
    data, found, at = board.keep(), {}, 0
    if len(data) < 4 or struct.unpack("<I", data[-4:])[0] != crc32(data[:-4]):
        return found
    end = len(data) - 4
    while at < end:
        name = bytes(data[at + 1 : at + 1 + data[at]]).decode()
        at += 1 + data[at]
        size = struct.unpack_from("<H", data, at)[0]
        found[name] = bytes(data[at + 2 : at + 2 + size])
        at += 2 + size
    return found


def get(board, name):
    """The bytes of a piece, empty where there is none."""
    return _pieces(board).get(name, b"")


def put(board, name, data):
    """Set a piece; the others stay."""
    found = _pieces(board)
    found[name] = data
    body = b"".join([bytes((len(n),)) + n.encode() + struct.pack("<H", len(d)) + d for n, d in found.items()])
    board.keep(body + struct.pack("<I", crc32(body)))
