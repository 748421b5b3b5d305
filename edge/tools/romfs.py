"""A ROMFS image of the firmware: modules that run in place, so that their bytecode takes no heap.

Made with mpremote's writer (the extra `node`). The image's own length is in its first bytes, so that a longer partition
behind it does no harm.
"""

from __future__ import annotations

from typing import Any


def image(files: dict[str, bytes]) -> bytes:
    """The image of some files by path."""
    from mpremote.romfs import VfsRomWriter  # noqa: PLC0415 - an extra

    writer = VfsRomWriter()
    _add(writer, _tree(files))
    return bytes(writer.finalise())


def _tree(files: dict[str, bytes]) -> dict[str, Any]:
    """Nested folders of a flat mapping."""
    tree: dict[str, Any] = {}
    for path, content in sorted(files.items()):
        *folders, name = path.split("/")
        at = tree
        for folder in folders:
            at = at.setdefault(folder, {})
        at[name] = content
    return tree


def _add(writer: Any, tree: dict[str, Any]) -> None:  # noqa: ANN401 - mpremote has no types
    for name, content in tree.items():
        if isinstance(content, dict):
            writer.opendir(name)
            _add(writer, content)
            writer.closedir()
        else:
            writer.mkfile(name, content)
