"""`kpi pack --sign` and `verify`: the same bytes, no store needed, every changed byte found, and the reading named."""

from __future__ import annotations

import re
import shutil
import sqlite3
import struct
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cityvitals.evidence import verify_command
from reporting.evidence import canonical
from reporting.evidence.checking import check
from reporting.evidence.enclosed import COLUMNS, Enclosure, groups_of, roots_of, windows_of
from reporting.evidence.keys import expected_fingerprint, new_pair, private_key
from reporting.evidence.manifest import Manifest
from telemetry.errors import CityVitalsError, UsageError
from telemetry.partials import Partials, column_type, fold
from telemetry.readings import Readings
from telemetry.series import Series, SeriesTable
from tests.reporting.city import fill, run

RULES = "\n[rules]\nperiod_capture = 0.05\n"


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "almby.key"
    new_pair(path)
    return path


def signed(folder: Path, key: Path) -> Path:
    store = fill(folder, RULES)
    run("kpi", "pack", "--city", "almby", "--store", store, "--period", "2018", "--out", folder / "pack", "--sign", key)
    return folder / "pack"


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory, key: Path) -> Path:
    """A signed pack; its store is deleted."""
    folder = tmp_path_factory.mktemp("signed")
    made = signed(folder, key)
    for path in folder.glob("almby.db*"):
        path.unlink()
    return made


@pytest.fixture
def copy(pack: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pack, tmp_path / "pack"))


def public(key: Path) -> str:
    return expected_fingerprint(f"{key}.pub")


def wrong(folder: Path) -> str:
    return "\n".join(check(folder, None)[0].wrong)


def test_a_pack_is_verified_without_its_store(pack: Path, key: Path) -> None:
    result, _ = check(pack, public(key))
    assert result.wrong == []
    assert (result.files, result.windows) == (11, 744 * 5 + 48)
    assert result.values > 200


def test_the_values_in_the_manifest_are_the_arithmetic_of_the_readings(pack: Path) -> None:
    manifest = canonical.decode((pack / "manifest.json").read_bytes(), Manifest)
    values = {(v.code, v.part, v.period): v for v in manifest.values}
    assert values["LOCAL:E:METERED", "", "2018"].value == 744 * 2.0
    assert values["LOCAL:E:METERED", "", "2018"].bits == struct.pack(">d", 1488.0).hex()
    no2 = values["EN:EN:AQ:1C", "no2", "2018"].value  # street 30 and 34 by turns, park 10
    assert no2 == pytest.approx((32 + 10) / 2, abs=0.01)


def test_two_stores_filled_apart_give_the_same_signed_bytes(pack: Path, key: Path, tmp_path: Path) -> None:
    again = signed(tmp_path, key)
    assert {p.name for p in again.iterdir()} == {p.name for p in pack.iterdir()}
    for path in sorted(pack.iterdir()):
        assert (again / path.name).read_bytes() == path.read_bytes(), path.name


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_changed_byte_is_found(pack: Path, key: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(pack.iterdir())))
    content = path.read_bytes()
    place, change = data.draw(st.integers(0, len(content) - 1)), data.draw(st.integers(1, 255))
    try:
        path.write_bytes(content[:place] + bytes([content[place] ^ change]) + content[place + 1 :])
        try:
            found = check(pack, public(key))[0].wrong
        except UsageError as error:  # another schema number
            found = [str(error)]
        assert found
    finally:
        path.write_bytes(content)


@pytest.mark.parametrize("name", ["manifest.json", "manifest.sig", "windows.json", "figures.csv", "SHA256SUMS"])
def test_a_shorter_a_longer_and_a_missing_file_are_found(copy: Path, name: str) -> None:
    content = (copy / name).read_bytes()
    for other in (content[:-1], content + b"\n", content + b"\0"):
        (copy / name).write_bytes(other)
        assert wrong(copy)
    (copy / name).unlink()
    if name.startswith("manifest"):
        with pytest.raises(UsageError, match="kpi pack --sign"):
            check(copy, None)
    else:
        assert f"{name} is missing" in wrong(copy)


def test_a_file_that_was_added_is_found(copy: Path) -> None:
    (copy / "more.csv").write_text("x")
    assert wrong(copy) == "more.csv is in the folder and not in the manifest"


def test_a_folder_in_the_place_of_a_file_is_found(copy: Path) -> None:
    (copy / "figures.csv").unlink()
    (copy / "figures.csv").mkdir()
    assert wrong(copy) == "figures.csv cannot be read: Is a directory"


def test_a_key_listed_twice_is_found(copy: Path) -> None:
    content = (copy / "manifest.json").read_bytes()
    (copy / "manifest.json").write_bytes(b'{"city":"other",' + content[1:])
    assert "a key is listed twice" in wrong(copy)


def test_another_key_is_found_by_its_fingerprint(pack: Path, tmp_path: Path) -> None:
    other = new_pair(tmp_path / "other.key")
    assert "not with sha256:" in "\n".join(check(pack, other)[0].wrong)


def resign(folder: Path, key: Path, manifest: Manifest) -> None:
    raw = canonical.encode(manifest)
    (folder / "manifest.json").write_bytes(raw)
    (folder / "manifest.sig").write_bytes(private_key(key).sign(raw))


def test_a_value_that_its_signer_changed_is_found_to_the_last_bit(copy: Path, key: Path) -> None:
    manifest = canonical.decode((copy / "manifest.json").read_bytes(), Manifest)
    values = [
        msgspec.structs.replace(v, value=np.nextafter(1488.0, 2000.0).item(), bits="4097400000000001")
        if (v.code, v.period) == ("LOCAL:E:METERED", "2018")
        else v
        for v in manifest.values
    ]
    resign(copy, key, msgspec.structs.replace(manifest, values=values))
    found = wrong(copy)
    assert "values_root is not the root of its values" in found
    assert "LOCAL:E:METERED 2018: value is 1488.0000000000002 in the pack; the enclosed windows give 1488.0" in found


def test_windows_that_do_not_belong_to_the_roots_name_device_and_month(copy: Path) -> None:
    enclosure = canonical.decode((copy / "windows.json").read_bytes(), Enclosure)
    groups = [
        msgspec.structs.replace(g, columns=g.columns | {"sum": 11.0}) if g.device == "park" else g
        for g in enclosure.groups
    ]
    (copy / "windows.json").write_bytes(canonical.encode(msgspec.structs.replace(enclosure, groups=groups)))
    found = wrong(copy)
    assert "the windows of park in 2018-01 are not those that were signed" in found
    assert "street in" not in found
    assert re.search(r"EN:EN:AQ:1C no2 2018: value is 21\.0 in the pack; the enclosed windows give 21\.5", found)


def test_the_reading_that_would_have_to_change_is_named(pack: Path, tmp_path: Path) -> None:
    readings = (pack.parent / "readings.csv").read_text()
    same, other = tmp_path / "same.csv", tmp_path / "other.csv"
    same.write_text(readings)
    other.write_text(readings.replace("2018-01-03T04:00:00Z,park,no2,10,", "2018-01-03T04:00:00Z,park,no2,754,"))
    assert "everything agrees to the last bit" in run("verify", pack, "--readings", same)
    text = _output(pack, other)
    assert "no2 of park, window 2018-01-03T04:00:00Z: sum is 10.0 in the pack, 754.0 from the readings." in text
    # One of 744 hours is 744 higher: the mean of park by 1, that of the two stations by 0.5.
    found = re.search(r"no2 2018: value is (\S+) in the pack; with the windows of these readings it is (\S+)\.\n", text)
    assert found
    old, new = found.groups()
    assert float(new) - float(old) == pytest.approx(0.5, abs=0.01)


def test_many_files_may_follow_one_option(pack: Path, tmp_path: Path) -> None:
    head, *rows = (pack.parent / "readings.csv").read_text().splitlines(keepends=True)
    files = [tmp_path / f"{device}.csv" for device in sorted({row.split(",")[1] for row in rows})]
    for path in files:
        path.write_text(head + "".join(row for row in rows if row.split(",")[1] == path.stem))
    assert len(files) > 2
    assert "everything agrees to the last bit" in run("verify", pack, "--readings", *files)
    with pytest.raises(UsageError, match=r"is not a part of a pack; readings to compare with follow --readings"):
        run("verify", pack, files[0])


def test_readings_that_the_pack_lacks_are_named(pack: Path, tmp_path: Path) -> None:
    more = tmp_path / "more.csv"
    more.write_text((pack.parent / "readings.csv").read_text() + "2018-02-05T04:00:00Z,park,no2,10,ug/m3\n")
    assert "window 2018-02-05T04:00:00Z: the files have readings, the pack has none" in _output(pack, more)


def _output(pack: Path, readings: Path) -> str:
    with redirect_stdout(StringIO()) as out:
        assert not verify_command(pack, "", [readings])
    return out.getvalue()


def test_a_store_whose_values_are_not_those_of_its_windows_is_not_signed(tmp_path: Path, key: Path) -> None:

    store = fill(tmp_path, RULES)
    with sqlite3.connect(tmp_path / "almby.db") as db:
        db.execute("UPDATE kpi SET value = 21.5 WHERE code = 'EN:EN:AQ:1C' AND part = 'no2' AND period = '2018'")
    with pytest.raises(CityVitalsError, match=r"stored 21\.5, the windows give"):
        run(
            "kpi",
            "pack",
            "--city",
            "almby",
            "--store",
            store,
            "--period",
            "2018",
            "--out",
            tmp_path / "p",
            "--sign",
            key,
        )


def test_keys_that_do_not_fit_are_sentences(tmp_path: Path, key: Path) -> None:
    assert key.stat().st_mode & 0o777 == 0o600
    with pytest.raises(UsageError, match="must not be overwritten"):
        new_pair(key)
    with pytest.raises(UsageError, match="There is no key"):
        private_key(tmp_path / "none")
    (tmp_path / "text").write_text("x")
    with pytest.raises(UsageError, match="not a private key"):
        private_key(tmp_path / "text")
    with pytest.raises(UsageError, match="not a public key"):
        expected_fingerprint(str(tmp_path / "text"))
    with pytest.raises(UsageError, match="64 hexadecimal digits"):
        expected_fingerprint("sha256:12")


values = st.one_of(st.floats(-1e9, 1e9), st.sampled_from([0.0, -0.0, 5e-324, 1e150]))


@given(st.lists(st.tuples(st.integers(0, 100_000), values, st.booleans()), max_size=30))
def test_windows_survive_the_file_bit_for_bit(rows: list[tuple[int, float, bool]]) -> None:
    table = SeriesTable()
    series = [table.id_of(Series("c", "d", q)) for q in ("no2", "energy_total")]
    readings = Readings.of([series[k] for _, _, k in rows], [60_000 * t for t, _, _ in rows], [v for _, v, _ in rows])
    windows = fold(readings, 60_000, table.modulus(readings.series))

    groups = groups_of(windows, table, ZoneInfo("Europe/Stockholm"))
    raw = canonical.encode(Enclosure(schema=1, city={}, width=60_000, groups=groups))
    again = canonical.decode(raw, Enclosure)
    back = windows_of(again.groups, "c", table)
    assert roots_of(again.groups, 60_000) == roots_of(groups, 60_000)
    for name in COLUMNS:
        expected = np.asarray(getattr(windows, name))
        assert getattr(back, name).dtype == column_type(name)
        bits = np.where(np.isnan(expected), np.nan, expected).astype(expected.dtype)
        assert getattr(back, name).tobytes() == bits.tobytes()
    assert len(back) == len(Partials.concat([windows]))
