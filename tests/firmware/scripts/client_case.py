"""Publishes numbered messages with the node's client until all are acknowledged. Runs on MicroPython.

client_case.py FOLDER PORT FIRST_PACKET_ID COUNT
"""

import asyncio
import sys

from firmware.hal import Board
from firmware.net.mqtt import Client


async def main(root: str, port: str, pid: str, count: str) -> None:
    """Print `acked N sessions S` at the end."""
    options = {"host": "127.0.0.1", "port": int(port), "window": 4, "keepalive_s": 60}
    will = ("t/status", "off")
    board = Board(root)
    client = Client(board, "case", options, will, (will[0], lambda: b"on"), ["t/cmd"], lambda *_: None)
    client._pid = int(pid)
    acked = []
    runner = asyncio.create_task(client.run())
    for number in range(int(count)):
        text = b"%d" % number
        await client.publish("t/data", lambda t=text: t, lambda n=number: acked.append(n))
    while len(acked) < int(count):
        await asyncio.sleep_ms(10)
    runner.cancel()
    print("acked", len(set(acked)), "sessions", client.sessions)


asyncio.run(main(*sys.argv[1:]))
