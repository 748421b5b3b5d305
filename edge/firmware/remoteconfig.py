"""Remote configuration: takes the desired one from the broker, watches over a trial, reports what is in force."""

import json

from .config import fingerprint
from .inbox import Inbox

TRIAL_MS = 300000


class RemoteConfig:
    """Reports on `config/report`: {"hash", "state": applied | trial | refused | reverted, "reason"}."""

    def __init__(self, board, client, topic, config):
        self.board = board
        self.client = client
        self.topic = topic
        self.config = config
        self.inbox = Inbox(board, 2)
        self.beat = lambda: None

    async def run(self):
        """Finish a trial, then take what comes, for ever."""
        if self.config.given_up:
            name, why = self.config.given_up
            await self._report("reverted", name, why, self.config.told)
        if self.config.trial:
            await self._watch()
        await self._report("applied", self.config.now["hash"])
        while True:
            await self._take(await self.inbox.get(self.beat))

    async def _watch(self):
        """Keep the trial after an acknowledged message; after 5 minutes without one go back."""
        ends = self.board.ticks_ms() + TRIAL_MS
        while not self.client.acks:
            if self.board.ticks_ms() > ends:
                self.config.give_up("no acknowledgement from the broker in 5 minutes")
                self.board.reset()
            self.beat()
            await self.board.sleep_ms(1000)
        self.config.keep()

    async def _take(self, payload):
        if payload is None:
            await self._report("refused", "", "longer than this node can take")
            return
        name = fingerprint(payload)
        try:
            if not self.config.propose(payload):
                await self._report("applied", name)
                return
        except (ValueError, UnicodeError) as err:
            await self._report("refused", name, str(err) or "not JSON")
            return
        await self._report("trial", name)
        await self.board.sleep_ms(2000)
        self.board.reset()

    async def _report(self, state, name, reason="", on_ack=None):
        text = {"hash": name, "state": state}
        if reason:
            text["reason"] = reason
        text = json.dumps(text).encode()
        await self.client.publish(self.topic, lambda: text, on_ack, True, self.beat)
