"""The page's script is one file made of modules: names never meet, circles and unknown forms are reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from page import bundle
from page.bundle import PAGE, script, style_sheet


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(bundle, "PAGE", tmp_path)
    return tmp_path


def test_every_module_of_the_page_is_in_the_script_once() -> None:
    text = script()
    modules = sorted(p.relative_to(PAGE).with_suffix("").as_posix() for p in PAGE.rglob("*.js"))
    assert len(modules) > 20
    for name in modules:
        assert text.count(f"const _{name.replace('/', '_')} = (") == 1, name


def test_a_module_comes_after_what_it_imports_and_names_are_its_own(folder: Path) -> None:
    (folder / "main.js").write_text('import { a as b } from "./one.js";\nconst local = b;\n')
    (folder / "one.js").write_text("const local = 1;\nexport const a = local;\n")
    assert script(folder / "main.js") == (
        "const _one = (() => {\nconst local = 1;\nconst a = local;\n\nreturn { a };\n})();\n"
        "const _main = (() => {\nconst {a: b} = _one;\nconst local = b;\n\nreturn {  };\n})();\n"
    ).replace("{a: b}", "{ a: b }")


def test_a_circle_of_imports_is_reported(folder: Path) -> None:
    (folder / "main.js").write_text('import { a } from "./one.js";\n')
    (folder / "one.js").write_text('import { b } from "./main.js";\nexport const a = 1;\n')
    with pytest.raises(ValueError, match=r"main\.js imports itself through main\.js, one\.js"):
        script(folder / "main.js")


@pytest.mark.parametrize("line", ['import x from "./one.js";', "export default 1;", "export { a };"])
def test_another_form_of_import_or_export_is_reported(folder: Path, line: str) -> None:
    (folder / "main.js").write_text(f"{line}\n")
    with pytest.raises(ValueError, match=r"main\.js: write"):
        script(folder / "main.js")


def test_style_sheets_follow_each_other_by_name() -> None:
    text = style_sheet()
    assert text.index("--ground") < text.index("@media print")


def test_files_of_the_page_are_short() -> None:
    lengths = {p.name: len(p.read_text().splitlines()) for p in PAGE.rglob("*.[jc]s*") if p.suffix in (".js", ".css")}
    assert {name: n for name, n in lengths.items() if n > 400} == {}
