"""Enrols this node: sends its one-time code to the enrolment server over HTTPS and stores what it gets.

The node has no authority to trust yet and its clock is not set. So the server is checked by the fingerprint in the
code, within the handshake and before anything is sent; dates do not count. Key and certificate are made by the
server, as for a node that is flashed over USB: MicroPython cannot make keys.
"""

import json
import os
import socket
from binascii import a2b_base64

from micropython import const

from .. import files, lazy
from ..remote import settings
from . import code

_WAIT_S = const(15)
_ANSWER_MAX = const(12288)
_NAMES = ("node.json", "ca.der", "device.der", "device.key.der")


class Refused(ValueError):
    """The server gives nothing for this code: trying again does not help."""


def _handshake(mbed, sock, host, wanted):
    """TLS with the server of this fingerprint and no other; OSError."""
    seen = []

    def check(der, depth):
        if depth:
            return 0
        seen.append(code.fingerprint(der) == wanted)
        return 0 if seen[-1] else -1

    context = mbed.SSLContext(mbed.PROTOCOL_TLS_CLIENT)
    context.verify_mode = mbed.CERT_OPTIONAL  # without it the certificate is not looked at
    context.verify_callback = check
    try:
        secure = context.wrap_socket(sock, server_hostname=host)
    except OSError as err:
        raise OSError(1, "another server than the code names" if False in seen else "TLS: %s" % err)
    if seen != [True]:
        raise OSError(1, "the server's certificate could not be checked")
    return secure


def _request(host, secret, nonce):
    body = json.dumps({"code": secret, "nonce": nonce})
    head = "POST /enrol HTTP/1.0\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return (head % (host, len(body)) + body).encode()


def _answered(secure):
    """The JSON of the answer, by its own length: servers keep TLS connections open for a while. Refused, or OSError."""
    try:
        status, length = int(secure.readline().split(b" ")[1]), 0
        while True:
            line = secure.readline()
            if line in (b"\r\n", b"\n", b""):
                break
            if line.lower().startswith(b"content-length:"):
                length = int(line[15:])
        if not 0 < length <= _ANSWER_MAX:
            raise ValueError
        value = json.loads(secure.read(length))
    except (ValueError, IndexError):
        raise OSError(71, "the answer is not one of an enrolment server")
    if status in (400, 403):
        raise Refused("The server refuses: %s" % value.get("error"))
    if status != 200:
        raise OSError(71, "the server answers %d: %s" % (status, value.get("error")))
    return value


async def fetch(board, wanted):
    """The files for this node by name; Refused or OSError with the reason."""
    import tls as mbed

    secret, fingerprint = code.parsed(wanted["code"])
    host, port = code.place(wanted["server"])
    address = await lazy.load("net.names").address(board, host, board.say)
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.settimeout(_WAIT_S)
        try:
            sock.connect(socket.getaddrinfo(address, port)[0][-1])
        except OSError as err:
            raise OSError(err.args[0], "nothing answers at %s:%d (%s)" % (host, port, err.args[0]))
        secure = _handshake(mbed, sock, host, fingerprint)
        secure.write(_request(host, secret, wanted["nonce"]))
        value = _answered(secure)
    finally:
        sock.close()
    try:
        return {name: a2b_base64(value["files"][name]) for name in _NAMES}
    except (KeyError, TypeError, ValueError):
        raise OSError(71, "the answer lacks a file")


def store(board, given, wanted):
    """Write all of it, `node.json` last and at once: after a power cut it enrols again. ValueError, OSError."""
    conf = json.loads(given["node.json"])
    wifi = {name: wanted[name] for name in ("ssid", "password", "ssid2", "password2") if wanted.get(name)}
    conf["wifi"] = wifi
    settings.checked(conf)
    for name in _NAMES[1:]:
        with open(board.root + "/" + name, "wb") as f:
            f.write(given[name])
    path = board.root + "/node.json"
    with open(path + ".new", "w") as f:
        json.dump(conf, f)
    os.rename(path + ".new", path)
    board.sync_files()
    files.remove(board.state + "/setup")
