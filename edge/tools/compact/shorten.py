"""Shorter names for what a node runs: each new one takes a place in a table that doubles when it is full.

Arguments and private names (`_name`) get the same few names in every file. Kept are: what a caller names (`key=value`),
what another file uses, and the private names of a file with a class whose parent is in another file: both of them set
attributes of one object. `python -m edge.tools.release FILE NAME` prints what a name in a trace stands for.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from edge.tools.compact.rename import Renamer

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class _File:
    """One file: its tree, and what stands in it."""

    def __init__(self, text: str) -> None:
        self.tree = ast.parse(text)
        items = list(ast.walk(self.tree))
        self.functions = [item for item in items if isinstance(item, _FUNCTIONS)]
        self.keywords = {item.arg for item in items if isinstance(item, ast.keyword) and item.arg}
        texts = {item.value for item in items if isinstance(item, ast.Constant) and isinstance(item.value, str)}
        self.texts = {text for text in texts if text.isidentifier()}  # could name an attribute
        names = [(item.id, item.ctx) for item in items if isinstance(item, ast.Name)]
        names += [(item.attr, item.ctx) for item in items if isinstance(item, ast.Attribute)]
        self.used = {name for name, _ in names}
        stored = {name for name, ctx in names if isinstance(ctx, ast.Store)}
        self.defined = stored | {item.name for item in self.functions}

    def private(self) -> set[str]:
        """Names with one underscore in front."""
        found = self.used | self.defined
        return {name for name in found if name.startswith("_") and not name.startswith("__") and name != "_"}

    def has_foreign_parent(self) -> bool:
        """Whether a class extends one of another file."""
        classes = [item for item in self.functions if isinstance(item, ast.ClassDef)]
        known = {item.name for item in classes} | {"Exception"}
        parents = [base for item in classes for base in item.bases]
        return any(not isinstance(base, ast.Name) or base.id not in known for base in parents)

    def new_names(self, kept: set[str]) -> dict[str, str]:
        """Private names and what they become."""
        free = (name for name in _numbered("_") if name not in self.used)
        return {name: next(free) for name in sorted(self.private() & self.defined - kept)}


def _numbered(first: str) -> Iterator[str]:
    return (f"{first}{n}" for n in range(1000))


def _kept(files: Mapping[str, _File]) -> set[str]:
    foreign = {name for file in files.values() for name in file.private() - file.defined}
    foreign |= {name for file in files.values() if file.has_foreign_parent() for name in file.private()}
    return foreign | {name for file in files.values() for name in file.keywords | file.texts}


def shortened(sources: Mapping[str, str]) -> dict[str, str]:
    """The sources of a whole firmware by path, with short names; comments and line numbers are lost."""
    files = {path: _File(text) for path, text in sources.items()}
    kept, called = _kept(files), {name for file in files.values() for name in file.keywords}
    return {
        path: ast.unparse(_Shortened(file.new_names(kept), called).visit(file.tree)) for path, file in files.items()
    }


class _Shortened(Renamer):
    """Renames private names everywhere in a file, and arguments inside their function."""

    def __init__(self, names: dict[str, str], kept: set[str]) -> None:
        super().__init__(names)
        self.private = names
        self.kept = kept

    def visit_Attribute(self, node: ast.Attribute) -> ast.Attribute:
        self.generic_visit(node)
        node.attr = self.private.get(node.attr, node.attr)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        node.name = self.private.get(node.name, node.name)
        self.generic_visit(node)
        return node

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        node.name = self.private.get(node.name, node.name)
        node.args.defaults = [self.visit(default) for default in node.args.defaults]
        node.decorator_list = [self.visit(item) for item in node.decorator_list]
        outer, taken = self.names, _named_in(node) | set(self.names.values())
        free = (name for name in _numbered("a") if name not in taken)
        arguments = [*node.args.args, *filter(None, (node.args.vararg, node.args.kwarg))]
        wanted = [a.arg for a in arguments if a.arg not in self.kept | {"self"}]
        self.names = {**outer, **{name: next(free) for name in wanted}}
        for argument in arguments:
            self.visit_arg(argument)
        node.body = [self.visit(item) for item in node.body]
        self.names = outer
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = _function  # noqa: N815 - names that `ast` calls


def _named_in(node: ast.AST) -> set[str]:
    names = {item.id for item in ast.walk(node) if isinstance(item, ast.Name)}
    return names | {item.arg for item in ast.walk(node) if isinstance(item, ast.arg)}
