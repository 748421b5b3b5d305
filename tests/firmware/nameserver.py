"""A name server for tests on a real UDP port: right, silent, or knowing no name."""

import socket
import threading


class NameServer:
    """Answers with `address`; `silent` and `unknown` may be changed at any time."""

    def __init__(self, address: str = "127.0.0.1", silent: bool = False) -> None:
        self.address, self.silent, self.unknown = address, silent, False
        self.questions: list[str] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.2)
        self.name = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._over = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._over:
            try:
                question, sender = self._socket.recvfrom(512)
            except TimeoutError:
                continue
            self.questions.append(self._host(question))
            if not self.silent:
                self._socket.sendto(self._answer(question), sender)

    @staticmethod
    def _host(question: bytes) -> str:
        at, parts = 12, []
        while question[at]:
            parts.append(question[at + 1 : at + 1 + question[at]].decode())
            at += 1 + question[at]
        return ".".join(parts)

    def _answer(self, question: bytes) -> bytes:
        if self.unknown:
            return question[:2] + b"\x81\x83\x00\x01\x00\x00\x00\x00\x00\x00" + question[12:]
        address = bytes(map(int, self.address.split(".")))
        alias = b"\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x02\xc0\x0c"  # a CNAME before the address
        return (
            question[:2] + b"\x81\x80\x00\x01\x00\x02\x00\x00\x00\x00" + question[12:] + alias
            + b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04" + address
        )  # fmt: skip

    def close(self) -> None:
        """Stop."""
        self._over = True
        self._thread.join()
        self._socket.close()

    def __enter__(self) -> "NameServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
