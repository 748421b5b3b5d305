"""Commands from the gateway or an operator, each answered: done, or refused with a reason.

`{"cmd": "resend", "id": 7, "boot": 3, "from": 10, "to": 25}` sends records again as long as the ring still has them;
`log` answers with the log, `state` with what `state.py` says of the node, `restart` starts it again. The `id` comes
back in the answer.
"""

import asyncio
import json

from micropython import const

from .. import lazy
from ..records import record

_RESEND_MAX = const(5000)
KNOWN = ("log", "resend", "restart", "state")


def parsed(payload):
    """Return the command as a dict; ValueError with the reason when it is not one."""
    if payload is None:
        raise ValueError("longer than this node can take")
    command = json.loads(payload)
    if not isinstance(command, dict) or not isinstance(command.get("cmd"), str):
        raise ValueError("not a table with a key cmd")
    return command


def whole(command, key):
    """Return an integer of a command; ValueError when it is missing or something else."""
    value = command.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("%s: expected a whole number" % key)
    return value


async def answer(node, payload):
    """Do what a command says; return the answer as a dict."""
    out = {"id": None, "ok": False}
    try:
        command = parsed(payload)
        out["id"] = command.get("id")
        out.update(await _obey(node, command))
        out["ok"] = True
    except (ValueError, UnicodeError) as err:
        out["reason"] = str(err) or "not JSON"
    return out


async def _obey(node, command):
    name = command["cmd"]
    if name == "resend":
        return {"found": await _resend(node, command)}
    if name == "log":
        return {"log": node.events.entries}
    if name == "state":
        return {"state": lazy.load("remote.state").of(node)}
    if name == "restart":
        node.restart = True
        return {}
    raise ValueError("unknown command; known: " + ", ".join(KNOWN))


async def _resend(node, command):
    boot, first, last = whole(command, "boot"), whole(command, "from"), whole(command, "to")
    if not first <= last < first + _RESEND_MAX:
        raise ValueError("from..to: empty, or more than %d records" % _RESEND_MAX)
    low = high = None
    count = 0
    for number in range(node.ring.first, node.ring.next):
        payload = node.ring.read(number)
        if payload:
            at_boot, seq = record.identity(payload)
            if at_boot == boot and first <= seq <= last:
                low, high, count = (number if low is None else low), number, count + 1
        if number % 32 == 0:
            await asyncio.sleep_ms(0)  # sampling goes on while we search
    if count:
        node.uplink.resend(low, high)
    return count
