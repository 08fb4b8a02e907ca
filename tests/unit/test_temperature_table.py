"""The table of temperatures: written as it grows, whole in any parts, and gone after a failure."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest

from tfake.labels.conventions import reference_face
from tfake.landmarks import table_files
from tfake.landmarks.landmarker import LandmarkDetections
from tfake.landmarks.temperature_table import BREATH, COLUMNS, TemperatureTable
from tfake.landmarks.temperatures import PLACES
from tfake.landmarks.tracking import TrackedFaces

IMAGE = np.full((120, 120), 33.0, np.float32)
POINTS = (reference_face()[:70, :2] * 30 + 60)[None].astype(np.float32)


def fill(table, frames, timed=True):
    """A face of 33 °C, warmer by .01 K a frame."""
    for number in frames:
        face = LandmarkDetections(POINTS, np.full((1, 70), 0.5, np.float32), np.full(1, 0.02, np.float32))
        tracked = TrackedFaces(number, number / 8 if timed else None, face, np.array([4]), np.array([True]))
        table.add(IMAGE + np.float32(0.01 * number), "a.npz", number, tracked)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("timed", [True, False])
def test_parts_make_one_table(tmp_path, monkeypatch, suffix, timed):
    tables = []
    for rows in (7, 4096):
        monkeypatch.setattr(table_files, "CHUNK_ROWS", rows)
        path = tmp_path / f"{rows}.{suffix}"
        with TemperatureTable(str(path), []) as table:
            fill(table, range(30), timed)
            returned = table.write()
        tables.append(pd.read_csv(path) if suffix == "csv" else pd.read_parquet(path))
        assert set(returned["place"]) == {"right_nostril", "left_nostril"} | ({BREATH} if timed else set())
    pd.testing.assert_frame_equal(*tables)
    assert tuple(tables[0]) == COLUMNS
    assert len(tables[0]) == 30 * (len(PLACES) + timed)
    chin = tables[0][tables[0]["place"] == "chin"]
    np.testing.assert_allclose(chin["celsius"], 33 + 0.01 * np.arange(30), atol=0.0006)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"4096.{suffix}", f"7.{suffix}"]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_without_a_face_it_has_columns(tmp_path, suffix):
    with TemperatureTable(str(tmp_path / f"t.{suffix}"), []) as table:
        assert table.write().empty
    read = pd.read_csv if suffix == "csv" else pd.read_parquet
    assert tuple(read(tmp_path / f"t.{suffix}")) == COLUMNS


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_failure_leaves_nothing(tmp_path, suffix):
    def fails():
        with TemperatureTable(str(tmp_path / f"t.{suffix}"), []) as table:
            fill(table, range(3))
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        fails()
    assert not list(tmp_path.iterdir())


def test_memory_does_not_grow_with_the_film(tmp_path, monkeypatch):
    monkeypatch.setattr(table_files, "CHUNK_ROWS", 50)
    with TemperatureTable(str(tmp_path / "t.csv"), []) as table:
        fill(table, range(20))
        tracemalloc.start()
        try:
            fill(table, range(20, 120))
            grown, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    # A nose is 10 kB, and its face's rows are as much again; a place in a file is some hundred bytes.
    assert grown / 100 < 1500
