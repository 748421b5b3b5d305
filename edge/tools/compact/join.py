"""One file for the modules that a running node always needs.

Each module costs a node some 200 bytes beside its functions: a table of globals, a table of names, and three texts
that are never freed. So the build puts what `app.py` and `assembly.py` import into one file, and gives it short names.
What comes and goes (`lazy.load`) and the drivers stay files of their own and import from it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

CORE = "app"
PASSING = {"assembly", "slots"}  # needed for a moment only
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
Trees = dict[str, ast.Module]


def joined(sources: Mapping[str, str]) -> dict[str, str]:
    """The flat sources of a firmware by name, those of the core in one file."""
    trees = {name.removesuffix(".py"): ast.parse(text) for name, text in sources.items()}
    core = _core(trees)
    names = _new_names(trees, core)
    out = {f"{name}.py": tree for name, tree in trees.items() if name not in core}
    for name, tree in out.items():
        _Renamed(name.removesuffix(".py"), tree, names).visit(tree)
    out[f"{CORE}.py"] = _merged([_Renamed(name, trees[name], names).visit(trees[name]) for name in core])
    return {name: ast.unparse(ast.fix_missing_locations(tree)) for name, tree in out.items()}


def core_of(sources: Mapping[str, str]) -> list[str]:
    """The modules of the core in the order in which they stand in its file."""
    return _core({name.removesuffix(".py"): ast.parse(text) for name, text in sources.items()})


def _imports(tree: ast.Module, trees: Trees) -> Iterator[str]:
    """The modules of the firmware that a file imports when it is loaded."""
    choices = [one for item in tree.body if isinstance(item, ast.If) for one in item.body + item.orelse]
    for item in tree.body + choices:
        if isinstance(item, ast.ImportFrom) and item.level:
            named = [item.module] if item.module else [one.name for one in item.names]
            yield from [name for name in named if name in trees]


def _core(trees: Trees) -> list[str]:
    """Modules of the core, each after those that it imports."""
    done: list[str] = []

    def add(name: str) -> None:
        for other in _imports(trees[name], trees):
            add(other)
        if name not in done and name not in PASSING:
            done.append(name)

    board = _imports(trees["hal"], trees) if "hal" in trees else ()
    for name in ("assembly", *board, CORE):
        if name in trees:
            add(name)
    return done


def _defined(tree: ast.Module) -> dict[str, bool]:
    """Globals that a file makes itself, and whether they are constants of the compiler."""
    out: dict[str, bool] = {}
    for item in tree.body:
        if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            out[item.name] = False
        elif not isinstance(item, ast.Import | ast.ImportFrom):
            call = item.value.func if isinstance(item, ast.Assign) and isinstance(item.value, ast.Call) else None
            is_const = isinstance(call, ast.Name) and call.id == "const"
            out |= {name.id: is_const for name in _stored(item)}
    return out


def _new_names(trees: Trees, core: list[str]) -> dict[str, dict[str, str]]:
    """For each module of the core what its globals become: numbers, which are names of attributes already.

    What the loader names is kept, and so are constants that other files use: MicroPython does not keep those whose name
    begins with an underscore.
    """
    outside = {pair for other in set(trees) - set(core) for pair in _foreign(trees[other], core)}
    made = [(module, name, const) for module in core for name, const in _defined(trees[module]).items()]
    kept = [(m, name) for m, name, const in made if (m == CORE and name[0] != "_") or (const and (m, name) in outside)]
    out: dict[str, dict[str, str]] = {module: {} for module in core}
    for module, name in kept:
        out[module][name] = name
    rest = [(module, name) for module, name, _ in sorted(made, key=lambda one: one[2]) if (module, name) not in kept]
    for number, (module, name) in enumerate(rest):
        out[module][name] = f"_{number}"
    return out


def _foreign(tree: ast.Module, core: list[str]) -> Iterator[tuple[str, str]]:
    """(module, name) of what a file uses of the core."""
    aliases: dict[str, str] = {}
    for item in ast.walk(tree):
        if isinstance(item, ast.ImportFrom) and item.level:
            if item.module in core:
                yield from ((item.module, one.name) for one in item.names)
            elif not item.module:
                aliases |= {one.asname or one.name: one.name for one in item.names if one.name in core}
    for item in ast.walk(tree):
        if isinstance(item, ast.Attribute) and isinstance(item.value, ast.Name) and item.value.id in aliases:
            yield aliases[item.value.id], item.attr


@dataclass
class _Scope:
    """What the names of a file mean in one of its functions."""

    names: dict[str, str] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)

    def without(self, local: set[str]) -> _Scope:
        kept = {old: new for old, new in self.names.items() if old not in local}
        return _Scope(kept, {old: new for old, new in self.modules.items() if old not in local})


class _Renamed(ast.NodeTransformer):
    """Gives the globals of the core their new names, in one file; imports of the core become imports of its file."""

    def __init__(self, name: str, tree: ast.Module, names: dict[str, dict[str, str]]) -> None:
        self.tables, self.inside = names, name in names
        self.scope = _Scope(dict(names.get(name, {})))
        for item in tree.body:
            if isinstance(item, ast.ImportFrom) and item.level:
                for one in item.names:
                    known = one.asname or one.name
                    if not item.module and one.name in names:
                        self.scope.modules[known] = one.name
                    elif item.module in names and self.inside:
                        self.scope.names[known] = names[item.module].get(one.name, one.name)

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self.scope.names.get(node.id, node.id)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        module = self.scope.modules.get(node.value.id) if isinstance(node.value, ast.Name) else None
        if module is None:
            self.generic_visit(node)
            return node
        new = self.tables[module].get(node.attr, node.attr)
        return ast.Name(new, node.ctx) if self.inside else ast.Attribute(ast.Name(CORE, ast.Load()), new, node.ctx)

    def visit_Global(self, node: ast.Global) -> ast.Global:
        node.names = [self.scope.names.get(name, name) for name in node.names]
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | list[ast.AST] | None:
        if not node.level:
            return node
        if node.module in self.tables:
            if self.inside:
                return None
            table = self.tables[node.module]
            return ast.ImportFrom(
                CORE, [ast.alias(table.get(one.name, one.name), one.asname or one.name) for one in node.names], 1
            )
        mine = [one for one in node.names if not node.module and one.name in self.tables]
        others = [one for one in node.names if one not in mine]
        if mine and not self.inside:
            others.insert(0, ast.alias(CORE))
        return ast.ImportFrom(node.module, others, 1) if others else None

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        node.name = self.scope.names.get(node.name, node.name)
        node.bases = [self.visit(base) for base in node.bases]
        outer = self.scope
        made = {item.id for one in node.body if isinstance(one, ast.Assign) for item in _stored(one)}
        for item in node.body:
            if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef):
                self._function(item)  # its name is an attribute
            else:
                self.scope = outer.without(made)
                self.visit(item)
                self.scope = outer
        return node

    def _named(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        node.name = self.scope.names.get(node.name, node.name)
        return self._function(node)

    visit_FunctionDef = visit_AsyncFunctionDef = _named  # noqa: N815 - names that `ast` calls

    def _function(self, node: ast.AST) -> ast.AST:
        outer, self.scope = self.scope, self.scope.without(_locals(node))
        self.generic_visit(node)
        self.scope = outer
        return node

    visit_Lambda = visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _function  # noqa: N815


def _stored(node: ast.AST) -> list[ast.Name]:
    return [item for item in ast.walk(node) if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)]


def _within(node: ast.AST) -> Iterator[ast.AST]:
    """Everything of a function but what is in functions inside it."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, _SCOPES):
            yield from _within(child)


def _locals(node: ast.AST) -> set[str]:
    items = list(_within(node))
    out = {item.id for item in items if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)}
    out |= {item.arg for item in ast.walk(node) if isinstance(item, ast.arg)}
    out |= {item.name for item in items if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)}
    out |= {item.name for item in items if isinstance(item, ast.ExceptHandler) and item.name}
    imports = [item for item in items if isinstance(item, ast.Import | ast.ImportFrom)]
    out |= {one.asname or one.name for item in imports for one in item.names}
    return out - {name for item in items if isinstance(item, ast.Global) for name in item.names}


def _merged(trees: list[ast.Module]) -> ast.Module:
    """One module of several: their imports first and once, no docstrings."""
    imports: dict[str, ast.stmt] = {}
    body: list[ast.stmt] = []
    for item in [item for tree in trees for item in tree.body]:
        if isinstance(item, ast.Import):
            imports |= {one.name: ast.Import([one]) for one in item.names}
        elif isinstance(item, ast.ImportFrom):
            for one in item.names:
                imports[f"{item.module} {one.name}"] = ast.ImportFrom(item.module, [one], item.level)
        elif not (isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant)):
            body.append(item)
    return ast.Module([*imports.values(), *body], [])
