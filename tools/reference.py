"""The reference pages of the site, made from the code: commands, files, quantities, formats, topics, API."""

from __future__ import annotations

import importlib
import inspect
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main
from pydantic.fields import FieldInfo

from cityvitals.cli.main import app
from gateway import formats
from registry.city import City
from registry.settings import Settings
from registry.toml import fields_of, model_in
from telemetry import topics
from telemetry.quantities import QUANTITIES
from tools import reference_api, reference_messages
from tools.reference_api import cell as _cell

MEANINGS = tomllib.loads((Path(__file__).parent / "key_meanings.toml").read_text(encoding="utf-8"))


def pages() -> dict[str, str]:
    """File name and text of every generated page."""
    made = {
        "cli.md": _cli(),
        "city-file.md": _city_file(),
        "settings.md": _settings(),
        "quantities.md": _quantities(),
        "formats.md": _formats(),
        "topics.md": _topics(),
        "api.md": reference_api.page(),
        "wire.md": reference_messages.wire_page(),
        "metrics.md": reference_messages.metrics_page(),
    }
    return {name: "\n".join(lines) + "\n" for name, lines in made.items()}


def _cli() -> Iterator[str]:
    yield "# Command line\n\nExit codes: 0 done, 1 failed, 2 wrong usage. `--verbose` before a command logs details.\n"
    yield from _commands("cityvitals", typer.main.get_command(app))


def _commands(name: str, command: Any) -> Iterator[str]:  # noqa: ANN401 - click's own classes, which typer wraps
    for word, sub in sorted(getattr(command, "commands", {}).items()):
        if getattr(sub, "commands", None):
            yield from _commands(f"{name} {word}", sub)
        elif not sub.hidden:
            yield f"## `{name} {word}`\n\n{inspect.cleandoc(sub.help or '')}\n"
            yield from _options(sub)


def _options(command: Any) -> Iterator[str]:  # noqa: ANN401 - as above
    if not command.params:
        return
    yield "| option or argument | meaning | default |\n|---|---|---|"
    for p in command.params:
        shown = ", ".join(f"`{o}`" for o in p.opts if o.startswith("-")) or f"`{p.name.upper()}`"
        default = "" if callable(p.default) or p.default in (None, "", [], ()) else f"`{p.default}`"
        yield f"| {shown} | {_cell(getattr(p, 'help', '') or '')} | {default} |"
    yield ""


def _city_file() -> Iterator[str]:
    yield "# City file\n"
    yield "A key that is not listed is an error that names file, line and nearest valid key, except in `[city.extra]`."
    yield "A key of `[city]` that ends in `_source` or `_year` documents its neighbour.\n"
    for name, field in fields_of(City).items():
        model = model_in(field.annotation)
        if model is not None:
            several = _is_list(field)
            yield from _section(f"[[{name}]]" if several else f"[{name}]", model)
            for key, deeper in fields_of(model).items():
                found = model_in(deeper.annotation)
                if found is not None:
                    yield from _section(f"[[{name}.{key}]]", found)


def _section(title: str, model: type) -> Iterator[str]:
    yield f"## `{title}`\n\n{inspect.cleandoc(model.__doc__ or '')}\n"
    yield from _keys(model)


def _is_list(field: FieldInfo) -> bool:
    return str(field.annotation).startswith(("list", "tuple"))


def _keys(model: type) -> Iterator[str]:
    plain = {name: field for name, field in fields_of(model).items() if model_in(field.annotation) is None}
    if not plain:
        return
    yield "| key | type | default | meaning |\n|---|---|---|---|"
    for name, field in plain.items():
        yield f"| `{name}` | {_type(field)} | {_default(field)} | {_cell(meaning(model, name))} |"
    yield ""


def meaning(model: type, key: str) -> str:
    """What a key means, by its class or one that it derives from (tools/key_meanings.toml); empty where unknown."""
    return next((MEANINGS[c.__name__][key] for c in model.__mro__ if key in MEANINGS.get(c.__name__, {})), "")


def _type(field: FieldInfo) -> str:
    text = field.annotation.__name__ if isinstance(field.annotation, type) else str(field.annotation)
    text = re.sub(
        r"\b(?:typing|pathlib|pydantic\.types|registry\.city|registry\.device|registry\.settings)\.", "", text
    )
    text = re.sub(r"tuple\[(\w+), \.\.\.\]", r"list[\1]", text)  # as TOML writes it
    return f"`{text.replace(' | ', ' or ')}`"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    return "" if value is None or isinstance(value, list | tuple | dict) else f"`{value}`"


def _settings() -> Iterator[str]:
    yield "# Configuration file\n"
    yield "Every key can be set by `CITYVITALS__SECTION__KEY` in the environment and, for secrets, read from a file"
    yield "that `CITYVITALS__SECTION__KEY_FILE` names. `cityvitals config print` shows all keys and their values.\n"
    yield from _keys(Settings)
    yield from _sections("", Settings)


def _sections(outer: str, model: type) -> Iterator[str]:
    for key, field in fields_of(model).items():
        found = model_in(field.annotation)
        if found is not None:
            name = f"{outer}{key}"
            yield from _section(f"[[{name}]]" if _is_list(field) else f"[{name}]", found)
            yield from _sections(f"{name}.", found)


def _quantities() -> Iterator[str]:
    yield "# Quantities and units\n\nA value outside its plausible range is stored, flagged and left out of the sums.\n"
    yield "| id | quantity | unit | kind | plausible range |\n|---|---|---|---|---|"
    for q in QUANTITIES.values():
        yield f"| `{q.id}` | {_cell(q.title)} | {_cell(q.unit)} | {q.kind} | {q.low:g} to {q.high:g} |"


def _formats() -> Iterator[str]:
    yield '# Payload formats\n\nA format is a file in `gateway/formats/`; a source names it: `format = "senml"`.\n'
    for name in formats.names():
        module = importlib.import_module(f"{formats.__name__}.{name}")
        yield f"## `{name}`\n\n{inspect.getdoc(module) or ''}\n"


def _topics() -> Iterator[str]:
    yield "# MQTT topics\n\n| topic | published by | what |\n|---|---|---|"
    rows = (
        (topics.data_topic("<city>", "<device>"), "device", topics.data_topic),
        (topics.command_topic("<city>", "<device>"), "gateway, operator", topics.command_topic),
        (topics.windows_topic("<city>", "<gateway>"), "gateway", topics.windows_topic),
        (topics.stored_topic("<city>", "<gateway>"), "ingest", topics.stored_topic),
        (topics.kpi_topic("<city>", "<code>", "<part>"), "ingest", topics.kpi_topic),
    )
    for topic, who, function in rows:
        yield f"| `{topic}` | {who} | {_cell(inspect.getdoc(function) or '')} |"
