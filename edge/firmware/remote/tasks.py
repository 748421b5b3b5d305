"""Rare tasks of `maintenance.py`: watch over a trial, report after a start, process a message."""

from micropython import const

from .. import VERSION, lazy
from .slots import Slots

_TRIAL_MS = const(300000)
_PROOF_MS = const(900000)


def watch(maintenance):
    """Confirm or revert what runs on trial: a configuration after an ack, a firmware when its readings arrive."""
    node, age = maintenance.node, maintenance.node.board.ticks_ms() - maintenance.began
    if maintenance.config_trial and (node.client.acks or age > _TRIAL_MS):
        config = lazy.load("remote.config").Config(node.board)
        if node.client.acks:
            config.keep()
            maintenance.config_trial = False
        else:
            config.give_up("no acknowledgement from the broker in 5 minutes")
            node.board.reset()
    if maintenance.firmware_trial:
        if _healthy(node):
            Slots(node.board.state).commit()
            maintenance.firmware_trial = False
        elif age > _PROOF_MS:
            node.board.reset()


def _healthy(node):
    """The self-test: drivers loaded, a record stored in this boot, records acknowledged by the broker."""
    loaded = len(node.sampler.sources) == node.sampler.wanted
    return loaded and node.journal.seq > 0 and node.uplink.delivered > 0


async def introduce(maintenance):
    """Report once after a start the running configuration and firmware, and a reverted one."""
    config = lazy.load("remote.config").Config(maintenance.node.board)
    if config.given_up:
        await _report_config(maintenance, "reverted", config.given_up[0], config.given_up[1], config.reported)
    if not maintenance.config_trial:
        await _report_config(maintenance, "applied", config.now["hash"])
    await _report_ota(maintenance, "running", VERSION)


async def process(maintenance, end, payload):
    """Process a message and answer it."""
    node = maintenance.node
    if end == "cmd":
        await maintenance.publish("cmd/answer", await lazy.load("remote.commands").answer(node, payload))
    elif end == "config":
        state, name, reason = lazy.load("remote.config").Config(node.board).take(payload)
        await _report_config(maintenance, state, name, reason)
        node.restart = state == "trial"
    elif payload != b"":
        state, version, reason = await lazy.load("remote.ota").consider(maintenance, payload)
        await _report_ota(maintenance, state, version, reason)
        node.restart = state == "trial"
    if node.restart:
        await node.board.sleep_ms(2000)  # so that the answer is sent first
        node.board.reset()


async def _report_config(maintenance, state, name, reason="", on_ack=None):
    await maintenance.publish("config/report", {"hash": name, "state": state, "reason": reason}, True, on_ack)


async def _report_ota(maintenance, state, version, reason=""):
    slots = Slots(maintenance.node.board.state)
    report = {"fw": VERSION, "slot": slots.running, "state": state, "version": version, "bad": slots.bad}
    report["reason"] = reason
    await maintenance.publish("ota/state", report, True)
