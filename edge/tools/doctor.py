"""What a node's state means and what to do about it. The state is the table of `edge/firmware/remote/state.py`."""

from __future__ import annotations

from typing import Any

# What a line of the log or of the state contains, and what helps.
_HELP = (
    (
        "202 wrong password",
        "set wifi.password: cityvitals node config FOLDER --set-file wifi.password=FILE --write",
    ),
    ("204 handshake", "check wifi.password; a weak signal has the same effect"),
    ("201 no access point", "check wifi.ssid and the distance; an ESP32 has 2.4 GHz only"),
    ("no name server", "the network assigns no name server; write the broker's address instead of its name"),
    ("name: name", "the broker's name cannot be found: check mqtt.host, or write an address"),
    ("TCP to", "nothing listens there: check mqtt.host, mqtt.port, the broker and its firewall"),
    ("not correctly signed", "the broker's certificate is from another authority: enrol the node again and flash it"),
    ("validity starts in the future", "the node's clock is behind: check the time servers"),
    ("validity has expired", "renew the broker's certificate, or check the node's clock"),
    ("is missing", "flash the node again: a file of its folder is not on the board"),
    ("code 5", "the broker's access rules do not include this node: check its user, certificate and ACL"),
    ("code 4", "check mqtt.user and mqtt.password"),
)


def advice(text: str) -> str:
    """What to do about a line; empty where nothing is known."""
    return next((help_text for part, help_text in _HELP if part in text), "")


def findings(state: dict[str, Any]) -> list[str]:
    """Sentences about what is wrong, the most basic first; empty when all is well."""
    out = []
    network, broker = str(state.get("network", "")), str(state.get("broker", ""))
    if "connected" not in network and network not in ("the host's", ""):
        out.append(_sentence(network))
    if broker and broker != "connected":
        last = [line[3] for line in state.get("log", []) if line[2] == "broker" and not line[3].startswith("connected")]
        out.append(_sentence(f"Broker {broker}" + (f"; last: {last[-1]}" if last else "")))
    if state.get("clock") == "not set":
        out.append("The clock is not set: no time server has answered. Check ntp in node.json and UDP port 123.")
    if state.get("clock") == "estimated":
        out.append("The clock is estimated: the time of a single server is not confirmed. Configure a second one.")
    out += [
        f"{where} has never answered: check its wiring, supply and pins."
        for where, last in state.get("sensors", [])
        if not last
    ]
    up = state.get("up", 0)
    out += [
        f"{where} last answered {up - last} s ago: check its wiring."
        for where, last in state.get("sensors", []) if last and up - last > 7200
    ]  # fmt: skip
    ring = state.get("ring", {})
    if ring.get("dropped"):
        out.append(f"{ring['dropped']} records were overwritten unsent: the node was offline too long.")
    heap = state.get("heap", {})
    if heap and heap.get("free", 1 << 20) < 12_000:
        out.append(f"Only {heap['free']:,} bytes of memory are free: use a board with PSRAM, or fewer sensors.")
    return out


def _sentence(text: str) -> str:
    help_text = advice(text)
    return f"{text}." + (f" To do: {help_text}." if help_text else "")


def summary(state: dict[str, Any]) -> list[str]:
    """The state in a few lines."""
    ring, heap = state.get("ring", {}), state.get("heap", {})
    return [
        f"{state.get('device')}: firmware {state.get('fw')} on {state.get('board')}",
        f"  MicroPython {state.get('micropython')}",
        f"  boot {state.get('boot')}, up {state.get('up')} s",
        f"  network: {state.get('network')}; broker: {state.get('broker')}",
        f"  clock {state.get('clock')}; ring {ring.get('fill')} % full, {ring.get('waiting')} records waiting;"
        f" {heap.get('free', 0):,} bytes of memory free",
        *(f"  {where}: {'answered' if last else 'has not answered'}" for where, last in state.get("sensors", [])),
    ]
