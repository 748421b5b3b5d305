"""Resolve names without blocking. Loaded only while connecting.

The name server is queried over UDP (`dns.py`); the socket library's own lookup would block the whole node for 14 s a
name where no server answers. The last address of each name is kept in a file: a dead name server costs nothing as long
as the broker stays where it was.
"""

from micropython import const

from .. import files, lazy

_FRESH_MS = const(600000)
_KEPT = const(6)


def is_address(host):
    """True for an IPv4 address as a text."""
    parts = host.split(".")
    return len(parts) == 4 and all([part.isdigit() and int(part) < 256 for part in parts])


async def address(board, host, say):
    """Return the address of a host; OSError where neither a server nor the file has it.

    `say(part, text)` logs that a name cannot be found or that its address has changed.
    """
    if is_address(host):
        return host
    if host == "localhost":
        return "127.0.0.1"
    kept = files.load(board.state + "/names") or {}
    asked = board.asked.get(host)
    if asked is not None and host in kept and board.ticks_ms() - asked < _FRESH_MS:
        return kept[host]
    found, why = None, ""
    try:
        found = await lazy.load("net.dns").ask(board, board.name_servers(), host)
    except OSError as err:
        why = str(err.args[-1])
    lazy.unload("net.dns")
    return _chosen(board, host, kept, found, why, say)


def _chosen(board, host, kept, found, why, say):
    if found is None:
        if host not in kept:
            raise OSError(-2, "name %s: %s" % (host, why))
        say("name", "%s: %s; its last address %s is used" % (host, why, kept[host]))
        return kept[host]
    board.asked[host] = board.ticks_ms()
    if kept.get(host) != found:
        say("name", "%s is %s" % (host, found))
        kept[host] = found
        while len(kept) > _KEPT:
            kept.pop(next(iter(kept)))
        files.save(board.state + "/names", kept)
    return found


def forget(board, host):
    """Query the name server next time, because the address did not work."""
    board.asked.pop(host, None)
