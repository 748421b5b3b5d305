"""`socket` of the ESP32 port: names are resolved as by lwIP, and the whole program waits meanwhile."""

import sys

_path = sys.path[:]
sys.path[:] = []
try:
    from socket import *  # noqa: F403 - the built-in module behind this one

    from socket import AF_INET, SOCK_DGRAM, SOCK_STREAM
    from socket import getaddrinfo as _literal
    from socket import socket as _socket
finally:
    sys.path[:] = _path

import select
import time

_WAITS_MS = (1000, 1000, 2000, 3000)  # lwIP: DNS_MAX_RETRIES 4, per server


def _is_address(host) -> object:
    parts = host.split(".")
    return len(parts) == 4 and all([part.isdigit() for part in parts])


def _ask(server, wait_ms) -> object:
    host, _, port = server.partition(":")
    sock = _socket(AF_INET, SOCK_DGRAM)
    try:
        sock.connect(_literal(host, int(port or 53))[0][-1])
        sock.setblocking(False)
        sock.send(b"\x12\x34\x01\x00\x00\x01" + bytes(6) + b"\x04name\x04test\x00\x00\x01\x00\x01")
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        if poll.poll(wait_ms):
            return sock.recv(512)[-4:]
    except OSError:
        time.sleep_ms(wait_ms)
    finally:
        sock.close()
    return None


def getaddrinfo(host, port, af=0, type=0, proto=0, flags=0) -> object:
    """Blocks: an address at once, a name until a server answers or lwIP gives up, for IPv4 and again for IPv6."""
    import board

    if _is_address(host):
        port = board.WORLD.get("ports", {}).get(str(port), port) if host == "0.0.0.0" else port  # of this computer
        return _literal(host, port, 0, type or SOCK_STREAM)

    sys.stderr.write("BLOCKS getaddrinfo %s\n" % host)
    for _family in (4, 6):
        for server in board.world().get("dns", []):
            for wait_ms in _WAITS_MS:
                found = _ask(server, wait_ms)
                if found:
                    return _literal(".".join([str(byte) for byte in found]), port, 0, type or SOCK_STREAM)
    raise OSError(-202)  # EAI_FAIL
