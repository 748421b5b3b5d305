"""SNTP with several servers. The time of one server is confirmed only if another server or the running clock agrees."""

import os
import socket
import struct

from micropython import const

from .. import BUILT, lazy

# The 32-bit seconds of the protocol began in 1900 and wrap in 2036: earlier than this they belong to the next era.
_UNIX_FROM_1900 = const(2208988800)
_ERA = const(1 << 32)
_FORTY_YEARS_S = const(40 * 365 * 86400)
_ANSWER_MS = const(2000)
_QUICK_MS = const(100)
_TRIES = const(3)
_AGREE_MS = const(2000)  # two servers agree
_NEAR_MS = const(10000)  # a server and the running clock agree


def unix_ms(seconds, fraction):
    """Turn a protocol timestamp into unix milliseconds, in the era that lies after the build date."""
    unix = seconds - _UNIX_FROM_1900
    if unix < BUILT:
        unix += _ERA
    return unix * 1000 + (fraction * 1000 >> 32)


def parse(reply, cookie):
    """Return the server's unix milliseconds; ValueError with the reason when the answer is not plausible."""
    if len(reply) < 48 or reply[24:32] != cookie:
        raise ValueError("not an answer to this query")
    if reply[0] & 7 != 4 or reply[0] >> 6 == 3 or not 0 < reply[1] < 16:
        raise ValueError("the server is not synchronised itself")
    ms = unix_ms(*struct.unpack(b">II", reply[40:48]))
    if not BUILT * 1000 < ms < (BUILT + _FORTY_YEARS_S) * 1000:
        raise ValueError("before this firmware was built, or in the far future")
    return ms


def confirmed_time(answers, running_ms, sure):
    """Decide on answers `[(server, unix ms), ...]`; return (unix ms or None, confirmed, reason).

    `running_ms`: the running clock at the same moment, 0 where there is none; `sure`: it is confirmed.
    """
    for server, ms in answers:
        if running_ms and abs(ms - running_ms) <= _NEAR_MS:
            return ms, True, ""
        if any([other is not server and abs(ms - theirs) <= _AGREE_MS for other, theirs in answers]):
            return ms, True, ""
    if not answers:
        return None, False, "no server answered"
    if len(answers) == 1 and not sure:
        return answers[0][1], False, ""  # an estimate, until the next answer agrees with it
    server, ms = answers[0]
    if running_ms:
        off = "%s is %d s off the running clock" % (server, (ms - running_ms) // 1000)
    else:
        off = "%s has %d" % (server, ms // 1000)
    return None, False, off + "; no second server agrees"


def _connected(address, port):
    """A non-blocking UDP socket."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect(socket.getaddrinfo(address, port)[0][-1])  # an address, not a name: does not block
    sock.setblocking(False)
    return sock


async def query(board, address, port=123):
    """Return (unix ms at tick zero, ms that the exchange took); OSError without an answer."""
    sock = _connected(address, port)
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
        raise OSError(110, "no answer")
    finally:
        sock.close()


async def query_best(board, address, port):
    """Return unix ms at tick zero, by the quickest of some exchanges: an answer may be off by half of what it took."""
    unix, took = await query(board, address, port)
    for _ in range(_TRIES):
        if took <= _QUICK_MS * board.speed:
            break
        try:
            again = await query(board, address, port)
        except OSError:
            break  # a slow answer is better than none
        if again[1] < took:
            unix, took = again
    return unix


async def _answers(board, servers, say, possible, enough):
    """Answers of the servers, as unix ms at tick zero; queries end when `enough(answers)`."""
    out = []
    for server in servers:
        host, _, port = server.partition(":")
        try:
            zero = await query_best(board, await lazy.load("net.names").address(board, host, say), int(port or 123))
            if not possible(board, zero + board.ticks_ms()):
                raise ValueError("outside the validity of the certificate")
            out.append((server, zero))
            if enough(out):
                break
        except (OSError, ValueError) as err:
            say("time server " + host, "refused: %s" % err if isinstance(err, ValueError) else str(err.args[-1]))
    return out


async def synchronise(board, clock, servers):
    """Set the clock by servers that agree; return "" when it is confirmed, or why not."""

    def decide(found):
        now = board.ticks_ms()
        return confirmed_time([(server, zero + now) for server, zero in found], clock.running_ms(), clock.synced)

    possible = lazy.load("net.validity").possible
    found = await _answers(board, servers, clock.say, possible, lambda found: decide(found)[1])
    lazy.unload("net.validity", "net.names")
    ms, confirmed, why = decide(found)
    if confirmed:
        clock.sync(ms)
        return ""
    if ms:
        clock.estimate(ms)
        why = "one answer, to be confirmed by the next"
    clock.say("time", why)
    return why
