"""Published thermal images become a variant: T-FAKE's layout comes back whole, and all else is refused."""

import json
import pickle
import shutil
import zipfile

import cv2
import numpy as np
import pytest

import tfake
from products.export_variant import export_variant
from stores.create_store import create_store
from stores.seal_store import seal_store
from tfake.archive.file_trees import open_tree
from tfake.core.radiometry import encode_celsius
from tfake.variants.imported import list_images, read_image, read_points
from tfake.variants.kinds import KINDS
from tiny_dataset import BAD, PIXELS, ROWS, SHARD, make_dataset
from variants.import_faces import import_faces


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return make_dataset(tmp_path_factory.mktemp("imports") / "results", "R-UDA-1.0")


@pytest.fixture(scope="module")
def published(results, tmp_path_factory):
    """The files that T-FAKE would publish of these faces, but for row 3."""
    folder = tmp_path_factory.mktemp("published")
    export_variant(str(folder / "warm/SHA256SUMS"), str(results), "warm", "tfake")
    (folder / "warm/000003_thermal.png").unlink()
    return folder / "warm"


def bring_in(results, variant, files, points):
    folder = results / "variants" / variant
    store, faces = str(folder / "thermal.zarr"), str(results / "faces/faces.zarr")
    terms = points if points is None else str(points)
    settings = {"files": str(files), "points": terms, "license": "CC-BY-NC-SA-4.0", "condition": "warm"}
    given = {"variant": variant, "faces_root": f"{faces}/zarr.json", "settings": settings, "ambient_celsius": 20.0}
    create_store(store, KINDS["imported"], SHARD, given)
    (folder / "manifests").mkdir()
    manifests = []
    for shard, start in enumerate(range(0, ROWS, SHARD)):
        manifests.append(str(folder / f"manifests/{shard}.json"))
        stop = min(start + SHARD, ROWS)
        import_faces(manifests[-1], store, faces, str(files), terms, shard, (start, stop))
    seal_store(str(folder / "SHA256SUMS"), str(folder / "summary.json"), store, manifests, (0, ROWS))


def test_published_images_come_back_through_the_same_reader(results, published):
    bring_in(results, "theirs", published, published / "annotations.pkl")
    ours = tfake.open_dataset(results, ["warm"], statuses=None)
    theirs = tfake.open_dataset(results, ["theirs"], statuses=None, rows="all")
    for row in range(ROWS):
        celsius, expected = theirs[row].thermal["theirs"], ours[row].thermal["warm"]
        if row in (BAD, 3):
            assert np.isnan(celsius).all()
            assert np.isnan(theirs[row].landmarks_478).all()
            continue
        # A count is 0.01 K, a step of the published images 20 K / 65535; these clip below 20 degrees Celsius.
        np.testing.assert_allclose(celsius, np.clip(expected, 20, 40), atol=0.0053)
        np.testing.assert_allclose(theirs[row].landmarks_478, ours[row].landmarks_478, atol=1e-3)
        np.testing.assert_array_equal(theirs[row].segmentation, ours[row].segmentation)
    # Old and new lie side by side in one dataset: the geometry is the source's.
    both = tfake.open_dataset(results, ["theirs", "warm"])[0]
    assert abs(both.thermal["theirs"] - np.clip(both.thermal["warm"], 20, 40)).max() < 0.01


def test_terms_of_both_are_recorded(results, published):
    import zarr

    bring_in(results, "zipped", zip_of(published), None)
    attributes = zarr.open_group(results / "variants/zipped/thermal.zarr", mode="r").attrs
    assert attributes["license"] == "R-UDA-1.0 AND CC-BY-NC-SA-4.0"
    assert attributes["points"] == "faces.zarr"
    faces = tfake.open_dataset(results, ["zipped"])
    np.testing.assert_array_equal(faces[0].landmarks_478, tfake.open_dataset(results, ["warm"])[0].landmarks_478)


def zip_of(folder):
    path = folder.parent / "warm.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.glob("*_thermal.png"):
            archive.write(file, f"T-FAKE/warm/{file.name}")
    return path


def test_eight_bits_are_read_on_the_same_scale(tmp_path):
    values = np.array([[0, 255], [51, 102]], np.uint8)
    cv2.imwrite(str(tmp_path / "7_thermal.png"), values)
    tree = open_tree(tmp_path, "images")
    assert list_images(tree) == {"7": "7_thermal.png"}
    np.testing.assert_allclose(read_image(tree, "7_thermal.png", 2), [[20, 40], [24, 28]])
    with pytest.raises(ValueError, match=r"expected 512x512 pixels as the source has, found 2x2"):
        read_image(tree, "7_thermal.png", 512)


def test_what_is_not_theirs_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"no file is named \{id\}_thermal.png"):
        list_images(open_tree(tmp_path, "images"))
    for name in ("warm", "cold"):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / "7_thermal.png"), np.zeros((2, 2, 3), np.uint8))
    with pytest.raises(ValueError, match="have the same id; name one variant's folder"):
        list_images(open_tree(tmp_path, "images"))
    with pytest.raises(ValueError, match="expected a gray image of 8 or 16 bits"):
        read_image(open_tree(tmp_path / "warm", "images"), "7_thermal.png", 2)


@pytest.mark.parametrize(
    "bad", [b"", b"no image", np.zeros((PIXELS, PIXELS, 3), np.uint8), np.zeros((2, 2), np.uint16)]
)
def test_one_bad_image_is_a_row_without_an_image(results, published, tmp_path, bad, caplog):
    files = tmp_path / "theirs"
    shutil.copytree(published, files)
    data = bad if isinstance(bad, bytes) else cv2.imencode(".png", bad)[1].tobytes()
    (files / "000000_thermal.png").write_bytes(data)
    variant = f"bad{len(data)}"
    bring_in(results, variant, files, None)
    rows = tfake.open_dataset(results, [variant], statuses=None, rows="all")
    assert np.isnan(rows[0].thermal[variant]).all()
    assert np.isfinite(rows[1].thermal[variant]).all()
    assert "row 0 is left out: " in caplog.text
    assert "000000_thermal.png" in caplog.text
    manifest = json.loads((results / f"variants/{variant}/manifests/0.json").read_text())
    assert manifest["counts"]["unusable"] == 1


def test_images_in_another_encoding_stop_before_any_shard(results, published, tmp_path):
    files = tmp_path / "counts"
    files.mkdir()
    for file in published.glob("*_thermal.png"):
        celsius = 20 + 20.0 * cv2.imread(str(file), cv2.IMREAD_UNCHANGED) / 65535
        cv2.imwrite(str(files / file.name), encode_celsius(celsius))
    with pytest.raises(ValueError, match=r"counts: as .* which is no picture of people; looks like degrees Celsius"):
        bring_in(results, "counts", files, None)
    for file in files.iterdir():
        file.write_bytes(b"")
    with pytest.raises(ValueError, match="expected a gray image of 8 or 16 bits, found no image"):
        bring_in(results, "empty", files, None)


class Harmful:
    def __reduce__(self):
        return print, ("a pickle ran code",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (pickle.dumps({"0.png": Harmful()}), "it asks for builtins.print; only numpy arrays are read"),
        (pickle.dumps([1]), "expected a mapping of file names to points, found list"),
        (pickle.dumps({"0.png": np.zeros((70, 2))}), r"0.png: expected \(478, 2 or 3\) points, found \(70, 2\)"),
        (b"no pickle", "is no pickle of dense points"),
    ],
)
def test_a_pickle_is_read_as_data_only(tmp_path, content, message, capsys):
    (tmp_path / "annotations.pkl").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_points(tmp_path / "annotations.pkl")
    assert "ran code" not in capsys.readouterr().out


@pytest.mark.parametrize("name", ["000012.png", "fake\\000012.png", "warm/000012_thermal.png"])
def test_points_are_found_by_their_images_id(tmp_path, name):
    points = np.random.default_rng(0).uniform(0, 1, (478, 3)).astype(np.float32)
    (tmp_path / "annotations.pkl").write_bytes(pickle.dumps({name: points}))
    np.testing.assert_array_equal(read_points(tmp_path / "annotations.pkl")["000012"], points)


def test_the_report_takes_published_images(results):
    from tfake.products.report.gallery import open_variant

    store = results / "variants/theirs/thermal.zarr"
    images = open_variant("theirs", store, results / "faces/faces.zarr", (0, ROWS))
    assert images.radiometric
    assert not images.own_labels
    assert images.segmentation.shape == (ROWS, PIXELS, PIXELS)
    assert "landmarks_478" in images.landmarks_478.name
    assert np.isnan(images.values(3)).all()
