"""Few texts: a slice of a long one lives for a moment, a text of its own for good.

MicroPython makes a name of each text of up to ten characters, also in a file that is soon unloaded, and never forgets
it; a longer one is an object of 20 bytes as long as its file is loaded. So the build puts texts of a file into one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from edge.tools.compact.join import CORE

TEXTS = "TEXTS"
SHORT = 10  # characters: MicroPython makes names of them
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def few_texts(sources: Mapping[str, str]) -> dict[str, str]:
    """The flat sources of a firmware by file name."""
    trees = {name.removesuffix(".py"): ast.parse(text) for name, text in sources.items()}
    staying = _staying(trees)
    names = {text for name in staying for text in _texts_of(trees[name])}
    for name, tree in trees.items():
        if name == CORE:
            _into_one(tree, _OfCore())
        elif name in staying:
            _into_one(tree, _OfDriver())
        elif name != "__init__":
            _into_one(tree, _OfPassing(names))
    return {f"{name}.py": ast.unparse(ast.fix_missing_locations(tree)) for name, tree in trees.items()}


def _staying(trees: Mapping[str, ast.Module]) -> set[str]:
    """The core, the drivers, and what drivers import."""
    found: set[str] = set()
    wait = [name for name, tree in trees.items() if name == CORE or _has_driver(tree)]
    while wait:
        name = wait.pop()
        if name in trees and name not in found:
            found.add(name)
            wait += [one for item in ast.walk(trees[name]) if isinstance(item, ast.ImportFrom) for one in _files(item)]
    return found


def _has_driver(tree: ast.Module) -> bool:
    return any(isinstance(item, ast.ClassDef) and item.name == "Driver" for item in tree.body)


def _files(item: ast.ImportFrom) -> list[str]:
    if not item.level:
        return []
    return [item.module] if item.module else [one.name for one in item.names]


def _texts_of(tree: ast.Module) -> Iterator[str]:
    for item in ast.walk(tree):
        if isinstance(item, ast.Constant) and isinstance(item.value, str):
            yield item.value


class _Texts(ast.NodeTransformer):
    """Collects texts into one. Those for when memory is out stay where they are."""

    def __init__(self) -> None:
        self.text = ""

    def cut(self, text: str) -> ast.AST:
        """The slice that stands for a text."""
        if text not in self.text:
            self.text += text
        at = self.text.index(text)
        part = ast.Slice(ast.Constant(at), ast.Constant(at + len(text)))
        return ast.Subscript(ast.Name(TEXTS, ast.Load()), part, ast.Load())

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        for_memory = isinstance(node.type, ast.Name) and node.type.id == "MemoryError"
        return node if for_memory else self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        return node


class _OfCore(_Texts):
    """Long texts in functions, and short ones that are parts of others: what is kept as it is stays a name."""

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        text = node.value
        return self.cut(text) if isinstance(text, str) and len(text) > SHORT and text.isascii() else node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        for side in ("left", "right"):
            part = getattr(node, side)
            if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value:
                setattr(node, side, self.cut(part.value))
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        node.body = [self.visit(item) for item in node.body]
        return node

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - a name that `ast` calls

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.body = [self.visit(item) if isinstance(item, _FUNCTIONS) else item for item in node.body]
        return node

    def visit_Module(self, node: ast.Module) -> ast.AST:
        node.body = [self.visit(one) if isinstance(one, (*_FUNCTIONS, ast.ClassDef)) else one for one in node.body]
        return node


class _OfDriver(_OfCore):
    """Texts in functions that cannot be names. Those of quantities stand in what is kept of a reading."""

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        text = node.value
        if isinstance(text, str) and text and text.isascii() and not text.isidentifier():
            return self.cut(text)
        return node


class _OfPassing(_Texts):
    """All texts of a file that is unloaded, but those that are names anyway."""

    def __init__(self, names: set[str]) -> None:
        super().__init__()
        self.names = names

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        text = node.value
        if isinstance(text, str) and text and text.isascii() and text not in self.names:
            return self.cut(text)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        is_const = isinstance(node.func, ast.Name) and node.func.id == "const"
        return node if is_const else self.generic_visit(node)


def _into_one(tree: ast.Module, texts: _Texts) -> None:
    _without_docstrings(tree)
    texts.visit(tree)
    if texts.text:
        first = ast.Assign([ast.Name(TEXTS, ast.Store())], ast.Constant(texts.text))
        imports = [item for item in tree.body if isinstance(item, ast.Import | ast.ImportFrom)]
        others = [item for item in tree.body if item not in imports]
        tree.body = [*imports, first, *others]


def _without_docstrings(tree: ast.Module) -> None:
    """They are not kept anyway."""
    for item in ast.walk(tree):
        if not isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module):
            continue
        if ast.get_docstring(item, clean=False) is not None:
            item.body = item.body[1:] or ([] if isinstance(item, ast.Module) else [ast.Pass()])
