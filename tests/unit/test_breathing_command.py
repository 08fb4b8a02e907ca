"""Breathing rates of a table that was written before, by the command line."""

import json

import numpy as np
import pandas as pd
import pytest

from tfake.landmarks.__main__ import main
from tfake.landmarks.temperature_table import COLUMNS, read_table


def table_of(seconds, rates, fps=8):
    """Nostrils and a chin of a face each, which breathes as often as asked with .2 K, through 50 mK of noise."""
    rng = np.random.default_rng(0)
    times = np.arange(round(seconds * fps)) / fps
    parts = []
    for track, rate in enumerate(rates):
        breath = 33 + 0.2 * np.sin(2 * np.pi * rate / 60 * times)
        for place, signal in (("right_nostril", breath), ("left_nostril", breath), ("chin", 33 + 0 * breath)):
            part = {"image": "a.npz", "frame": np.arange(len(times)), "time_seconds": times, "track_id": track}
            part |= {"place": place, "celsius": signal + rng.normal(0, 0.05, len(times)), "pixels": 9, "sigma": 0.5}
            parts.append(pd.DataFrame(part | {"valid": True, "reason": ""}))
    return pd.concat(parts)[list(COLUMNS)]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_each_face_has_its_rate(tmp_path, capsys, suffix):
    path = tmp_path / f"t{suffix}"
    table = table_of(32, [12.7, 18.4])
    table.to_csv(path, index=False) if suffix == ".csv" else table.to_parquet(path, index=False)
    assert main(["breathing", str(path)]) == 0
    found = json.loads(capsys.readouterr().out)["breathing"]
    assert [face["track_id"] for face in found] == [0, 1]
    assert [face["breaths_per_minute"] for face in found] == pytest.approx([12.7, 18.4], abs=0.2)
    assert all(face["valid"] for face in found)
    assert main(["breathing", str(path), "-o", str(tmp_path / "out.json")]) == 0
    assert json.loads((tmp_path / "out.json").read_text())["breathing"] == found
    assert main(["breathing", str(path), "-o", str(path)]) == 1
    assert "would be written over the input" in capsys.readouterr().err
    assert len(read_table(path)) == len(table)


def test_a_clip_that_is_too_short_says_so(tmp_path, capsys):
    table_of(6, [15]).to_csv(tmp_path / "t.csv", index=False)
    assert main(["breathing", str(tmp_path / "t.csv")]) == 1
    said = capsys.readouterr()
    assert "face 0: no rate to rely on: 5.9 s, shorter than 15 s" in said.err
    assert json.loads(said.out)["breathing"][0]["breaths_per_minute"] is None


def test_what_is_no_table_is_refused(tmp_path, capsys):
    for name, text, message in (
        ("t.csv", "image,celsius\na,3\n", "it has no frame, time_seconds, track_id"),
        ("t.txt", "", "expected a table .csv or .parquet, found"),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(ValueError, match="expected"):
            read_table(tmp_path / name)
        assert main(["breathing", str(tmp_path / name)]) == 1
        assert message in capsys.readouterr().err
    assert main(["breathing", str(tmp_path / "none.csv")]) == 1
    assert "none.csv" in capsys.readouterr().err
