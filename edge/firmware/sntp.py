"""Asks the time: SNTP with several servers, and answers that cannot be true are refused."""

import os
import socket
import struct

from micropython import const

from . import BUILT

# The 32-bit seconds of the protocol began in 1900 and wrap in 2036: earlier than this they belong to the next era.
_UNIX_FROM_1900 = const(2208988800)
_ERA = const(1 << 32)
_FORTY_YEARS_S = const(40 * 365 * 86400)
_ANSWER_MS = const(2000)
_QUICK_MS = const(100)
_TRIES = const(3)


def unix_ms(seconds, fraction):
    """Turn a protocol timestamp into unix milliseconds, in the era that lies after the build date."""
    unix = seconds - _UNIX_FROM_1900
    if unix < BUILT:
        unix += _ERA
    return unix * 1000 + (fraction * 1000 >> 32)


def parse(reply, cookie):
    """Return the server's unix milliseconds; ValueError with the reason when the answer is not to be believed."""
    if len(reply) < 48 or reply[24:32] != cookie:
        raise ValueError("not an answer to our question")
    if reply[0] & 7 != 4 or reply[0] >> 6 == 3 or not 0 < reply[1] < 16:
        raise ValueError("the server is not synchronised itself")
    ms = unix_ms(*struct.unpack(b">II", reply[40:48]))
    if not BUILT * 1000 < ms < (BUILT + _FORTY_YEARS_S) * 1000:
        raise ValueError("before this firmware was built, or in the far future")
    return ms


def _connected(host, port):
    """A non-blocking UDP socket."""
    addr = socket.getaddrinfo(host, port, 0, socket.SOCK_DGRAM)[0][-1]
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect(addr)
    sock.setblocking(False)
    return sock


async def ask(board, host, port=123):
    """Return (unix ms at tick zero, ms that the exchange took); OSError when nobody answers."""
    sock = _connected(host, port)
    try:
        cookie = os.urandom(8)
        sent = board.ticks_ms()
        sock.send(b"\x23" + bytes(39) + cookie)
        while board.ticks_ms() - sent < _ANSWER_MS * board.speed:
            try:
                reply = sock.recv(64)
            except OSError:
                await board.sleep_ms(10)
                continue
            took = board.ticks_ms() - sent
            return parse(reply, cookie) - sent - took // 2, took
        raise OSError(110)
    finally:
        sock.close()


async def ask_well(board, host, port):
    """Return unix ms at tick zero, by the quickest of some exchanges: an answer may be off by half of what it took."""
    unix, took = await ask(board, host, port)
    for _ in range(_TRIES):
        if took <= _QUICK_MS * board.speed:
            break
        try:
            again = await ask(board, host, port)
        except OSError:
            break  # a slow answer is better than none
        if again[1] < took:
            unix, took = again
    return unix


async def synchronise(board, clock, servers):
    """Set the clock by the first server that can be believed; return "" or why the last one was not."""
    why = "no server"
    for server in servers:
        host, _, port = server.partition(":")
        try:
            clock.sync(await ask_well(board, host, int(port or 123)) + board.ticks_ms())
            return ""
        except (OSError, ValueError) as err:
            why = "%s: %s" % (server, err)
    return why
