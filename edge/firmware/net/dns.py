"""Queries name servers for an IPv4 address (RFC 1035), and the local network for `.local` names (RFC 6762)."""

import os
import socket

from micropython import const

_TRIES = const(2)
_WAIT_MS = const(1500)
_MULTICAST = "224.0.0.251:5353"


def question(number, host):
    """The query for the address of a host; it requests a unicast answer."""
    labels = b"".join([bytes((len(part),)) + part.encode() for part in host.split(".")])
    unicast = 0x80 if host.endswith(".local") else 0
    return number + b"\x01\x00\x00\x01" + bytes(6) + labels + b"\x00\x00\x01" + bytes((unicast, 1))


def _after_name(data, at):
    while data[at]:
        if data[at] & 0xC0:
            return at + 2
        at += 1 + data[at]
    return at + 1


def answer(data, number):
    """The address in an answer; None where it holds none; ValueError where it does not belong to this query."""
    if len(data) < 12 or data[:2] != number or not data[2] & 0x80:
        raise ValueError("not an answer to this query")
    try:
        at = 12
        for _ in range(data[4] << 8 | data[5]):
            at = _after_name(data, at) + 4
        for _ in range(data[6] << 8 | data[7]):
            at = _after_name(data, at)
            kind, size = data[at] << 8 | data[at + 1], data[at + 8] << 8 | data[at + 9]
            if kind == 1 and size == 4:
                return ".".join([str(byte) for byte in data[at + 10 : at + 14]])
            at += 10 + size
    except IndexError:
        pass
    return None


async def _exchange(board, server, host):
    address, _, port = server.partition(":")
    number = os.urandom(2) if server != _MULTICAST else b"\0\0"
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        where = socket.getaddrinfo(address, int(port or 53))[0][-1]  # an address, not a name: does not block
        sock.sendto(question(number, host), where)
        began = board.ticks_ms()
        while board.ticks_ms() - began < _WAIT_MS * board.speed:
            try:
                found = answer(sock.recv(512), number)
            except (OSError, ValueError):
                await board.sleep_ms(20 * board.speed)
                continue
            if found is None:
                raise OSError(-2, "the name server %s does not have this name" % address)
            return found
    finally:
        sock.close()
    return None


async def ask(board, servers, host):
    """Return the address of a host; OSError with the reason. Takes at most 6 s."""
    servers = [_MULTICAST] if host.endswith(".local") else servers[:2]
    if not servers:
        raise OSError(-2, "no name server is configured")
    for _ in range(_TRIES):
        for server in servers:
            try:
                found = await _exchange(board, server, host)
            except OSError as err:
                if err.args[0] == -2:
                    raise
                found = None  # no route, no network
            if found:
                return found
    raise OSError(-2, "no answer from " + ", ".join(servers))
