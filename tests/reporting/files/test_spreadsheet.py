"""The collection form in a real spreadsheet program: opened, filled and saved by LibreOffice alone, then read back.

Runs where `soffice` of LibreOffice Calc is on the PATH (Debian: libreoffice-calc-nogui), else it is skipped.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from reporting.figures.points import all_points
from reporting.files.workbook import form_workbook
from reporting.report import figures_in
from telemetry.errors import UsageError

SOFFICE = shutil.which("soffice")
MACRO = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE script:module PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "module.dtd">
<script:module xmlns:script="http://openoffice.org/2000/script" script:name="Module1" script:language="StarBasic">
Sub Fill(folder As String)
  On Error Goto Failed
  Dim hidden(0) As New com.sun.star.beans.PropertyValue
  hidden(0).Name = "Hidden"
  hidden(0).Value = True
  doc = StarDesktop.loadComponentFromURL(ConvertToURL(folder + "/form.xlsx"), "_blank", 0, hidden())
  sheet = doc.Sheets.getByName("Figures")
  number = FreeFile
  Open folder + "/cells.txt" For Input As #number
  Do While Not Eof(number)
    Line Input #number, entry
    place = InStr(entry, " ")
    Set target = sheet.getCellRangeByName(Left(entry, place - 1))
    content = Mid(entry, place + 1)
    If Left(content, 1) = "'" Then
      target.setString(Mid(content, 2))
    Else
      target.setFormula(content)
    End If
  Loop
  Close #number
  Dim kind(0) As New com.sun.star.beans.PropertyValue
  kind(0).Name = "FilterName"
  kind(0).Value = "Calc MS Excel 2007 XML"
  doc.storeToURL(ConvertToURL(folder + "/filled.xlsx"), kind())
  doc.close(True)
  Exit Sub
Failed:
  out = FreeFile
  Open folder + "/error.txt" For Output As #out
  Print #out, Error + " in line " + Erl
  Close #out
End Sub
</script:module>
"""
LIBRARY = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE library:library PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "library.dtd">
<library:library xmlns:library="http://openoffice.org/2000/library" library:name="Standard" library:readonly="false"
 library:passwordprotected="false"><library:element library:name="Module1"/></library:library>
"""
pytestmark = [
    pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed"),
    pytest.mark.timeout(300),
]


def options(profile: Path) -> list[str]:
    return [f"-env:UserInstallation=file://{profile}", "--headless", "--norestore"]


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A profile of LibreOffice with the macro that enters cells."""
    folder = tmp_path_factory.mktemp("libreoffice")
    subprocess.run([str(SOFFICE), *options(folder), "--terminate_after_init"], timeout=240, check=False)  # makes it
    basic = folder / "user" / "basic" / "Standard"
    (basic / "script.xlb").write_text(LIBRARY)
    (basic / "Module1.xba").write_text(MACRO)
    return folder


def filled(profile: Path, folder: Path, cells: dict[str, str]) -> bytes:
    """The form of 2025 with these cells entered: a text after an apostrophe, else a number or formula."""
    form, out = folder / "form.xlsx", folder / "filled.xlsx"
    form.write_bytes(form_workbook(2025))
    (folder / "cells.txt").write_text("".join(f"{cell} {content}\n" for cell, content in cells.items()))
    call = f"macro:///Standard.Module1.Fill({folder})"
    command = [str(SOFFICE), *options(profile), call]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    error = folder / "error.txt"
    assert out.exists(), error.read_text() if error.exists() else done.stderr
    return out.read_bytes()


def row_of(code: str, part: str = "") -> int:
    return 2 + [(k.code, p) for k, p in all_points()].index((code, part))


def cells_of(code: str, part: str = "", **given: str) -> dict[str, str]:
    columns = {"value": "J", "numerator": "K", "denominator": "L", "quality": "M", "source": "N", "remark": "O"}
    return {f"{columns[name]}{row_of(code, part)}": content for name, content in given.items()}


def test_a_form_that_libreoffice_filled_is_read_as_it_was_entered(profile: Path, tmp_path: Path) -> None:
    said = {"quality": "'measured", "source": "'Office, Åsgård"}
    cells = (
        cells_of("EC:P:IN:1C", value="3.25", **said)
        | cells_of("EC:ICT:ICT:1C", numerator="4225.5", denominator="=2*2500", **said)
        | cells_of("EC:I:UP:2A", "compact", value="'yes", **said)
        | cells_of("EN:EN:AQ:1C", "no2", value="=SUM(9;12)/2", remark="'two stations", **said)
    )
    found = {(f.code, f.part): f for f in figures_in(filled(profile, tmp_path, cells), "filled.xlsx")}
    assert {point: f.value for point, f in found.items()} == {
        ("EC:P:IN:1C", ""): 3.25, ("EC:ICT:ICT:1C", ""): 84.51, ("EC:I:UP:2A", "compact"): 1.0,
        ("EN:EN:AQ:1C", "no2"): 10.5,
    }  # fmt: skip
    assert {f.source for f in found.values()} == {"Office, Åsgård"}
    assert found["EN:EN:AQ:1C", "no2"].remark == "two stations"


def test_what_libreoffice_entered_wrongly_is_named_with_its_row(profile: Path, tmp_path: Path) -> None:
    said = {"quality": "'measured", "source": "'Office"}
    cells = cells_of("EC:P:IN:1C", value="=1/0", **said)
    with pytest.raises(UsageError, match=f"row {row_of('EC:P:IN:1C')}.*#DIV/0!"):
        figures_in(filled(profile, tmp_path, cells), "filled.xlsx")
