"""Few names for everything that a node's firmware calls something: two that never meet get one name.

Each name that the firmware brings takes a place in a table of MicroPython that doubles when it is full: with more than
300 names its last part alone is 2.3 kB. Attributes of different classes and globals of different files may share a
name, because each is found in its own object. Kept are names that MicroPython's own objects have too, what is called by
a text or as an argument, and what starts the firmware.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from edge.tools.compact.join import CORE
from edge.tools.compact.rename import Renamer

# Attributes of the firmware that objects of MicroPython have too.
NATIVE = frozenset(
    re.findall(
        r"\w+",
        "add append clear commit connect context count difference events feed get ifconfig ioctl key link load "
        "message next now open open_line options path pending prefix put read read_uv readblocks readfrom "
        "readfrom_mem reason reset reset_cause scan send sha256 size sleep sleep_ms start sync text ticks_ms "
        "unpack value values write writeblocks writeto writeto_mem ",
    )
)
STARTS = frozenset(("run", "Node", "Board", "Driver", "_"))
# Every MicroPython has these names (the fixed list of the .mpy format): one that the firmware does not use is free.
FREE = re.findall(
    r"\w+",
    "bytecode builtins callable classmethod dir divmod eval exec globals hash id islower isspace issubclass "
    "isupper little locals main map object ord popitem pow repr reverse rindex rsplit sep setdefault sort step "
    "upper ",
)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
Trees = Mapping[str, ast.Module]


def few_names(sources: Mapping[str, str]) -> dict[str, str]:
    """The sources of a whole firmware in one folder, by file name, with those names."""
    trees = {name: ast.parse(text) for name, text in sources.items()}
    names = new_names(trees)
    return {name: ast.unparse(_Renamed(name, trees, names).visit(tree)) for name, tree in trees.items()}


def new_names(trees: Trees) -> dict[str, str]:
    """What each name becomes. Those that meet most others choose first."""
    meets: dict[str, set[str]] = defaultdict(set)
    for group in [*_classes(trees), *(set(_globals(tree)) for tree in trees.values())]:
        for name in group:
            meets[name] |= group - {name}
    kept = NATIVE | STARTS | _called(trees)
    kept |= {name for name in _globals(trees[f"{CORE}.py"]) if name[0] != "_"}
    kept |= {*_globals(trees["__init__.py"]), *(name.removesuffix(".py") for name in trees)}
    mine = [name for name in meets if not (name in kept or name.startswith("__"))]
    used = {name for tree in trees.values() for name in _used(tree)}
    new = [name for name in FREE if name not in used] + [f"_{number}" for number in range(200)]
    out: dict[str, str] = {}
    for name in sorted(mine, key=lambda name: (-len(meets[name]), name)):
        taken = {out.get(other, other) for other in meets[name]}
        out[name] = next(one for one in new if one not in taken)
    return out


def _classes(trees: Trees) -> list[set[str]]:
    """For each class, with its parents and children, the attributes that its objects may have."""
    classes = [item for tree in trees.values() for item in ast.walk(tree) if isinstance(item, ast.ClassDef)]
    found = [(item, set(_attributes_of(item))) for item in classes]
    for one, mine in found:
        parents = {base.attr if isinstance(base, ast.Attribute) else ast.unparse(base) for base in one.bases}
        for other, names in found:
            if other is not one and other.name in parents:
                mine.update(names)
                names.update(mine)
    return [names for _, names in found]


def _attributes_of(item: ast.ClassDef) -> Iterator[str]:
    for part in item.body:
        if isinstance(part, _FUNCTIONS):
            yield part.name
        elif isinstance(part, ast.Assign):
            yield from (target.id for target in part.targets if isinstance(target, ast.Name))
    for one in ast.walk(item):
        if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name) and one.value.id == "self":
            yield one.attr


def _globals(tree: ast.Module) -> Iterator[str]:
    """The names of a file's own globals and of what it imports from other files of the firmware."""
    for item in tree.body:
        if isinstance(item, (*_FUNCTIONS, ast.ClassDef)):
            yield item.name
        elif isinstance(item, ast.Import | ast.ImportFrom):
            yield from (one.asname or one.name for one in item.names)
        else:
            yield from (one.id for one in ast.walk(item) if isinstance(one, ast.Name) and _is_stored(one))


def _used(tree: ast.Module) -> Iterator[str]:
    for item in ast.walk(tree):
        if isinstance(item, ast.Name):
            yield item.id
        elif isinstance(item, ast.Attribute):
            yield item.attr
        elif isinstance(item, ast.arg):
            yield item.arg


def _is_stored(item: ast.Name) -> bool:
    return isinstance(item.ctx, ast.Store)


def _called(trees: Trees) -> set[str]:
    """Names in texts for `getattr` and `hasattr`, of arguments, in the bodies of classes, of constants and natives."""
    out: set[str] = set()
    for item in [item for tree in trees.values() for item in ast.walk(tree)]:
        if isinstance(item, ast.Call) and isinstance(item.func, ast.Name) and item.func.id in ("getattr", "hasattr"):
            out |= {str(part.value) for part in item.args[1:2] if isinstance(part, ast.Constant)}
        elif isinstance(item, ast.keyword) and item.arg:
            out.add(item.arg)
        elif isinstance(item, ast.ClassDef):
            parts: list[ast.AST] = [part for part in item.body if not isinstance(part, _FUNCTIONS)]
            parts += [one for part in item.body if isinstance(part, _FUNCTIONS) for one in part.decorator_list]
            out |= {one.id for part in parts for one in ast.walk(part) if isinstance(one, ast.Name)}
        elif isinstance(item, ast.Assign) and isinstance(item.value, ast.Call):
            is_const = isinstance(item.value.func, ast.Name) and item.value.func.id == "const"
            out |= {one.id for one in item.targets if isinstance(one, ast.Name)} if is_const else set()
        elif isinstance(item, ast.Import) or (isinstance(item, ast.ImportFrom) and not item.level):
            out |= {one.asname or one.name for one in item.names}
    return out


class _Renamed(Renamer):
    """Renames in one file what is an attribute of any object, and what is a global of this file."""

    def __init__(self, file: str, trees: Trees, names: Mapping[str, str]) -> None:
        own = set(_globals(trees[file]))
        super().__init__({old: new for old, new in names.items() if old in own})
        self.attributes = names
        imports = [item for item in ast.walk(trees[file]) if isinstance(item, ast.Import | ast.ImportFrom)]
        foreign = [item for item in imports if isinstance(item, ast.Import) or not item.level]
        self.foreign = {one.asname or one.name for item in foreign for one in item.names}

    def visit_Attribute(self, node: ast.Attribute) -> ast.Attribute:
        self.generic_visit(node)
        if not (isinstance(node.value, ast.Name) and node.value.id in self.foreign):
            node.attr = self.attributes.get(node.attr, node.attr)
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom:
        if node.level:
            for one in node.names:
                known = one.asname or one.name
                if node.module:
                    one.name = self.attributes.get(one.name, one.name)
                known = self.names.get(known, known)
                one.asname = None if known == one.name else known
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        node.name = self.names.get(node.name, node.name)
        node.bases = [self.visit(base) for base in node.bases]
        for item in node.body:
            if isinstance(item, _FUNCTIONS):
                item.name = self.attributes.get(item.name, item.name)  # an attribute
                self.generic_visit(item)
            else:
                self.visit(item)
        return node

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        node.name = self.names.get(node.name, node.name)
        self.generic_visit(node)
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = _function  # noqa: N815 - names that `ast` calls
