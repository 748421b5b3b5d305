"""Publishes with the node's own client as fast as the broker acknowledges. Runs on MicroPython.

    publish_rate.py FOLDER PORT WINDOW COUNT [tls]

prints messages per second; FOLDER holds wiring.json and, for TLS, ca.der, n1.der and n1.key.der.
"""

import asyncio
import sys
import time

from firmware.hal import Board
from firmware.net.mqtt import Client


async def main(root: str, port: str, window: str, count: str, tls: str = "") -> None:
    """Connect, publish, wait for the last acknowledgement."""
    options = {"host": "127.0.0.1", "port": int(port), "window": int(window), "keepalive_s": 60}
    if tls:
        options["tls"] = {"ca": "ca.der", "cert": "n1.der", "key": "n1.key.der", "name": "broker"}
    will = ("cv/1/demo/bench/status", "off")
    board = Board(root)
    client = Client(board, "bench" + window + tls, options, will, (will[0], lambda: b"on"), ["x"], print)
    runner = asyncio.create_task(client.run())
    payload = b"x" * 60
    done = asyncio.Event()
    total, acked = int(count), 0

    def ack() -> None:
        nonlocal acked
        acked += 1
        if acked == total:
            done.set()

    while not client.online:
        await asyncio.sleep_ms(10)
    began = time.ticks_ms()
    for _ in range(total):
        await client.publish("cv/1/demo/bench/data", lambda: payload, ack)
    await done.wait()
    took = time.ticks_diff(time.ticks_ms(), began)
    runner.cancel()
    print(total * 1000 // took)


asyncio.run(main(*sys.argv[1:]))
