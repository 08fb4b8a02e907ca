"""Exports of sequences, read back by the formats' own libraries."""

import csv
import json
from configparser import ConfigParser

import av
import cv2
import numpy as np
import pytest

import tfake
from sequences.export_sequences import export_sequences
from tfake.core.radiometry import encode_celsius
from tfake.products.exports.sequence_formats import SEQUENCE_FORMATS
from tfake.reader.sequences import ThermalSequence
from tfake.store.manifest import file_sha256, read_sums
from tiny_sequences import sequence_plan, write_sequences

#: No multiple of a macroblock, which a preview's sides are.
PIXELS, FRAMES, RATE = 65, 3, 12.5
NAME = "s0000_l00_rest_wink"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    changes = {"frames": FRAMES, "frames_per_second": RATE, "image_pixels": PIXELS}
    write_sequences(folder, sequence_plan(subjects=1, expressions=["wink"], **changes))
    return folder


@pytest.fixture(scope="module")
def sequence(results):
    return tfake.open_sequences(results)[0]


@pytest.fixture(scope="module")
def exported(results, tmp_path_factory):
    """Format to its folder."""
    folders = {name: tmp_path_factory.mktemp("exports") / name for name in SEQUENCE_FORMATS}
    for name, folder in folders.items():
        export_sequences(str(folder / "SHA256SUMS"), str(results), name)
    return folders


def test_films_hold_the_counts_and_previews_their_colours(exported, sequence):
    counts = encode_celsius(sequence.read("thermal"))
    with av.open(str(exported["video"] / f"{NAME}.mkv")) as film:
        stream = film.streams.video[0]
        assert (stream.codec_context.name, float(stream.average_rate)) == ("ffv1", RATE)
        decoded = np.array([frame.to_ndarray() for frame in film.decode(stream)])
    np.testing.assert_array_equal(decoded, counts)
    with av.open(str(exported["video"] / f"{NAME}.mp4")) as film:
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
        assert film.streams.video[0].codec_context.name == "h264"
    assert (len(frames), frames[0].shape) == (FRAMES, (80, 80, 3))
    # Skin is bright in the preview, and the room dark.
    assert frames[0][2, 2].mean() < 60 < frames[0][36, 32].mean()


def test_labels_lie_beside_the_films(exported, sequence):
    curves = sequence.curves()
    with open(exported["video"] / f"{NAME}.csv") as file:
        rows = list(csv.DictReader(file))
    for column, expected in (
        ("time", curves["time"]),
        ("lid_right", curves["lid_right"]),
        ("breath", curves["breath"]),
        ("yaw_degrees", curves["head_pose"][:, 0]),
        ("gaze_up_degrees", curves["gaze"][:, 1]),
    ):
        np.testing.assert_allclose([float(row[column]) for row in rows], expected, rtol=1e-4, atol=1e-6)
    points = np.load(exported["video"] / f"{NAME}.npz")
    np.testing.assert_array_equal(points["landmarks_478"], curves["landmarks_478"])
    about = json.loads((exported["video"] / f"{NAME}.json").read_text())
    assert (about["expression"], about["subject_id"], about["frames"]) == ("wink", "s0000", FRAMES)


def test_mot_has_boxes_from_one(exported, sequence):
    folder = exported["mot"] / NAME
    ini = ConfigParser()
    ini.read(folder / "seqinfo.ini")
    assert dict(ini["Sequence"])["seqlength"] == str(FRAMES)
    assert (ini["Sequence"]["imWidth"], ini["Sequence"]["frameRate"]) == (str(PIXELS), "12.5")
    truth = np.loadtxt(folder / "gt/gt.txt", delimiter=",")
    assert truth[:, 0].tolist() == [1, 2, 3]
    assert set(truth[:, 1]) == {1}
    points = sequence.read("landmarks_70")
    # The corner of the first pixel, half a pixel before its centre, is at 1.
    np.testing.assert_allclose(truth[:, 2:4], points.min(axis=1) + 1.5, atol=0.006)
    np.testing.assert_allclose(truth[:, 4:6], np.ptp(points, axis=1), atol=0.006)
    assert ((truth[:, 8] > 0.5) & (truth[:, 8] <= 1)).all()
    image = cv2.imread(str(folder / "img1/000002.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(image, encode_celsius(sequence.read("thermal", [1])[0]))


@pytest.mark.parametrize(("name", "count"), [("keypoints_70.json", 70), ("keypoints_478.json", 478)])
def test_coco_is_read_by_its_own_library(exported, sequence, name, count):
    from pycocotools.coco import COCO

    coco = COCO(str(exported["coco"] / name))
    assert [video["name"] for video in coco.dataset["videos"]] == [NAME]
    frames = [coco.imgs[image]["frame_id"] for image in coco.getImgIds()]
    assert frames == list(range(FRAMES))
    (annotation,) = coco.loadAnns(coco.getAnnIds(imgIds=[1]))
    points = np.array(annotation["keypoints"]).reshape(count, 3)
    np.testing.assert_allclose(points[:, :2] - 0.5, sequence.read(f"landmarks_{count}", [1])[0][:, :2], atol=1e-3)
    assert (annotation["instance_id"], annotation["video_id"]) == (1, 1)
    assert coco.annToMask(annotation).sum() == annotation["area"]


def test_exports_have_terms_and_checksums_and_are_the_same_again(exported, results, tmp_path):
    for name, folder in exported.items():
        sums = read_sums(folder / "SHA256SUMS")
        assert "LICENSE.txt" in sums
        assert sums == {path: file_sha256(folder / path) for path in sums}
        again = tmp_path / name
        export_sequences(str(again / "SHA256SUMS"), str(results), name)
        assert read_sums(again / "SHA256SUMS") == sums


def test_a_strength_that_nobody_knows_is_null_in_coco(results, tmp_path, monkeypatch):
    curves = ThermalSequence.curves
    monkeypatch.setattr(ThermalSequence, "curves", lambda self: curves(self) | {"intensity": np.full(FRAMES, np.nan)})
    SEQUENCE_FORMATS["coco"](tmp_path, tfake.open_sequences(results))
    for path in tmp_path.glob("*.json"):
        content = json.loads(path.read_text(), parse_constant=pytest.fail)
        assert [own["intensity"] for own in content["annotations"]] == [None] * FRAMES
