"""Opens the connection to the broker: name, TCP, TLS. Whatever ends it half way closes the socket.

(A cancelled `asyncio.open_connection` leaves its socket to the garbage collector.)
"""

import asyncio
import select
import socket

from micropython import const

from .. import lazy

_POLL_MS = const(20)


async def _connected(board, address, port):
    """A TCP socket that is connected; OSError with the reason."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        try:
            sock.connect(socket.getaddrinfo(address, port)[0][-1])  # an address, not a name: this does not wait
        except OSError as err:
            if err.args[0] not in (115, 119):  # EINPROGRESS of Linux and of the ESP32
                raise
        poll = select.poll()
        poll.register(sock, select.POLLOUT)
        while True:
            for _, event in poll.poll(0):
                if event & (select.POLLERR | select.POLLHUP):
                    raise OSError(111, "refused, or nobody is there")
                return sock
            await board.sleep_ms(_POLL_MS)
    except BaseException:
        sock.close()
        raise


async def dial(board, host, port, tls, stage):
    """Return a stream; `stage(name)` is called before each step, so that a failure can be placed."""
    stage("name")
    names = lazy.load("net.names")
    address = await names.address(board, host, board.say)
    stage("TCP to %s:%d" % (address, port))
    try:
        sock = await _connected(board, address, port)
    except OSError:
        names.forget(board, host)
        raise
    if not tls:
        return asyncio.StreamReader(sock)
    stage("TLS")
    try:
        import tls as mbed

        context = lazy.load("net.tlscontext").context(mbed, board, tls)
        lazy.unload("net.tlscontext")
        # Giving back collects: the handshake needs a large free block.
        name = tls.get("name", host)
        secure = context.wrap_socket(sock, server_hostname=name, do_handshake_on_connect=False)
        return asyncio.StreamReader(secure)
    except BaseException:
        sock.close()
        raise
