"""Small mistakes in a source: comparisons, arithmetic, constants, conditions, calls. One mutant is one changed node.

Annotations are left out, which nothing evaluates, decorators with their options, and `strict=True` of zip, which only
guards columns that have one length by construction.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from typing import NamedTuple

_COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip
_PAIRS = (
    ("min", "max"), ("any", "all"), ("minimum", "maximum"), ("nanmin", "nanmax"), ("first", "last"), ("ones", "zeros"),
    ("first_t", "last_t"),
)  # fmt: skip
_NAMES = {a: b for pair in _PAIRS for a, b in (pair, pair[::-1])}


class Mutant(NamedTuple):
    """Source with one mistake; `what` names it."""

    line: int
    what: str
    source: str


def mutants(source: str) -> Iterator[Mutant]:
    """All mutants of a module, in the order of its nodes."""
    tree = ast.parse(source)
    left_out = _left_out(tree)
    for index, node in enumerate(ast.walk(tree)):
        if id(node) in left_out or not _change(copy.copy(node)):
            continue
        changed = copy.deepcopy(tree)
        what = _change(next(n for i, n in enumerate(ast.walk(changed)) if i == index))
        yield Mutant(getattr(node, "lineno", 0), what, ast.unparse(ast.fix_missing_locations(changed)))


def _left_out(tree: ast.Module) -> set[int]:
    """Annotations, decorators and `strict=`, with all that is in them."""
    roots: list[ast.AST | None] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            roots += [node.returns, *node.decorator_list]
        elif isinstance(node, ast.ClassDef):
            roots += node.decorator_list
        elif isinstance(node, ast.arg | ast.AnnAssign):
            roots.append(node.annotation)
        elif isinstance(node, ast.keyword) and node.arg == "strict":
            roots.append(node.value)
    return {id(inner) for root in roots if root is not None for inner in ast.walk(root)}


def _change(node: ast.AST) -> str:  # noqa: PLR0911 - one return for each kind of node
    """Make the mistake in place; what it is, empty where the node allows none."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARE:
        before, after = type(node.ops[0]), _COMPARE[type(node.ops[0])]
        node.ops = [after(), *node.ops[1:]]
        return f"{before.__name__} -> {after.__name__}"
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _ARITHMETIC:
        old, new = type(node.op), _ARITHMETIC[type(node.op)]
        node.op = new()
        return f"{old.__name__} -> {new.__name__}"
    if isinstance(node, ast.BoolOp):
        node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        return "and <-> or"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.Invert):
        # +x is true where x is true; ~~x is x for masks and whole numbers.
        what = "not x -> x" if isinstance(node.op, ast.Not) else "~x -> x"
        node.op = ast.UAdd() if isinstance(node.op, ast.Not) else node.op
        node.operand = node.operand if what == "not x -> x" else ast.UnaryOp(ast.Invert(), node.operand)
        return what
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        node.value = not node.value
        return f"{not node.value} -> {node.value}"
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        value = node.value
        node.value = value + 1
        return f"{value} -> {node.value}"
    return _change_call(node)


def _change_call(node: ast.AST) -> str:
    """As `_change`, of a call that is a statement of its own and of names with an opposite."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        node.value = ast.Constant(None)
        return "call left out"
    if isinstance(node, ast.Attribute) and node.attr in _NAMES and isinstance(node.ctx, ast.Load):
        before = node.attr
        node.attr = _NAMES[before]
        return f"{before} -> {node.attr}"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _NAMES:
        before = node.func.id
        node.func = ast.Name(_NAMES[before], ast.Load())
        return f"{before} -> {_NAMES[before]}"
    return ""
