"""A captive portal: every name leads to this node, every page to the form with networks, server and code.

A telephone that joins the access point asks for a page it knows and gets a redirect: then it shows the form by itself.
"""

import asyncio
import select
import socket

from micropython import const

from .. import lazy
from . import form

_HEAD_MAX = const(4096)
_BODY_MAX = const(1024)
_SLOW_MS = const(10000)
_AT_ONCE = const(4)


def named(query, address):
    """The answer to a query for a name: this address; for other kinds of record none. None where it is not a query."""
    if len(query) < 17 or query[2] & 0x80 or query[4:6] != b"\0\1":
        return None
    at = 12
    while at < len(query) and query[at]:
        at += 1 + query[at]
    end = at + 5
    if end > len(query):
        return None
    found = query[at + 1 : at + 3] == b"\0\1"
    head = query[:2] + b"\x84\0\0\1" + (b"\0\1" if found else b"\0\0") + bytes(4)
    record = b"\xc0\x0c\0\1\0\1\0\0\0\x05\0\4" + bytes([int(part) for part in address.split(".")])
    return head + query[12:end] + (record if found else b"")


class Portal:
    """`address`: of the access point; `values`: what the form shows; `networks`: names that are in the air."""

    def __init__(self, board, address, values, networks, problem):
        self.board = board
        self.address = address
        self.values = values
        self.networks = networks
        self.problem = problem
        self.sent = None
        self.visits = 0
        self._open = 0

    async def run(self, idle_ms):
        """Return what was sent, checked; None when nobody has come for so long."""
        server = await asyncio.start_server(self._visit, "0.0.0.0", 80)
        names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        names.setblocking(False)
        names.bind(socket.getaddrinfo("0.0.0.0", 53)[0][-1])
        poll = select.poll()
        poll.register(names, select.POLLIN)
        last, visits = self.board.ticks_ms(), 0
        try:
            while not self.sent:
                if visits != self.visits:
                    last, visits = self.board.ticks_ms(), self.visits
                elif self.board.ticks_ms() - last > idle_ms:
                    return None
                if poll.poll(0):
                    self._name(names)
                await self.board.sleep_ms(20)
            await self.board.sleep_ms(2000)  # so that the last page arrives
        finally:
            names.close()
            server.close()
            await server.wait_closed()
        return self.sent

    def _name(self, names):
        try:
            query, sender = names.recvfrom(512)
            found = named(query, self.address)
            if found:
                names.sendto(found, sender)
        except OSError:
            pass  # the telephone has gone

    async def _visit(self, reader, writer):
        if self._open >= _AT_ONCE:
            await writer.wait_closed()
            return
        self._open += 1
        try:
            await self.board.within(self._answer(reader, writer), _SLOW_MS)
        except (OSError, ValueError, UnicodeError, asyncio.TimeoutError):
            pass  # not a browser, or one that has gone
        finally:
            self._open -= 1
            await writer.wait_closed()

    async def _answer(self, reader, writer):
        method, path, length = await _head(reader)
        self.visits += 1
        if method == "POST":
            body = await reader.readexactly(length)
            self.values = form.fields(body.decode())
            self.problem = form.problem(self.values)
            page = form.page(self.values, self.networks, self.problem) if self.problem else form.accepted(self.values)
        elif path == "/":
            page = form.page(self.values, self.networks, self.problem)
        else:
            writer.write(
                b"HTTP/1.0 302 Found\r\nLocation: http://%s/\r\nContent-Length: 0\r\n\r\n" % self.address.encode()
            )
            await writer.drain()
            return
        writer.write(b"HTTP/1.0 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\n\r\n")
        writer.write(page.encode())
        await writer.drain()
        if method == "POST" and not self.problem:
            self.sent = self.values


async def _head(reader):
    """(method, path, length of the body). ValueError where it is too long or not HTTP."""
    method, path, _ = (await reader.readline()).decode().split(" ", 2)
    length = size = 0
    while True:
        line = await reader.readline()
        size += len(line)
        if line in (b"\r\n", b"\n", b""):
            break
        if size > _HEAD_MAX:
            raise ValueError("the head is too long")
        if line.lower().startswith(b"content-length:"):
            length = int(line[15:])
    if not 0 <= length <= _BODY_MAX:
        raise ValueError("the body is too long")
    return method, path, length


async def ask(board, radio, values, problem, idle_ms):
    """Open the access point and return what was entered; None when nobody came. Loaded for this alone."""
    networks = radio.scan()
    address = radio.open()
    try:
        return await Portal(board, address, values, networks, problem).run(idle_ms)
    finally:
        radio.close()
        lazy.unload("setup.form")
