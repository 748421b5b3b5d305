"""Sound levels of an I2S microphone: the A weighting against the standard's table, LAeq, L10 and L90 by arithmetic."""

import array
import ast
import json
import math
from pathlib import Path

import pytest

from simulators.hardware.microphone import Microphone, sine
from tests.firmware.boards import StrictBoard
from tests.firmware.interpreters import run

# IEC 61672-1, table 3: A weighting at nominal frequencies (dB), and the limits of class 1. At 16 kHz sampling a tone of
# 8 kHz has no defined amplitude; 6.3 kHz is the highest third-octave below it.
TABLE = {
    31.5: (-39.4, 1.5), 63: (-26.2, 1.0), 125: (-16.1, 1.0), 250: (-8.6, 1.0), 500: (-3.2, 1.0), 1000: (0.0, 0.7),
    2000: (1.2, 1.0), 4000: (1.0, 1.0), 6300: (-0.1, 1.5),
}  # fmt: skip
PIECE = 8000


def levels(tmp_path: Path, samples: "array.array[int]", bits: int = 64) -> tuple[list[float], dict[str, float]]:
    """Of each half second, and what the driver makes of them."""
    path = tmp_path / "sound.raw"
    path.write_bytes(samples.tobytes())
    *each, summary = run("levels.py", str(path), str(PIECE), bits=bits, timeout=120).splitlines()
    return [float(line) for line in each], {n: m / 10**d for n, m, d in ast.literal_eval(summary)}


@pytest.mark.parametrize("bits", [64, 32])
@pytest.mark.parametrize("level", [94, 60])
def test_pure_tones_are_weighted_as_the_standard_says(tmp_path: Path, level: float, bits: int) -> None:
    sound = array.array("h")
    for hertz in TABLE:
        exact = 1000 * 10 ** (round(10 * math.log10(hertz / 1000)) / 10)  # the exact frequencies of the nominal ones
        sound.extend(sine(exact, level, 0.5))
    found, _ = levels(tmp_path, sound, bits)
    errors = {f: round(x - level - want, 2) for (f, (want, _)), x in zip(TABLE.items(), found, strict=True)}
    # Quiet low tones are below one step of the converter once they are weighted: they are not judged.
    judged = [f for f, (want, _) in TABLE.items() if level + want > 30]
    assert all(abs(errors[f]) <= TABLE[f][1] for f in judged), errors
    assert level < 94 or max(map(abs, errors.values())) < 0.3, errors


def test_the_level_of_an_interval_is_the_mean_of_energy_and_not_of_decibels(tmp_path: Path) -> None:
    loud, quiet = [sine(1000, level, 0.5) for level in (80, 50)]
    sound = array.array("h")
    for _ in range(2):
        sound.extend(loud)
    for _ in range(18):
        sound.extend(quiet)
    _, said = levels(tmp_path, sound)
    expected = 10 * math.log10((2 * 10**8.0 + 18 * 10**5.0) / 20)
    assert said["laeq"] == pytest.approx(expected, abs=0.15)  # 70.0; the mean of the decibels would be 53
    assert said["la10"] == pytest.approx(80, abs=0.5)
    assert said["la90"] == pytest.approx(50, abs=0.5)


@pytest.mark.parametrize("sensitivity", [-26, -38])
def test_the_sensitivity_of_the_microphone_counts(tmp_path: Path, sensitivity: int) -> None:
    with StrictBoard(tmp_path, "esp32s3") as board:
        options = board.wire(f"i2s_noise,sensitivity={sensitivity}")
        done = board.run("read_driver.py", json.dumps(options), "3")
    said = {n: m / 10**d for n, m, d in json.loads(done.stdout)}
    assert said["laeq"] == pytest.approx(94 - (sensitivity + 26), abs=0.1)


def test_a_microphone_without_a_clock_is_reported(tmp_path: Path) -> None:
    with StrictBoard(tmp_path, "esp32s3") as board:
        options = board.wire("i2s_noise")
        microphone = board.devices[0]
        assert isinstance(microphone, Microphone)
        microphone.sound.write_bytes(bytes(16000))
        done = board.run("read_driver.py", json.dumps(options), "1")
    assert "the microphone is silent" in done.stdout
