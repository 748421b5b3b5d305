"""MQTT topics such as `cv/1/<city>/<device>/data`. An id fills a whole level, so that ACL patterns can match it."""

from __future__ import annotations

import re
from collections.abc import Callable

ROOT = "cv/1"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


def valid_id(text: str) -> bool:
    """Whether `text` is a valid id of a city, device or gateway: 1 to 64 of A-Z a-z 0-9 . _ : -, not starting with a
    dash.
    """
    return _ID.fullmatch(text) is not None


def data_topic(city: str, device: str) -> str:
    """The topic to which a device publishes readings."""
    return f"{ROOT}/{city}/{device}/data"


def windows_topic(city: str, gateway: str) -> str:
    """The topic to which a gateway publishes window partials."""
    return f"{ROOT}/{city}/{gateway}/windows"


def stored_topic(city: str, gateway: str) -> str:
    """The topic of receipts: ingest publishes the numbers of a gateway's windows messages that are stored."""
    return f"{ROOT}/{city}/{gateway}/stored"


def command_topic(city: str, device: str) -> str:
    """The topic to which a device subscribes for commands."""
    return f"{ROOT}/{city}/{device}/cmd"


def kpi_topic(city: str, code: str, part: str) -> str:
    """The topic to which the KPI engine publishes values, retained; '-' stands for a KPI without parts."""
    return f"{ROOT}/{city}/kpi/{code}/{part or '-'}"


def subscription(pattern: str) -> str:
    """The MQTT filter of a pattern like 'cv/1/{city}/{device}/data'; `{device*}` is one level or several."""
    levels = ["#" if _SEVERAL.search(level) else "+" if "{" in level else level for level in pattern.split("/")]
    return "/".join(levels[: levels.index("#") + 1] if "#" in levels else levels)


_NAMED = re.compile(r"\{([a-z]+)(\*?)\}")
_SEVERAL = re.compile(r"\{[a-z]+\*\}")


def matcher(pattern: str) -> Callable[[str], dict[str, str] | None]:
    """A function from a topic to the named levels of `pattern`, None where it does not match."""
    parts = []
    for level in pattern.split("/"):
        pieces = _NAMED.split(level)
        text = re.escape(pieces[0])
        for name, several, after in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
            text += f"(?P<{name}>{'.+' if several else '[^/]+'})" + re.escape(after)
        parts.append("[^/]+" if level == "+" else ".*" if level == "#" else text)
    expression = re.compile("/".join(parts))

    def match(topic: str) -> dict[str, str] | None:
        matched = expression.fullmatch(topic)
        return matched.groupdict() if matched else None

    return match
