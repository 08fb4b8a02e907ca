"""Sets in the units that cameras and tools write: read where declared, else refused before any work."""

import numpy as np
import pytest

from tfake.archive.pairs import open_pairs
from tfake.archive.thermal_images import ThermalsOfPairs, open_thermal_images
from tfake.thermal_io.scales import ScaleError
from thermal_sets import HEIGHT, WIDTH, visible, write_set, zipped
from thermalizers import sample_patches as rule


def scene() -> np.ndarray:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.where((x - 15) ** 2 + (y - 10) ** 2 < 60, 34.0, 22.0)


KELVIN = scene() + 273.15
DECIKELVIN = {"counts": {"per_kelvin": 10, "offset": 0}}
CASES = [
    (".tiff", KELVIN.astype(np.float32), "kelvin"),
    (".npy", (scene() * 1.8 + 32).astype(np.float32), "fahrenheit"),
    (".png", np.rint(KELVIN * 10).astype(np.uint16), DECIKELVIN),
    (".tiff", np.rint(KELVIN * 64).astype(np.uint16), {"counts": {"per_kelvin": 64}}),
    (".npy", np.rint(scene() * 10).astype(np.int16), {"counts": {"per_kelvin": 10, "offset": 273.15}}),
    (
        ".png",
        np.rint((scene() - 20) * 3276.75).astype(np.uint16),
        {"counts": {"per_kelvin": 3276.75, "offset": 293.15}},
    ),
]


def write_pairs(folder, suffix, thermal, count=3):
    return write_set(
        folder,
        {
            name: image
            for i in range(count)
            for name, image in ((f"S{i}/a_v.png", visible(i)), (f"S{i}/a_t{suffix}", thermal))
        },
    )


@pytest.mark.parametrize(("suffix", "thermal", "values"), CASES)
def test_a_declared_scale_is_read_and_another_refused(tmp_path, suffix, thermal, values):
    folder = write_pairs(tmp_path / "pairs", suffix, thermal)
    pairs = open_pairs(zipped(folder), values)
    assert pairs.values == "celsius"
    np.testing.assert_allclose(pairs[0].thermal, scene(), atol=0.06)
    np.testing.assert_allclose(ThermalsOfPairs(pairs)[0][0], scene(), atol=0.06)
    for name in (file.name for file in folder.rglob("*_v*")):
        for file in folder.rglob(name):
            file.unlink()
    images = open_thermal_images(folder, values)
    np.testing.assert_allclose(images[0][0], scene(), atol=0.06)
    for refused in ("celsius", "fahrenheit" if values != "fahrenheit" else "kelvin"):
        with pytest.raises(ScaleError, match=r"pairs: S0/a_t\S+: .*looks like"):
            open_thermal_images(folder, refused)


def test_pairs_of_another_unit_stop_before_a_bank_is_cut(tmp_path):
    folder = write_pairs(tmp_path / "pairs", ".png", np.rint(KELVIN * 10).astype(np.uint16))
    settings = {
        "image_pixels": 32,
        "largest_zoom": 2.0,
        "rotation_degrees": 0,
        "shear_degrees": 0,
        "patch_pixels": 4,
        "patch_scales": [1],
        "bank_patches": 9,
        "seed": 0,
        "threads": 1,
    }
    bank = tmp_path / "bank.npz"
    with pytest.raises(
        ScaleError, match=r"looks like 0\.1 K counts: declare values: {counts: {per_kelvin: 10, offset: 0}}"
    ):
        rule.sample_patches(str(bank), str(folder), "celsius", "stems", **settings)
    assert not bank.exists()
    rule.sample_patches(str(bank), str(folder), DECIKELVIN, "stems", **settings)
    assert np.load(bank)["values"] == "celsius"


def test_one_image_of_another_unit_in_a_large_set_is_refused_when_it_is_read(tmp_path):
    files = {f"{i:03d}.npy": scene().astype(np.float32) for i in range(100)}
    files["001.npy"] = KELVIN.astype(np.float32)  # not among the 32 that are judged at once
    images = open_thermal_images(write_set(tmp_path / "bank", files), "celsius")
    with pytest.raises(ScaleError, match=r"bank: 001\.npy: .*Kelvin"):
        images[1]
    images[0]
