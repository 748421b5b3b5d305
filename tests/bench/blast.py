"""Publishes at QoS 1 as fast as a broker takes it, with prepared packets over a bare socket.

    python -m tests.bench.blast PORT MESSAGES DEVICES [senml|flat] [FIRST]

FIRST: number of the first message. A client library would be the bottleneck of the
measurement. At most 2,000 messages are unacknowledged.
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


def flat(number: int) -> bytes:
    """Flat JSON of 108 bytes without a time, as many Wi-Fi sensors send it; `co2` differs in every message."""
    part, small = number % 1000, number % 10
    return (
        f'{{"pm2_5":{8 + number % 2}.{small}57,"pm10":{24 + number % 9}.{small}5,"temperature":21.{part:03},'
        f'"humidity":45.{part:03},"no2":12.{part:03},"co2":{400 + number / 10_000:.4f},"rssi":-6{small}}}'
    ).encode()


def senml(device: int, second: int) -> bytes:
    """137 bytes of SenML: three readings of one moment, numbered."""
    third = f',{{"n":"no2","u":"ppb","v":{10 + device % 9}.{second % 10}}}]'
    return reading(device, second)[:-1] + third.encode()


def message(form: str, number: int, devices: int, start: int) -> tuple[str, bytes]:
    """Topic and payload of a message. `start`: the time of the first, s."""
    device = number % devices
    if form == "flat":
        return f"flat/dev-{device}", flat(number)
    of = senml if form == "senml 137" else reading
    return f"cv/1/bench/dev-{device}/data", of(device, start + number // devices)


def blast(port: int, messages: int, devices: int, form: str = "senml", first: int = 0) -> float:
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
            waiting += packet(*message(form, first + queued, devices, start), queued % 65535 + 1)
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
    port, messages, devices = map(int, sys.argv[1:4])
    form = sys.argv[4] if len(sys.argv) > 4 else "senml"
    first = sys.argv[5] if len(sys.argv) > 5 else "0"
    sys.stdout.write(f"{blast(port, messages, devices, form, int(first))}\n")
