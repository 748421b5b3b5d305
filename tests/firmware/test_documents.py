"""What the documents of the firmware state is there: a test for each fault, a driver and a board for each cell."""

import re
from pathlib import Path

import pytest

from edge.tools import boards, drivers, node_kinds
from edge.tools.node_kinds import boards_table
from tests.firmware.interpreters import REPO

FAULTS = (REPO / "docs/firmware/faults.md").read_text()
NODE_JSON = (REPO / "docs/firmware/node-json.md").read_text()
WANTED = (
    *("name servers", "20 years ahead", "RTC jumps by 40 minutes", "another broker"),
    *(
        "missing, or is not a certificate",
        "wrong Wi-Fi password",
        "CONNACK 5",
        "sensor that is not there",
        "full or damaged file system",
    ),
    *("two meters on one line", "347,280 Wh | 173,640 Wh", "the tables do not know", "block of 14 s"),
)


def rows() -> list[list[str]]:
    """The cells of the table of faults."""
    lines = [line for line in FAULTS.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:]]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0][:40])
def test_each_fault_names_a_test_that_exists(row: list[str]) -> None:
    found = re.fullmatch(r"`([\w/]+\.py)::(test_\w+)`", row[-1])
    assert found, row[-1]
    text = Path(REPO / "tests/firmware" / found[1]).read_text()
    assert re.search(rf"^def {found[2]}\(", text, re.MULTILINE), row[-1]


def test_no_fault_is_missing() -> None:
    assert [part for part in WANTED if part not in FAULTS] == []
    assert len(rows()) >= len(WANTED)


def test_the_table_of_boards_and_drivers_is_as_the_tools_make_it() -> None:
    assert boards_table() in NODE_JSON, "run `python -m edge.tools.node_kinds`"
    cells = boards_table().count("| yes ")
    assert cells == sum(fits(name, chip) for name in drivers.drivers() for chip in boards.BOARDS)
    assert cells >= len(drivers.drivers()) * 3 - 6


def fits(name: str, chip: str) -> bool:
    """Whether the tools have pins for a driver on a board, and accept them."""
    return not node_kinds.faults(node_kinds.sensors("air", [name], chip), chip)
