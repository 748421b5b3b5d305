"""The cadence of real devices: a reading of each every 30 s, in real time, beside Telegraf on the same messages.

How often a window and an hour are written depends on how many flushes lie between two readings of a device, so time is
not compressed: readings that are published faster arrive in complete windows and hide the cost. Because 200 devices
keep no machine busy, all peers run at the same time on one broker, each with an InfluxDB of its own, and are compared
by processor time. The time before the first message shows what the same processes cost without any.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil

from adapters.mqtt.broker import Broker
from adapters.mqtt.link import Link
from tests.bench.blast import message
from tests.processes import wait_for
from tests.servers import InfluxDB, Mosquitto, fetch

Hops = dict[str, subprocess.Popen[bytes]]
Figures = dict[str, float]
_QUIET = 20.0  # s without messages
_SEQ = re.compile(rb'"seq":\d+')
_KNOWN = 2  # messages of each device after which it is known how regular it is
_DEVICE = '[[device]]\nid = "dev-{}"\nkind = "air_reference"\nquantities = ["pm2_5", "pm10", "no2"]\n'


def registered(devices: int) -> str:
    """The entries of the city file, so that KPIs are derived from the messages."""
    return "".join(_DEVICE.format(number) for number in range(devices))


def run(
    folder: Path,
    peers: dict[str, Callable[..., Any]],
    forms: tuple[str, str],
    devices: int,
    every: float,
    seconds: float,
) -> list[str]:
    """Lines that say what each peer costs.

    `forms`: of the payload, for the peers and for `message`. `every`: s between two readings of a device; `seconds`:
    to measure.
    """
    form, shape = forms
    with ExitStack() as stack:
        broker = stack.enter_context(Mosquitto(folder / "mosquitto"))
        stores = {name: stack.enter_context(InfluxDB(folder / f"influx-{name}")) for name in peers}
        hops: dict[str, Hops] = {}
        for name, made in peers.items():
            peer = made(folder / name, broker.port, stores[name], form)
            stack.callback(peer.close)
            store = stores[name].process
            assert store is not None
            hops[name] = {**peer.processes(), "InfluxDB": store}
        link = Link(Broker("127.0.0.1", broker.port), "bench-cadence", session=False)
        stack.callback(link.close)
        wait_for(lambda: link.receive(0.1) is not None and link.connected, 30, "the broker")
        time.sleep(5)
        before = _state(hops, stores)
        time.sleep(_QUIET)
        quiet = _difference(before, _state(hops, stores))
        pace = every / devices
        first = _KNOWN * devices
        _publish(link, shape, devices, 0, first, pace)
        before, sent = _state(hops, stores), round(seconds / pace)
        _publish(link, shape, devices, first, sent, pace)
        found = _difference(before, _state(hops, stores))
    return [_line(name, found[name], quiet[name], sent, seconds) for name in peers]


def _publish(link: Link, form: str, devices: int, first: int, messages: int, pace: float) -> None:
    """Publish messages of now, one every `pace` s."""
    began = time.monotonic()
    for number in range(first, first + messages):
        while (wait := began + (number - first) * pace - time.monotonic()) > 0:
            link.receive(min(wait, 0.2))
        topic, payload = message(form, number, devices, int(time.time()) - number // devices)
        link.publish(topic, _SEQ.sub(b'"seq":%d' % (number // devices), payload))  # numbers left out would be requested
        link.receive(0)
    link.delivered()


def _state(hops: dict[str, Hops], stores: dict[str, InfluxDB]) -> dict[str, Figures]:
    return {name: {hop: _cpu(p) for hop, p in hops[name].items()} | _writes(stores[name]) for name in hops}


def _difference(before: dict[str, Figures], after: dict[str, Figures]) -> dict[str, Figures]:
    return {name: {key: value - before[name].get(key, 0.0) for key, value in after[name].items()} for name in after}


def _cpu(process: subprocess.Popen[bytes]) -> float:
    times = psutil.Process(process.pid).cpu_times()
    return times.user + times.system


def _writes(store: InfluxDB) -> Figures:
    """What the server has been asked to write so far: requests, bytes of line protocol, points."""
    values: Figures = next(
        (v["values"] for k, v in json.loads(fetch(f"{store.url}/debug/vars")).items() if k.startswith("httpd")), {}
    )
    names = {"requests": "writeReq", "bytes": "writeReqBytes", "points": "pointsWrittenOK"}
    return {f"{name} written": float(values.get(key, 0)) for name, key in names.items()}


def _line(peer: str, found: Figures, quiet: Figures, messages: int, seconds: float) -> str:
    """One peer in words: microseconds a message, and of these what the same time costs without messages."""
    hops = [name for name in found if not name.endswith("written")]
    idle = {name: quiet[name] * seconds / _QUIET for name in hops}
    each = ", ".join(f"{n} {1e6 * found[n] / messages:.0f} ({1e6 * idle[n] / messages:.0f})" for n in hops)
    whole, without = sum(found[n] for n in hops), sum(idle.values())
    total = f"{1e6 * whole / messages:.0f} ({1e6 * without / messages:.0f})"
    writes = ", ".join(f"{value / messages:.2f} {n}" for n, value in found.items() if n.endswith("written"))
    return f"{peer}: us a message (without messages) {each}, together {total}; a message: {writes}"
