"""Whether the client of a request has left: what nobody waits for is not calculated."""

from __future__ import annotations

from anyio import CancelScope
from starlette.types import Receive


async def until_left(receive: Receive) -> None:
    """Wait until the client has disconnected. `receive`: of a request whose body has been read, or is of no use."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def has_left(receive: Receive) -> bool:
    """Whether the client has disconnected by now; waits for nothing."""
    with CancelScope() as at_once:
        at_once.cancel()
        await until_left(receive)
        return True
    return False
