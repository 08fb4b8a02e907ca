"""What a prompt and a notebook show of the package and of a dataset."""

import subprocess
import sys

import pytest
import zarr

import tfake
from tfake.reader.torch_faces import TorchFaces
from tiny_dataset import make_dataset


@pytest.fixture
def results(tmp_path):
    return make_dataset(tmp_path / "a & b")


def test_the_package_shows_what_it_offers():
    assert {"open_dataset", "ThermalLandmarker", "__version__"} <= set(dir(tfake))
    for name in tfake.__all__:
        assert getattr(tfake, name) is not None
    # Showing is not loading.
    code = "import sys, tfake; dir(tfake); assert not {'torch', 'zarr', 'tfake.dataset'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="no attribute 'open_datasets'"):
        tfake.open_datasets  # noqa: B018


def test_a_dataset_says_what_it_holds(results):
    faces = tfake.open_dataset(results, statuses=None)
    sizes = [len(faces.split(name)) for name in ("train", "validation", "test")]
    lines = dict(line.strip().split("  ", 1) for line in repr(faces).splitlines()[1:])
    facts = {name: value.strip() for name, value in lines.items()}
    assert repr(faces).startswith("FaceDataset\n")
    assert facts["rows"] == f"10 of 10 in {results}"
    assert facts["split"] == "train {}, validation {}, test {}".format(*sizes)
    assert facts["variant cold"] == facts["variant warm"] == "48x48 pixels, °C, 9 images, 1 no_sample"
    assert facts["fields"].startswith("thermal, segmentation")
    assert facts["terms"] == "CC0-1.0"
    assert "10 of 10 in" in repr(TorchFaces(faces))
    assert "not read" not in facts
    assert "not read      cold: open them by name" in repr(tfake.open_dataset(results, ["warm"]))


def test_each_variant_has_its_own_terms_and_unit(results):
    group = zarr.open_group(results / "variants/cold/thermal.zarr", mode="r+")
    group.attrs["license"] = "R-UDA-1.0"
    group.create_array("thermal", shape=(10, 5, 7), chunks=(1, 5, 7), dtype="uint8", overwrite=True)
    shown = repr(tfake.open_dataset(results))
    assert "7x5 pixels, grey values, no temperatures, 9 images" in shown
    assert "CC0-1.0 (labels, warm); R-UDA-1.0 (cold)" in shown


def test_large_splits_are_not_counted_for_a_summary(results, monkeypatch):
    monkeypatch.setattr("tfake.reader.summary._COUNTED", 5)
    faces = tfake.open_dataset(results)
    assert "counted when asked for" in repr(faces)
    assert "groups" not in vars(faces.columns)
    faces.split("train")
    assert "counted when asked for" not in repr(faces)


def test_notebooks_show_a_table_of_text(results):
    shown = tfake.open_dataset(results)._repr_html_()
    assert shown.startswith("<table>")
    assert "a &amp; b" in shown
    assert "a & b" not in shown
