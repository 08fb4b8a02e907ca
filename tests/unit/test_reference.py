"""Published images beside ours: which faces, which figures, and files of another kind."""

import cv2
import numpy as np
import pytest

from tfake.products.report.image_sources import open_source, open_variant
from tfake.products.report.reference import compare_with_reference
from tiny_report import make_report


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A working directory with stores and index in it."""
    run = tmp_path_factory.mktemp("run")
    make_report(run)
    return run


def compare(run, folder):
    faces = run / "faces/faces.zarr"
    source = open_source([str(run / "faces.zip")], run / "index.parquet", faces)
    variant = open_variant("warm", run / "variants/0/thermal.zarr", faces, (0, len(source.index)))
    return compare_with_reference(folder, variant, source)


def test_published_images_are_laid_beside_ours(run, tmp_path):
    assert compare(run, tmp_path) is None
    published = np.full((32, 32), 77, np.uint8)  # 26.04 °C
    cv2.circle(published, (16, 16), 11, 191, thickness=-1)  # 34.98 °C
    cv2.imwrite(str(tmp_path / "000000_thermal.png"), published)
    cv2.imwrite(str(tmp_path / "000001_thermal.png"), published)  # our sample 1 is broken
    reference = compare(run, tmp_path)
    assert [face.image_id for face in reference.faces] == ["000000"]
    rows = {what: (theirs, ours) for what, theirs, ours in reference.rows}
    assert rows["skin, mean (°C)"] == (pytest.approx(34.98, abs=0.2), pytest.approx(35.3, abs=0.3))
    theirs, ours = rows["background, standard deviation (K)"]
    assert theirs == pytest.approx(0, abs=1e-4)
    assert ours > 0.1  # a ramp, in these made-up stores


def test_a_published_image_of_another_kind_is_named(run, tmp_path):
    (tmp_path / "000000_thermal.png").write_bytes(b"broken")
    with pytest.raises(ValueError, match=r"000000_thermal\.png.*8-bit gray"):
        compare(run, tmp_path)
