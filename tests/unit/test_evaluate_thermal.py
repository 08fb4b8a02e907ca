"""The error against the thermal truth, in closed form."""

import numpy as np
import pandas as pd
import pytest

from archives import encode_png, write_archive
from tfake.core.classes import FaceClass
from tfake.core.codes import SampleStatus, encode_ids
from tfake.core.radiometry import NO_IMAGE, encode_celsius
from tfake.store.arrays import create_store, write_shard
from tfake.store.layouts import faces_layout, thermal_layout
from tfake.store.stream import empty_face_rows
from tfake.thermalizer.evaluation import ErrorSums, TruthError
from variants.evaluate_thermal import evaluate_thermal

PIXELS, ROWS, BAD = 32, 3, 1
IDS = [f"{row:06d}" for row in range(ROWS)]


@pytest.fixture
def folder(tmp_path):
    """Stores of three rows, the middle one without an image: skin at 34 °C, hair at 30, background at 20."""
    faces = empty_face_rows(ROWS, PIXELS)
    faces["image_id"] = encode_ids(IDS)
    faces["segmentation"][:] = FaceClass.BACKGROUND
    faces["segmentation"][:, 8:24, 8:24] = FaceClass.SKIN
    faces["segmentation"][:, 4:8, 8:24] = FaceClass.HAIR
    faces["status"][BAD] = SampleStatus.UNDECODABLE_IMAGE
    faces["segmentation"][BAD] = FaceClass.IGNORE
    celsius = np.full((ROWS, PIXELS, PIXELS), 20.0)
    celsius[faces["segmentation"] == FaceClass.SKIN] = 34.0
    celsius[faces["segmentation"] == FaceClass.HAIR] = 30.0
    counts = encode_celsius(celsius)
    counts[BAD] = NO_IMAGE
    create_store(tmp_path / "faces.zarr", faces_layout(PIXELS), ROWS, ROWS, {})
    write_shard(tmp_path / "faces.zarr", faces, 0)
    create_store(tmp_path / "thermal.zarr", thermal_layout(PIXELS), ROWS, ROWS, {})
    write_shard(tmp_path / "thermal.zarr", {"thermal": counts}, 0)
    return tmp_path


def skin_truth(skin, elsewhere):
    """A truth image: skin's temperature, and 30 °C hair and 20 °C background moved by `elsewhere`."""
    celsius = np.full((PIXELS, PIXELS), 20.0 + elsewhere)
    celsius[4:8, 8:24] = 30.0 + elsewhere
    celsius[8:24, 8:24] = skin
    return encode_png(encode_celsius(celsius))


def evaluate(folder, members):
    write_archive(folder / "truth.zip", members)
    evaluate_thermal(
        table=str(folder / "evaluation.csv"),
        store=str(folder / "thermal.zarr"),
        faces_store=str(folder / "faces.zarr"),
        truth=str(folder / "truth.zip"),
    )
    return pd.read_csv(folder / "evaluation.csv").set_index("class")


def test_a_constant_offset_is_its_own_mean_error(folder):
    usable = [image_id for row, image_id in enumerate(IDS) if row != BAD]
    members = {f"{image_id}_expected.png": skin_truth(33.5, 0.5) for image_id in usable}
    members |= {f"{image_id}_camera.png": skin_truth(33.0, 0.25) for image_id in usable}
    table = evaluate(folder, members)
    assert list(table.index) == ["skin", "hair", "face", "background"]
    assert table.columns.tolist() == ["pixels", "mae_expected", "rmse_expected", "bias_expected", "mae_camera"]
    assert table["pixels"].tolist() == [2 * 256, 2 * 64, 2 * 256, 2 * (32 * 32 - 320)]
    assert table.loc["skin"].tolist()[1:] == [0.5, 0.5, 0.5, 1.0]
    assert table.loc["face"].equals(table.loc["skin"])
    assert table.loc["hair"].tolist()[1:] == table.loc["background"].tolist()[1:] == [0.5, 0.5, -0.5, 0.25]


def test_images_are_pooled(folder):
    """2 K too warm in one image and 1 K too cold in another: bias .5, MAE 1.5, RMSE sqrt(2.5)."""
    members = {}
    for image_id, skin in (("000000", 32.0), ("000002", 35.0)):
        members |= {f"{image_id}_{form}.png": skin_truth(skin, 0) for form in ("expected", "camera")}
    skin = evaluate(folder, members).loc["skin"]
    assert skin["bias_expected"] == 0.5
    assert skin["mae_expected"] == skin["mae_camera"] == 1.5
    assert skin["rmse_expected"] == pytest.approx(2.5**0.5, abs=1e-6)


def test_a_missing_truth_is_named(folder):
    with pytest.raises(TruthError, match=r"has no 000000_expected\.png"):
        evaluate(folder, {"000002_expected.png": skin_truth(34, 0)})
    assert not (folder / "evaluation.csv").exists()


def test_a_truth_of_another_size_or_type_is_named(folder):
    wrong = encode_png(np.zeros((PIXELS, PIXELS), dtype=np.uint8))
    with pytest.raises(TruthError, match=r"000000_expected\.png must be a uint16 image of \(32, 32\); found uint8"):
        evaluate(folder, {"000000_expected.png": wrong})
    with pytest.raises(TruthError, match="found no image"):
        evaluate(folder, {"000000_expected.png": b"broken"})


def test_pixels_without_a_temperature_take_no_part():
    counts = np.full((1, 4), 30000, dtype=np.uint16)
    holed = counts.copy()
    holed[0, 0] = NO_IMAGE
    sums = ErrorSums()
    sums.add(counts, holed, counts, np.full((1, 4), FaceClass.SKIN, dtype=np.uint8))
    skin, face = sums.rows()
    assert skin["pixels"] == face["pixels"] == 3
    assert skin["mae_expected"] == 0


def test_stores_of_other_rows_are_refused(folder):
    create_store(folder / "thermal.zarr", thermal_layout(PIXELS), ROWS + 1, ROWS + 1, {})
    with pytest.raises(ValueError, match="has shape"):
        evaluate(folder, {"000000_expected.png": skin_truth(34, 0)})
