"""Publishes at QoS 1 as fast as a broker takes it, with prepared packets over a bare socket.

    python -m tests.bench.blast PORT MESSAGES DEVICES

A client library would be the bottleneck of the measurement. At most 2,000 messages are unacknowledged.
"""

from __future__ import annotations

import select
import socket
import struct
import sys
import time

_AHEAD = 2000


def packet(topic: str, payload: bytes, number: int) -> bytes:
    """A PUBLISH of MQTT 3.1.1 at QoS 1."""
    name = topic.encode()
    body = struct.pack("!H", len(name)) + name + struct.pack("!H", number) + payload
    length, head = len(body), bytearray([0x32])
    while True:
        length, digit = divmod(length, 128)
        head.append(digit | (0x80 if length else 0))
        if not length:
            return bytes(head) + body


def reading(device: int, second: int) -> bytes:
    """About 150 bytes of SenML: two readings of one moment."""
    return (
        f'[{{"bt":{second},"boot":7,"seq":{second % 100000},"n":"pm2_5","u":"ug/m3","v":{8 + device % 7}.{second % 10}'
        "},"
        f'{{"n":"pm10","u":"ug/m3","v":{14 + device % 9}.{second % 10}}}]'
    ).encode()


def blast(port: int, messages: int, devices: int) -> float:
    """Publish; returns the seconds until the last acknowledgement."""
    link = socket.create_connection(("127.0.0.1", port))
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    identity = b"blast"
    body = b"\x00\x04MQTT\x04\x02\x00\x3c" + struct.pack("!H", len(identity)) + identity
    link.sendall(bytes([0x10, len(body)]) + body)
    link.recv(4)
    link.setblocking(False)
    began = time.perf_counter()
    start = int(time.time()) - messages // devices - 60
    queued, acked, waiting = 0, 0, b""
    while acked < messages:
        while queued < messages and queued - acked < _AHEAD and len(waiting) < 60_000:
            device, second = queued % devices, start + queued // devices
            waiting += packet(f"cv/1/bench/dev-{device}/data", reading(device, second), queued % 65535 + 1)
            queued += 1
        readable, writable, _ = select.select([link], [link] if waiting else [], [], 30)
        if writable:
            waiting = waiting[link.send(waiting) :]
        if readable:
            acked += len(link.recv(65536)) // 4  # each PUBACK has 4 bytes; a split one is counted with the next
        if not readable and not writable:
            raise SystemExit("the broker takes nothing any more")
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.stdout.write(f"{blast(*map(int, sys.argv[1:4]))}\n")
