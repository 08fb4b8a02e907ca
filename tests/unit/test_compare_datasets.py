"""What two datasets differ in: settings, files, attributes, statistics, pixels."""

import shutil

import pytest
import yaml
from test_record_faces import make_variant

from products.compare_datasets import compare_datasets
from tfake.compare import main
from tfake.products import comparison
from tfake.products.comparison import compare_pixels, read_dataset, write_text
from tfake.store.manifest import file_sha256, write_sums


def make_dataset(folder, **changes):
    """A dataset of one variant, ``seen``, and its faces."""
    make_variant(folder / "made", **changes)
    shutil.move(folder / "made/variant", folder / "results/variants/seen")
    (folder / "results/faces").mkdir()
    shutil.move(folder / "made/faces.zarr", folder / "results/faces/faces.zarr")
    files = [path for path in (folder / "results/faces").rglob("*") if path.is_file()]
    write_sums(
        folder / "results/faces/SHA256SUMS",
        {str(path.relative_to(folder / "results/faces")): file_sha256(path) for path in files},
    )
    (folder / "results/config.yaml").write_text(yaml.safe_dump({"cameras": {"seen": changes}, "device": "auto"}))
    return folder


@pytest.fixture(scope="module")
def datasets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("datasets")
    (folder / "a/results/variants").mkdir(parents=True)
    (folder / "b/results/variants").mkdir(parents=True)
    make_dataset(folder / "a")
    make_dataset(folder / "b", offset_drift_kelvin=0.0, netd_kelvin=0.1)
    return folder


def compare(first, second):
    return comparison.compare_datasets(read_dataset(first), read_dataset(second))


def test_a_dataset_is_itself(datasets, capsys):
    comparison = compare(datasets / "a", datasets / "a/results")
    assert comparison.identical
    assert comparison.config == ()
    assert main([str(datasets / "a"), str(datasets / "a")]) == 0
    assert "the same, byte for byte" in capsys.readouterr().out


def test_a_changed_camera_is_told_by_setting_file_attribute_and_statistic(datasets):
    comparison = compare(datasets / "a", datasets / "b")
    assert not comparison.identical
    assert comparison.config == (
        ("cameras.seen", {}, "-"),
        ("cameras.seen.netd_kelvin", "-", 0.1),
        ("cameras.seen.offset_drift_kelvin", "-", 0.0),
    )
    faces, seen = comparison.stores
    assert (faces.name, faces.identical) == ("faces", True)
    assert seen.changed == {"thermal": 3, "zarr.json": 1}
    assert (seen.only_first, seen.only_second) == (0, 0)
    assert ("camera.netd_kelvin", 0.05, 0.1) in seen.attributes
    assert seen.units == "°C"
    skin = next(entry for entry in seen.classes if entry.name == "skin")
    assert skin.pixels[0] == skin.pixels[1] > 0
    assert skin.mean[0] != skin.mean[1]


def test_the_text_is_a_table_for_a_terminal(datasets, capsys):
    assert main([str(datasets / "a"), str(datasets / "b"), "--pixels", "3"]) == 1
    text = capsys.readouterr().out
    assert "3 of thermal" in text
    rows = [line for line in text.splitlines() if line.startswith("| skin")]
    assert len(rows) == 1
    assert "variants/seen | 3 " in text
    assert "-0.0000" not in text


def test_pixels_are_compared_by_id(datasets):
    first, second = read_dataset(datasets / "a"), read_dataset(datasets / "b")
    (same,) = compare_pixels(first, first, 10)
    assert (same.images, same.equal, same.largest) == (5, 5, 0.0)
    (other,) = compare_pixels(first, second, 2)
    assert (other.images, other.reason) == (2, "")
    assert 0 < abs(other.bias) <= other.mean_absolute <= other.largest


def test_stores_of_one_side_and_images_of_another_kind_are_named(datasets, tmp_path):
    for name in "ab":
        shutil.copytree(datasets / name / "results", tmp_path / name)
    (tmp_path / "b/config.yaml").unlink()
    shutil.copytree(tmp_path / "b/variants/seen", tmp_path / "b/variants/more")
    (tmp_path / "grey/results/variants").mkdir(parents=True)
    make_dataset(tmp_path / "grey", values="agc_minmax")
    comparison = compare(tmp_path / "a", tmp_path / "b")
    assert (comparison.only_first, comparison.only_second) == ((), ("variants/more",))
    assert comparison.config is None
    assert "Not saved with both" in write_text(comparison)
    (pixels,) = compare_pixels(read_dataset(tmp_path / "a"), read_dataset(tmp_path / "grey"), 2)
    assert pixels.reason == "48x40 uint16 against 48x40 uint8"
    assert compare(tmp_path / "a", tmp_path / "grey").stores[1].units == "not the same unit"


def test_a_folder_without_a_dataset_is_refused(datasets, tmp_path, capsys):
    assert main([str(datasets / "a"), str(tmp_path)]) == 2
    assert "no sealed store" in capsys.readouterr().err


def test_the_rules_script_writes_the_page(datasets, tmp_path):
    page = tmp_path / "comparison.md"
    compare_datasets(str(page), [str(datasets / "a"), str(datasets / "b")])
    assert "variants/seen" in page.read_text()
    with pytest.raises(ValueError, match="compare needs two folders"):
        compare_datasets(str(page), None)
