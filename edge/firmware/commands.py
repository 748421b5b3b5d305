"""Commands from the gateway or an operator, each answered: done, or refused with a reason.

`{"cmd": "resend", "id": 7, "boot": 3, "from": 10, "to": 25}` sends records again as long as the ring still has them;
`log` answers with the fault log, `restart` starts the node again. The `id` comes back in the answer.
"""

import asyncio
import json

from . import record
from .inbox import Inbox

RESEND_MAX = 5000


def parsed(payload):
    """Return the command as a dict; ValueError with the reason when it is none."""
    if payload is None:
        raise ValueError("longer than this node can take")
    command = json.loads(payload)
    if not isinstance(command, dict) or not isinstance(command.get("cmd"), str):
        raise ValueError("no table with a key cmd")
    return command


def whole(command, key):
    """Return an integer of a command; ValueError when it is missing or something else."""
    value = command.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("%s: expected a whole number" % key)
    return value


class Commands:
    """Takes commands from the connection and answers on `cmd/answer`."""

    def __init__(self, board, client, topic, ring, uplink, crashlog):
        self.board = board
        self.client = client
        self.topic = topic
        self.ring = ring
        self.uplink = uplink
        self.crashlog = crashlog
        self.inbox = Inbox(board)
        self.beat = lambda: None
        self._known = {"resend": self._resend, "log": self._log, "restart": self._restart}

    async def run(self):
        """Answer for ever."""
        while True:
            payload = await self.inbox.get(self.beat)
            answer = json.dumps(await self._answer(payload)).encode()
            await self.client.publish(self.topic, lambda a=answer: a, None, False, self.beat)

    async def _answer(self, payload):
        answer = {"id": None, "ok": False}
        try:
            command = parsed(payload)
            answer["id"] = command.get("id")
            if command["cmd"] not in self._known:
                raise ValueError("unknown command; known: " + ", ".join(sorted(self._known)))
            answer.update(await self._known[command["cmd"]](command))
            answer["ok"] = True
        except (ValueError, UnicodeError) as err:
            answer["reason"] = str(err) or "not JSON"
        return answer

    async def _resend(self, command):
        boot, first, last = whole(command, "boot"), whole(command, "from"), whole(command, "to")
        if not first <= last < first + RESEND_MAX:
            raise ValueError("from..to: empty, or more than %d records" % RESEND_MAX)
        numbers = await self._find(boot, first, last)
        if numbers:
            self.uplink.resend(numbers[0], numbers[1])
        return {"found": numbers[2] if numbers else 0}

    async def _find(self, boot, first, last):
        """Return (first record number, last, how many) of a range, or None; pauses so that sampling goes on."""
        low = high = None
        count = 0
        for number in range(self.ring.first, self.ring.next):
            payload = self.ring.read(number)
            if payload:
                at_boot, seq = record.identity(payload)
                if at_boot == boot and first <= seq <= last:
                    low, high, count = (number if low is None else low), number, count + 1
            if number % 32 == 0:
                self.beat()
                await asyncio.sleep_ms(0)
        return None if low is None else (low, high, count)

    async def _log(self, command):
        return {"log": self.crashlog.entries}

    async def _restart(self, command):
        asyncio.create_task(self._later())
        return {}

    async def _later(self):
        await self.board.sleep_ms(2000)
        self.board.reset()
