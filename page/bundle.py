"""One style sheet and one script from the page's files, made when the API starts. Pure but for reading the files.

A module of the page imports by name from other files of the page and exports constants, functions and classes; here
each becomes a function that runs once, so that names of one file never collide with those of another. What a browser
gets is two files instead of fifty, and nobody needs a build step.
"""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parent
_IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.[^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async function\*?|function\*?|class|const) ?(\w+))", re.MULTILINE)
_LEFT = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


def style_sheet(folder: Path = PAGE / "css") -> str:
    """The style sheets of a folder, in the order of their names."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.css")))


def script(entry: Path = PAGE / "main.js") -> str:
    """The entry and what it imports, each module once and after those that it needs.

    Raises ValueError for a circle of imports and for an import or export in another form.
    """
    modules: dict[Path, str] = {}
    _add(entry.resolve(), modules, ())
    return "".join(modules.values())


def _add(path: Path, modules: dict[Path, str], needed_by: tuple[Path, ...]) -> None:
    if path in needed_by:
        raise ValueError(f"{path.name} imports itself through {', '.join(p.name for p in needed_by)}")
    if path in modules:
        return
    text = path.read_text(encoding="utf-8")
    for _, name in _IMPORT.findall(text):
        _add((path.parent / name).resolve(), modules, (*needed_by, path))
    modules[path] = _wrapped(path, text)


def _wrapped(path: Path, text: str) -> str:
    names = _EXPORT.findall(text)
    body = _IMPORT.sub(lambda m: f"const {{{_renamed(m[1])}}} = {_name((path.parent / m[2]).resolve())};\n", text)
    body = _EXPORT.sub("", body)
    if left := _LEFT.search(body):
        raise ValueError(f'{path.name}: write `{left[0]}` as `import {{ a }} from "./b.js";` or export a name')
    return f"const {_name(path)} = (() => {{\n{body}\nreturn {{ {', '.join(names)} }};\n}})();\n"


def _renamed(names: str) -> str:
    return re.sub(r"(\w+) as (\w+)", r"\1: \2", names)


def _name(path: Path) -> str:
    return "_" + re.sub(r"\W", "_", path.relative_to(PAGE.resolve()).with_suffix("").as_posix())
