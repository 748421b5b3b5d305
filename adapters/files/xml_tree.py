"""XML files as a tree of elements without namespaces; a document type, and so any entity, is not accepted."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from adapters.files import text
from telemetry.errors import UsageError

Element = ElementTree.Element


def root(path: Path, name: str) -> Element | None:
    """The root of an XML file, None where it is not XML or its root is not `name`. Raises UsageError."""
    start = text.start(path, 4096).lstrip(b"\xef\xbb\xbf \r\n\t")
    if start[:1] != b"<" or name.encode() not in start:
        return None
    payload = text.whole(path)
    if b"<!DOCTYPE" in payload or b"<!ENTITY" in payload:
        raise UsageError(f"{path}: XML with a document type is not accepted.")
    try:
        found = ElementTree.fromstring(payload)  # noqa: S314 - see above
    except (ElementTree.ParseError, LookupError, ValueError) as error:  # also an encoding that is not known
        raise UsageError(f"{path} is not XML: {error}.") from None
    for element in found.iter():
        element.tag = element.tag.rpartition("}")[2]
    return found if found.tag == name else None


def value(element: Element, path: str) -> str:
    """The text at a path under an element, empty where there is none."""
    return (element.findtext(path) or "").strip()
