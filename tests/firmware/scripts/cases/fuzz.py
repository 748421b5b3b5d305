"""Feeds broken byte streams to the parser of a case folder. Runs on any interpreter.

    fuzz.py FOLDER STREAMS

The `stream.py` there has `parser()`, whose `feed(data)` returns a list of what it accepts, `frame()`, a good frame, and
`allowed(stream)`, what an independent check accepts. A stream is a mix of good, cut, flipped and repeated frames with
noise, fed in pieces, and then three good frames.
Whatever a parser accepts must stand in the stream as a frame that passes an independent check, the third of the last
good frames must be accepted (the two before it may be lost), and nothing may be raised. Prints the totals.
"""

import random
import sys

from case_folder import own
from random_bytes import noise


def broken(frame: bytes) -> bytes:
    """A frame with something wrong."""
    at = random.randrange(len(frame))
    kind = random.randrange(4)
    if kind == 0:
        return frame[:at]
    if kind == 1:
        return frame[at:]
    if kind == 2:
        return frame[:at] + bytes((frame[at] ^ 1 << random.randrange(8),)) + frame[at + 1 :]
    return frame[:at] + noise(3) + frame[at:]


def stream(kind) -> bytes:  # noqa: ANN001 - a module, whose type has no name on MicroPython
    """Noise, broken and good frames in any order."""
    out = b""
    for _ in range(random.randrange(1, 5)):
        choice = random.randrange(3)
        out += noise(40) if choice == 0 else kind.frame() if choice == 1 else broken(kind.frame())
    return out


def feed(parser: object, data: bytes) -> list:
    """Feed in pieces, as a UART delivers."""
    out, at = [], 0
    while at < len(data):
        step = random.randrange(1, 40)
        out += parser.feed(data[at : at + step])  # pyright: ignore (every parser feeds)
        at += step
    return out


def main(folder: str, count: int) -> None:
    """Run and print `streams accepted false-accepts lost-the-third`."""
    kind = own(folder, "stream")
    accepted = false = lost = 0
    for seed in range(count):
        random.seed(seed + 1)
        data = stream(kind)
        last = [kind.frame() for _ in range(3)]
        got = feed(kind.parser(), data + b"".join(last))
        allowed = kind.allowed(data + b"".join(last))
        accepted += len(got)
        false += len([value for value in got if value not in allowed])
        lost += not got or got[-1] != kind.allowed(last[2])[-1]
    print(count, accepted, false, lost)


main(sys.argv[1], int(sys.argv[2]))
