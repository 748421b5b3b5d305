"""A list where a table is expected, or the other way round: file, line, key, what is expected and how it is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry.config import load_city, load_settings
from reporting.goals.stored import entries_of
from telemetry.errors import UsageError

CITY = '[city]\nid = "aba"\nname = "Aba"\ncountry = "NG"\ntimezone = "Africa/Lagos"\n'
TARGET = '[[target]]\ncode = "EC:ICT:ICT:2C"\nvalue = 60\nyear = 2030\n'
INTERIM = (
    "interim: expected a list of tables with year, value, found {}; write interim = [{{ year = ..., value = ... }}], "
    "or one [[target.interim]] for each entry."
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (CITY + TARGET + "interim = { year = 2028, value = 55 }\n", "line 10: target.0." + INTERIM.format("a table")),
        (CITY + TARGET + "[target.interim]\nyear = 2028\n", "line 10: target.0." + INTERIM.format("a table")),
        (CITY + TARGET + "interim = 55\n", "line 10: target.0." + INTERIM.format("a number")),
        (CITY + TARGET + 'interim = "2028"\n', "line 10: target.0." + INTERIM.format("a text")),
        (CITY + TARGET + "interim = [55]\n", "line 10: target.0.interim.0: expected a table with year, value, "),
        (CITY + TARGET + "interim = [{ yeer = 2028 }]\n", "line 10: unknown key 'yeer'; did you mean 'year'?"),
        (CITY + '[device]\nid = "a"\n', "line 6: device: expected a list of tables with id, "),
        (CITY.replace("[city]", "[[city]]"), "line 1: city: expected a table with id, name, "),
        (CITY + '[[device]]\nid = "a"\nquantities = "power"\n', "line 8: device.0.quantities: expected a list, found "),
    ],
)  # fmt: skip
def test_the_sentence_says_what_is_expected(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "city.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as error:
        load_city(path)
    assert f"{path}, {says}" in str(error.value)
    assert "Input should" not in str(error.value)


def test_a_file_of_targets_and_the_configuration_have_the_same_sentences(tmp_path: Path) -> None:
    path = tmp_path / "targets.toml"
    path.write_text(TARGET + "interim = { year = 2028, value = 55 }\n")
    with pytest.raises(UsageError) as error:
        entries_of(path)
    assert str(error.value) == f"{path}, line 5: target.0." + INTERIM.format("a table")
    path.write_text('[gateway.source]\ntopic = "a/b"\n')
    with pytest.raises(UsageError, match=r"line 1: gateway.source: expected a list of tables with .* found a tab"):
        load_settings(path, {})
