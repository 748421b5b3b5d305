"""A broker that misbehaves on purpose; it notes every publication as (session, packet id, duplicate, payload)."""

import socket
import threading
from collections.abc import Callable
from typing import BinaryIO

Publication = tuple[int, int, bool, bytes]


class FakeBroker:
    """`on_publish(session, pid, payload)` says what to do: "ack", "twice", "ignore" or "close"."""

    def __init__(
        self,
        on_publish: Callable[[int, int, bytes], str] = lambda *_: "ack",
        kick: bool = False,
        present: bool = True,
    ) -> None:
        self.on_publish = on_publish
        self.kick = kick
        self.present = present
        self.sessions = 0
        self.seen: list[Publication] = []
        self.subscribed: list[int] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                link, _ = self._server.accept()
            except OSError:
                return
            self.sessions += 1
            threading.Thread(target=self._serve, args=(link, self.sessions), daemon=True).start()

    def _serve(self, link: socket.socket, session: int) -> None:
        with link:
            stream = link.makefile("rb")
            while head := stream.read(1):
                body = stream.read(self._length(stream))
                if not self._answer(link, session, head[0], body):
                    link.shutdown(socket.SHUT_RDWR)
                    return

    @staticmethod
    def _length(stream: BinaryIO) -> int:
        size = shift = 0
        while True:
            byte = stream.read(1)[0]
            size |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return size

    def _answer(self, link: socket.socket, session: int, first: int, body: bytes) -> bool:
        """Answer one packet; False ends the session."""
        kind = first >> 4
        if kind == 1:
            link.sendall(bytes([0x20, 2, int(self.present and session > 1), 0]))
            return not self.kick
        if kind == 8:
            self.subscribed.append(session)
            link.sendall(b"\x90\x03" + body[:2] + b"\x01")
        if kind == 12:
            link.sendall(b"\xd0\x00")
        return self._published(link, session, first, body) if kind == 3 else True

    def _published(self, link: socket.socket, session: int, first: int, body: bytes) -> bool:
        at = 2 + int.from_bytes(body[:2], "big")
        pid, payload = int.from_bytes(body[at : at + 2], "big"), body[at + 2 :]
        if payload == b"on":
            link.sendall(b"\x40\x02" + body[at : at + 2])
            return True
        self.seen.append((session, pid, bool(first & 8), payload))
        verdict = self.on_publish(session, pid, payload)
        if verdict in ("ack", "twice"):
            link.sendall((b"\x40\x02" + body[at : at + 2]) * (2 if verdict == "twice" else 1))
        return verdict != "close"
