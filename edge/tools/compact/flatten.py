"""One folder for what a node runs: its packages are for people, and each costs a node memory.

MicroPython keeps for every module its name, its dotted name and its path as texts that are never freed, and for every
package a module of its own. So the build puts all files beside each other and repairs their imports. Names of files
must differ for that; `flat` raises ValueError where two do not.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import PurePosixPath

Parts = tuple[str, ...]


def flat(sources: Mapping[str, str]) -> dict[str, str]:
    """The sources of a whole firmware by path, without folders; packages that hold nothing are left out."""
    trees = {path: ast.parse(text) for path, text in sources.items()}
    places = {_module(path): path for path in trees if not _only_a_docstring(path, trees[path])}
    packages = {_module(path)[:at] for path in trees for at in range(len(_module(path)))} | {()}
    out: dict[str, str] = {}
    for module, path in places.items():
        folder = module if path.endswith("__init__.py") else module[:-1]
        tree = _Imports(folder, set(places), packages).visit(trees[path])
        name = f"{module[-1]}.py" if module else "__init__.py"
        if name in out:
            raise ValueError(f"two files of the firmware are called {name}")
        out[name] = ast.unparse(tree)
    return out


def _module(path: str) -> Parts:
    parts = PurePosixPath(path).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


def _only_a_docstring(path: str, tree: ast.Module) -> bool:
    if not path.endswith("/__init__.py"):
        return False
    return all(isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant) for item in tree.body)


class _Imports(ast.NodeTransformer):
    """Repairs what names a module: relative imports, and texts for `lazy.load`."""

    def __init__(self, folder: Parts, modules: set[Parts], packages: set[Parts]) -> None:
        self.folder, self.modules, self.packages = folder, modules, packages
        self.texts = {".".join(parts): parts[-1] for parts in modules if len(parts) > 1}
        self.texts |= {".".join(parts) + ".": "" for parts in packages if parts}

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        if isinstance(node.value, str) and node.value in self.texts:
            node.value = self.texts[node.value]
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | list[ast.AST]:
        if not node.level:
            return node
        base = self.folder[: len(self.folder) - node.level + 1]
        target = base + tuple((node.module or "").split(".") if node.module else ())
        if target in self.modules and target not in self.packages:
            return ast.ImportFrom(target[-1], node.names, 1)
        inside = [one for one in node.names if (*target, one.name) in self.modules or not target]
        others = [one for one in node.names if one not in inside]
        out: list[ast.AST] = [ast.ImportFrom(None, inside, 1)] if inside else []
        return out + ([ast.ImportFrom(target[-1], others, 1)] if others else [])
