"""The state of a node as one table, for `cityvitals node doctor`: over MQTT as the answer to the command `state`, on
the console as a line `state {...}` when somebody types `?`.
"""

import gc
import json
import sys

from .. import VERSION


def of(node):
    """What runs, what is connected, which sensors answer, and the last lines of the log."""
    clock, ring, client = node.journal.clock, node.ring, node.client
    gc.collect()
    impl = sys.implementation
    return {
        "fw": VERSION,
        "board": getattr(impl, "_machine", sys.platform),
        "micropython": ".".join([str(n) for n in tuple(impl.version)[:3]]),
        "mpy": getattr(impl, "_mpy", 0) & 0xFFFF,
        "boot": node.boot,
        "up": clock.uptime(),
        "device": "%s/%s" % (node.conf["city"], node.conf["device"]),
        "network": node.board.network(),
        "broker": "connected" if client.online else "away at " + client.stage,
        "clock": "confirmed" if clock.synced else "estimated" if clock.guess_ms else "not set",
        "unix": clock.running_ms() // 1000,
        "ring": {"fill": ring.fill, "dropped": ring.dropped, "waiting": ring.next - ring.cursor},
        "heap": {"free": gc.mem_free(), "used": gc.mem_alloc()} if hasattr(gc, "mem_free") else {},
        "sensors": [[one.where, one.last_ms // 1000 if one.last_ms else None] for one in node.sampler.sources],
        "log": node.events.entries[-6:],
    }


def show(node):
    """Print it on one line."""
    print("state " + json.dumps(of(node)))
