"""Requests for the same that come together share one answer, begun after the last of them came."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.metrics import CountRequests, Requests
from api.middleware.together import SharedAnswers


class Slow:
    """An application that answers when it is allowed to, with the number of answers it has begun before."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.go_on = asyncio.Event()
        self.messages: list[Message] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        number = len(self.begun)
        self.begun.append(scope["path"])
        scope["route"] = "the route"
        if scope["path"] == "/v1/stream" and number:
            self.messages = [await receive(), await receive()]
            return
        await self.go_on.wait()
        if scope["path"] == "/v1/broken":
            raise ValueError(str(number))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x", b"y")]})
        await send({"type": "http.response.body", "body": str(number).encode()})


class Client:
    """One request; `answer` is the body."""

    def __init__(self, app: ASGIApp, path: str = "/v1/cities", headers: Mapping[str, str] | None = None) -> None:
        raw = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
        self.scope: dict[str, Any] = {"type": "http", "method": "GET", "path": path, "headers": raw}
        self._app = app
        self.messages: list[Message] = []
        self.left = asyncio.Event()
        self._body: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    def ask(self, who: str = "", method: str = "GET") -> asyncio.Task[str]:
        self.scope |= {"cityvitals.who": (who, frozenset()), "method": method}

        async def asked() -> str:
            await self._app(self.scope, self._receive, self._send)
            return str(self.messages[-1]["body"].decode()) if self.messages else "nothing"

        return asyncio.create_task(asked())

    async def _receive(self) -> Message:
        if self._body:
            return self._body.pop()
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if "headers" in message:
            message["headers"].append((b"added", b"outside"))
        self.messages.append(message)


async def _a_moment() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_a_hundred_requests_take_two_answers_and_none_is_older_than_its_request() -> None:
    async def run() -> None:
        slow = Slow()
        app = SharedAnswers(slow, ("/v1/live",))
        first = Client(app).ask()
        await _a_moment()
        clients = [Client(app) for _ in range(99)]
        others = [client.ask() for client in clients]
        await _a_moment()
        assert slow.begun == ["/v1/cities"]
        slow.go_on.set()
        assert await first == "0"
        assert set(await asyncio.gather(*others)) == {"1"}, "an answer that was begun before they asked"
        assert len(slow.begun) == 2
        assert all(len(client.messages[0]["headers"]) == 2 for client in clients), "each has headers of its own"
        assert {client.scope["route"] for client in clients} == {"the route"}
        assert await Client(app).ask() == "2", "nothing is kept"

    asyncio.run(run())


@pytest.mark.parametrize(
    "other",
    [
        {"path": "/v1/cities", "headers": {"accept-encoding": "gzip"}},
        {"path": "/v1/cities", "headers": {"if-none-match": '"a"'}},
        {"path": "/v1/cities", "headers": {"host": "other.example"}},
        {"path": "/v1/catalogue"},
        {"path": "/v1/live"},
        {"path": "/healthz"},
    ],
)
def test_what_differs_is_not_shared(other: dict[str, Any]) -> None:
    async def run() -> None:
        slow = Slow()
        app = SharedAnswers(slow, ("/v1/live",))
        tasks = [Client(app).ask(), Client(app, **other).ask(), Client(app, **other).ask("somebody")]
        if other["path"] in ("/v1/live", "/healthz"):
            tasks.append(Client(app, **other).ask("somebody"))
        await _a_moment()
        assert len(slow.begun) == len(tasks)
        slow.go_on.set()
        await asyncio.gather(*tasks)

    asyncio.run(run())


def test_a_change_is_never_shared() -> None:
    async def run() -> None:
        slow = Slow()
        app = SharedAnswers(slow, ())
        tasks = [Client(app).ask(method="POST") for _ in range(3)]
        await _a_moment()
        assert len(slow.begun) == 3
        slow.go_on.set()
        await asyncio.gather(*tasks)

    asyncio.run(run())


def test_a_fault_reaches_everybody_and_the_next_request_is_answered() -> None:
    async def run() -> None:
        slow = Slow()
        app = SharedAnswers(slow, ())
        first = Client(app, "/v1/broken").ask()
        await _a_moment()
        others = [Client(app, "/v1/broken").ask() for _ in range(3)]
        await _a_moment()
        slow.go_on.set()
        found = await asyncio.gather(first, *others, return_exceptions=True)
        assert [str(error) for error in found] == ["0", "1", "1", "1"]
        with pytest.raises(ValueError, match="2"):
            await Client(app, "/v1/broken").ask()

    asyncio.run(run())


def test_others_get_their_answer_although_who_asked_first_left() -> None:
    async def run() -> None:
        slow = Slow()
        app = SharedAnswers(slow, ())
        first = Client(app).ask()
        await _a_moment()
        second, third = Client(app).ask(), Client(app).ask()
        await _a_moment()
        first.cancel()
        second.cancel()
        await _a_moment()
        slow.go_on.set()
        assert await third == "1"

    asyncio.run(run())


def test_an_answer_for_which_nobody_waits_any_more_is_not_begun_nor_counted() -> None:
    async def run() -> None:
        slow, requests = Slow(), Requests()
        app = CountRequests(SharedAnswers(slow, ()), requests)
        first = Client(app).ask()
        await _a_moment()
        clients = [Client(app) for _ in range(3)]
        others = [client.ask() for client in clients]
        await _a_moment()
        for client in clients:
            client.left.set()
        slow.go_on.set()
        assert await first == "0"
        assert await asyncio.gather(*others) == ["nothing"] * 3
        assert len(slow.begun) == 1
        assert requests.count.total() == 1
        assert await Client(app).ask() == "1", "the next request is answered"

    asyncio.run(run())


def test_an_answer_is_begun_for_the_one_who_still_waits() -> None:
    async def run() -> None:
        slow = Slow()
        app = SharedAnswers(slow, ())
        first = Client(app).ask()
        await _a_moment()
        clients = [Client(app) for _ in range(3)]
        others = [client.ask() for client in clients]
        await _a_moment()
        clients[0].left.set()
        clients[1].left.set()
        slow.go_on.set()
        assert await first == "0"
        assert await others[2] == "1"

    asyncio.run(run())


def test_what_is_made_hears_when_the_last_of_those_who_wait_has_left() -> None:
    async def run() -> None:
        slow = Slow()
        app = SharedAnswers(slow, ())
        first = Client(app, "/v1/stream").ask()
        await _a_moment()
        clients = [Client(app, "/v1/stream") for _ in range(2)]
        others = [client.ask() for client in clients]
        await _a_moment()
        slow.go_on.set()
        await first
        await _a_moment()
        for client in reversed(clients):
            assert not slow.messages
            client.left.set()
            await _a_moment()
        assert [message["type"] for message in slow.messages] == ["http.request", "http.disconnect"]
        assert await asyncio.gather(*others) == ["nothing"] * 2

    asyncio.run(run())
