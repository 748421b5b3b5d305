"""The API's reference page: OpenAPI written out as one page with links, to be browsed without a server."""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from adapters.stores import open_store
from api.app import create_app
from api.settings import ApiSettings

Json = Mapping[str, Any]


def openapi() -> dict[str, Any]:
    """The OpenAPI description of the HTTP API."""
    with TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{Path(folder) / 'empty.db'}")
        try:
            return create_app(ApiSettings(), store).openapi()
        finally:
            store.close()


def page() -> Iterator[str]:
    """Every path by subject with parameters, body and answers, then every schema with its fields."""
    described = openapi()
    yield "# HTTP API\n\nFor tools: [openapi.json](openapi.json); a running API has it at `/openapi.json`. Errors are"
    yield "`application/problem+json` (RFC 9457).\n"
    subjects: dict[str, list[tuple[str, str, Json]]] = defaultdict(list)
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            subjects[(operation.get("tags") or ["other"])[0]].append((method, path, operation))
    for subject, operations in sorted(subjects.items()):
        yield f"## {subject[0].upper()}{subject[1:]}\n"
        for method, path, operation in operations:
            yield from _operation(method, path, operation)
    yield "## Schemas\n"
    for name, schema in sorted(described["components"]["schemas"].items()):
        yield from _schema(name, schema)


def _operation(method: str, path: str, operation: Json) -> Iterator[str]:
    text = inspect.cleandoc(operation.get("description") or operation.get("summary") or "")
    yield f"### `{method.upper()} {path}`\n\n{text}\n"
    yield from _parameters(operation.get("parameters", []))
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        yield f"Body: {kind(content.get('schema', {}))} (`{media}`)\n"
    for status, answer in operation["responses"].items():
        kinds = [f"{kind(c.get('schema', {}))} (`{media}`)" for media, c in answer.get("content", {}).items()]
        yield f"- `{status}`: {', '.join(kinds) or answer['description']}"
    yield ""


def _parameters(parameters: list[Json]) -> Iterator[str]:
    if not parameters:
        return
    yield "| parameter | in | required | meaning |\n|---|---|---|---|"
    for p in parameters:
        meaning = cell(p.get("description", "") or p["schema"].get("description", ""))
        yield f"| `{p['name']}` | {p['in']} | {'yes' if p.get('required') else ''} | {meaning} |"
    yield ""


def _schema(name: str, schema: Json) -> Iterator[str]:
    yield f"### {name}\n\n{cell(schema.get('description', ''))}\n"
    if "enum" in schema:
        yield f"One of {', '.join(f'`{v}`' for v in schema['enum'])}.\n"
    fields = schema.get("properties", {})
    if fields:
        yield "| field | type | meaning |\n|---|---|---|"
        for field, of in fields.items():
            yield f"| `{field}` | {kind(of)} | {cell(of.get('description', ''))} |"
        yield ""


def kind(schema: Json) -> str:
    """The type of a value in words, with a link where it is a schema of the page."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(kind(one) for one in schema["anyOf"]))
    if schema.get("type") == "array":
        return f"list of {kind(schema.get('items', {}))}"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"object of {kind(schema['additionalProperties'])}"
    if "enum" in schema:
        return ", ".join(f"`{v}`" for v in schema["enum"])
    return str(schema.get("type", "any"))


def cell(text: str) -> str:
    """The text as a cell of a table."""
    return " ".join(text.replace("|", "\\|").split())
