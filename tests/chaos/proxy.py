"""A TCP relay that can be cut, stalled (open, but nothing passes) or made slow."""

from __future__ import annotations

import select
import socket
import threading
from contextlib import suppress

from tests.processes import free_port


class Proxy:
    """Relays to `target` (a port) from an address of this machine. Runs in a thread of its own until `close`."""

    def __init__(self, target: int, host: str = "127.0.0.1") -> None:
        self.host, self.port, self._target = host, free_port(), target
        self._mode = "open"
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._listener = socket.create_server((host, self.port))
        self._wake, self._woken = socket.socketpair()
        self._running = True
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def set(self, mode: str) -> None:
        """`open`, `cut` (connections end, new ones at once), `stall` or `slow` (about 2 kB/s)."""
        self._mode = mode
        self._wake.send(b"x")

    def close(self) -> None:
        """End the thread and all connections."""
        self._running = False
        self._wake.send(b"x")
        self._thread.join(10)
        for end in (*self._pairs, self._listener, self._wake, self._woken):
            end.close()

    def _run(self) -> None:
        while self._running:
            waiting = [self._woken, self._listener, *(self._pairs if self._mode in ("open", "slow") else ())]
            for ready in select.select(waiting, [], [], 1.0)[0]:
                if ready is self._woken:
                    self._woken.recv(64)
                    if self._mode == "cut":
                        self._cut()
                elif ready is self._listener:
                    self._accept()
                elif ready in self._pairs:
                    self._pass(ready)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        if self._mode == "cut":
            client.close()
            return
        try:
            server = socket.create_connection(("127.0.0.1", self._target), timeout=5)
        except OSError:
            client.close()
            return
        for end in (client, server):
            end.settimeout(2)
        self._pairs[client], self._pairs[server] = server, client

    def _pass(self, end: socket.socket) -> None:
        try:
            data = end.recv(200 if self._mode == "slow" else 65536)
            if data:
                if self._mode == "slow":
                    select.select([self._woken], [], [], 0.1)
                self._pairs[end].sendall(data)
                return
        except OSError:
            pass
        self._drop(end)

    def _drop(self, end: socket.socket) -> None:
        other = self._pairs.pop(end)
        del self._pairs[other]
        end.close()
        other.close()

    def _cut(self) -> None:
        for end in list(self._pairs):
            if end in self._pairs:
                with suppress(OSError):
                    self._drop(end)
