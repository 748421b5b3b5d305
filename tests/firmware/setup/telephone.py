"""What a telephone does at a node's access point: ask for names, open pages, send the form."""

import contextlib
import http.client
import re
import socket
from urllib.parse import urlencode

from tests.firmware.board_node import BoardNode
from tests.servers import wait_for


class Telephone:
    """At the access point of a node: the model of its board has put ports 53 and 80 elsewhere."""

    def __init__(self, node: BoardNode) -> None:
        self.node, self.ports = node, node.world["ports"]

    def name(self, host: str, kind: int = 1) -> bytes:
        """The answer to a query for a host's records of a kind; empty where none comes."""
        labels = b"".join(bytes([len(part)]) + part.encode() for part in host.split("."))
        query = b"\x12\x34\x01\x00\x00\x01" + bytes(6) + labels + b"\x00" + kind.to_bytes(2, "big") + b"\x00\x01"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(5)
            sock.sendto(query, ("127.0.0.1", self.ports["53"]))
            with contextlib.suppress(TimeoutError):
                return sock.recv(512)
        return b""

    def ask(self, method: str, path: str, body: str = "") -> tuple[int, str, str]:
        """(status, Location, page)."""
        link = http.client.HTTPConnection("127.0.0.1", self.ports["80"], timeout=5)
        try:
            link.request(method, path, body, {"Content-Type": "application/x-www-form-urlencoded"})
            answer = link.getresponse()
            return answer.status, answer.getheader("Location", ""), answer.read().decode()
        finally:
            link.close()

    def page(self, timeout: float = 30) -> str:
        """The form, as soon as the access point is open."""

        def there() -> str:
            assert set(self.node.exits) <= {75, -9}, self.node.console()[-1500:]
            with contextlib.suppress(OSError, http.client.HTTPException):
                return self.ask("GET", "/")[2]
            return ""

        return wait_for(there, timeout, "the page of the access point")

    def send(self, **fields: str) -> str:
        """The page after the form."""
        return self.ask("POST", "/", urlencode(fields))[2]

    def problem(self, timeout: float = 30) -> str:
        """What the page says is wrong, once it says it."""
        return wait_for(lambda: "".join(re.findall("<b>(.*?)</b>", self.page())), timeout, "the reason on the page")
