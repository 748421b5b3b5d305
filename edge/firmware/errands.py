"""What the clerk does now and then: watches over a trial, introduces the node, opens a letter."""

from micropython import const

from . import VERSION, lazy
from .slots import Slots

_TRIAL_MS = const(300000)
_PROOF_MS = const(900000)


def watch(clerk):
    """Keep or give up what runs on trial: a configuration after an ack, a firmware when its readings arrive."""
    node, age = clerk.node, clerk.node.board.ticks_ms() - clerk.began
    if clerk.config_trial and (node.client.acks or age > _TRIAL_MS):
        config = lazy.borrow("config").Config(node.board)
        if node.client.acks:
            config.keep()
            clerk.config_trial = False
        else:
            config.give_up("no acknowledgement from the broker in 5 minutes")
            node.board.reset()
    if clerk.firmware_trial:
        if _healthy(node):
            Slots(node.board.state).commit()
            clerk.firmware_trial = False
        elif age > _PROOF_MS:
            node.board.reset()


def _healthy(node):
    """The self-test: drivers loaded, a record stored in this boot, records taken over by the broker."""
    loaded = len(node.sampler.sources) == len(node.conf["sensors"])
    return loaded and node.journal.seq > 0 and node.uplink.delivered > 0


async def introduce(clerk):
    """Say once after a start what runs, and what was given up before it."""
    config = lazy.borrow("config").Config(clerk.node.board)
    if config.given_up:
        await _report_config(clerk, "reverted", config.given_up[0], config.given_up[1], config.reported)
    if not clerk.config_trial:
        await _report_config(clerk, "applied", config.now["hash"])
    await _report_ota(clerk, "running", VERSION)


async def process(clerk, end, payload):
    """Do what a message asks for, and answer it."""
    node = clerk.node
    if end == "cmd":
        await clerk.publish("cmd/answer", await lazy.borrow("commands").answer(node, payload))
    elif end == "config":
        state, name, reason = lazy.borrow("config").Config(node.board).take(payload)
        await _report_config(clerk, state, name, reason)
        node.restart = state == "trial"
    elif payload != b"":
        state, version, reason = await lazy.borrow("ota").consider(clerk, payload)
        await _report_ota(clerk, state, version, reason)
        node.restart = state == "trial"
    if node.restart:
        await node.board.sleep_ms(2000)  # so that the answer still gets out
        node.board.reset()


async def _report_config(clerk, state, name, reason="", on_ack=None):
    await clerk.publish("config/report", {"hash": name, "state": state, "reason": reason}, True, on_ack)


async def _report_ota(clerk, state, version, reason=""):
    slots = Slots(clerk.node.board.state)
    report = {"fw": VERSION, "slot": slots.running, "state": state, "version": version, "bad": slots.bad}
    report["reason"] = reason
    await clerk.publish("ota/state", report, True)
