"""Faces for landmark training: read part by part, kept in memory and in a file, and the same crops whatever is kept."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pytest
import torch

from archives import sample_members, write_archive
from tfake.archive.index import build_index
from tfake.imaging.crops import build_pyramid, warp_linear
from tfake.landmarks import landmark_training
from tfake.landmarks.crop_sampling import FaceSampler, crop_face
from tfake.landmarks.landmark_job import FIELDS
from tfake.landmarks.landmark_training import train_landmarks
from tfake.reader.dataset import open_dataset
from tfake.training.loading import ScratchFile
from tfake.training.loop import RunControl
from tfake.training.training_faces import FaceCache, TrainingFaces
from tiny_dataset import BAD, PIXELS, ROWS, make_dataset
from tiny_landmarks import CPU, make_faces, settings

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stored")
    results = make_dataset(folder / "results")
    members = {name: data for number in range(ROWS) for name, data in sample_members(number, PIXELS).items()}
    archive = [write_archive(folder / "a.zip", members)]
    return results, archive, build_index(archive, ROWS, PIXELS)


def stored_faces(place, landmarks=70, split=None):
    results, archive, records = place
    dataset = open_dataset(results, ("warm", "cold"), split, fields=FIELDS)
    return TrainingFaces(dataset, archive, records, landmarks, 0.25)


@pytest.mark.parametrize("landmarks", [70, 478])
def test_a_face_is_what_the_stores_and_the_archive_hold(place, landmarks):
    faces = stored_faces(place, landmarks)
    dataset = open_dataset(place[0], ("warm", "cold"), fields=FIELDS)
    by_row = {face.row: face for face in dataset}
    assert len(faces) == ROWS - 1 - (landmarks == 478)  # one row is bad, one has no mesh
    for index, row in enumerate(row for row in range(ROWS) if row != BAD and not (row == 2 and landmarks == 478)):
        face, expected = faces[index], by_row[row]
        assert face.shape == (PIXELS, PIXELS)
        np.testing.assert_array_equal(face.points, getattr(expected, f"landmarks_{landmarks}"))
        for name in ("warm", "cold"):
            np.testing.assert_array_equal(face.thermal(name)[0], expected.thermal[name])
        assert face.rgb[0].shape == (PIXELS, PIXELS, 3)
        assert set(np.unique(face.foreground)) <= {0, 1}
        seen = face.weights == 1
        assert (seen[3:].all(), face.weights[0]) == (True, 1.0 if landmarks == 70 else 0.25)


def test_both_sets_are_the_70_points_and_the_mesh_where_there_is_one(place):
    exact, dense, both = (stored_faces(place, landmarks) for landmarks in (70, 478, 548))
    assert len(both) == len(exact) == len(dense) + 1
    with_mesh = [index for index in range(len(both)) if both[index].weights[70:].any()]
    for place_of_mesh, index in enumerate(with_mesh):
        face = both[index]
        np.testing.assert_array_equal(face.points, np.concatenate((exact[index].points, dense[place_of_mesh].points)))
        # Either set weighs as much as the other, but for what is covered.
        np.testing.assert_allclose(face.weights[70:], dense[place_of_mesh].weights * 70 / 478, rtol=1e-6)
    (without,) = set(range(len(both))) - set(with_mesh)
    assert np.isfinite(both[without].points).all()
    assert both[without].weights.sum() == 70


def test_only_what_is_drawn_is_read(place, monkeypatch):
    """The spectrum is drawn first: a thermal crop decodes no visible image and no other variant."""
    read = []
    original = TrainingFaces._read_image

    def watched(self, index, kind, variant):
        read.append((kind, variant))
        return original(self, index, kind, variant)

    monkeypatch.setattr(TrainingFaces, "_read_image", watched)
    face = stored_faces(place)[0]
    plain = settings(background_share=0.0, real_world_strength=0.0)
    assert read == []
    for seed in range(20):
        read.clear()
        crop_face(face, np.arange(70), np.random.default_rng(seed), plain)
        assert len(read) == 1
    read.clear()
    crop_face(face, np.arange(70), np.random.default_rng(0), settings(background_share=1.0, thermal_share=0.0))
    assert read == [("rgb", None), ("foreground", None)]


class Counted(Sequence):
    """Faces that count how often they are asked for."""

    def __init__(self, faces):
        self.faces, self.reads = faces, 0

    def __len__(self):
        return len(self.faces)

    def __getitem__(self, index):
        self.reads += 1
        return self.faces[index]


def batches(faces, cache_bytes, scratch=None, **changes):
    sampler = FaceSampler(faces, 70, settings(batch=8, **changes), cache_bytes=cache_bytes, scratch=scratch)
    return [sampler.batch(step) for step in range(6)]


def equal(first, second):
    return all(torch.equal(value, getattr(second, name)) for name, value in vars(first).items())


@pytest.mark.parametrize("pixels", [96, 512])
def test_crops_are_the_same_whatever_is_kept(tmp_path, pixels):
    faces = make_faces(5, pixels)
    plain = batches(faces, 0)
    for kept in (
        batches(faces, 1 << 30),
        batches(faces, 300_000),
        batches(faces, 0, ScratchFile(tmp_path)),
        batches(faces, 0, ScratchFile(tmp_path, 100_000)),
    ):
        assert all(map(equal, plain, kept))


def test_levels_that_no_crop_needs_are_not_kept():
    faces = make_faces(1, 512)
    cache = FaceCache(faces, 0.85, 32, 1 << 30)
    assert cache[0].rgb[0].shape[0] < 512
    assert cache[0].shape == (512, 512)
    assert FaceCache(faces, 0.85, 512, 1 << 30)[0].rgb[0].shape[0] == 512


@pytest.mark.parametrize("zoom", [2.0, 3.1, 7.9])
def test_a_pyramid_without_its_finest_level_samples_the_same(zoom):
    image = np.random.default_rng(0).integers(0, 255, (512, 512, 3), dtype=np.uint8)
    matrix = np.array([[zoom, 0.1, 30.25], [-0.2, zoom, 20.5]])
    levels = build_pyramid(image)
    np.testing.assert_array_equal(
        warp_linear(levels, matrix, 48), warp_linear(levels[1:], matrix, 48, shape=(512, 512))
    )


def test_what_is_in_the_scratch_file_is_not_read_again(tmp_path):
    faces = Counted(make_faces(2))
    cache = FaceCache(faces, 0.85, 32, 0, ScratchFile(tmp_path))
    first = [cache[index].rgb[0].copy() for index in range(2)]  # the cache finds that it is full
    again = [cache[index].rgb[0] for index in range(2)]
    third = [cache[index].rgb[0] for index in range(2)]
    assert all(np.array_equal(a, b) and np.array_equal(a, c) for a, b, c in zip(first, again, third, strict=True))
    labels = faces.reads
    _ = cache[0].rgb
    assert faces.reads == labels + 1  # the labels alone
    assert not list(tmp_path.iterdir())


def test_a_scratch_file_keeps_what_there_is_room_for(tmp_path):
    scratch = ScratchFile(tmp_path, 100)
    first, second = np.arange(15, dtype=np.float32).reshape(3, 5), np.arange(40, dtype=np.uint8)
    for key, array in (("a", first), ("a", first), ("b", second.repeat(2)), ("c", second)):
        scratch.add(key, array)
    np.testing.assert_array_equal(scratch.get("a"), first)
    np.testing.assert_array_equal(scratch.get("c"), second)
    assert scratch.get("b") is None


def test_a_full_disk_ends_the_scratch_file_and_not_the_training(tmp_path, monkeypatch, caplog):
    scratch = ScratchFile(tmp_path)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(scratch._file, "write", full)
    scratch.add("a", np.zeros(4))
    monkeypatch.undo()
    scratch.add("b", np.zeros(4))
    assert scratch.get("a") is scratch.get("b") is None
    assert "No space left" in caplog.text


def test_a_landmarker_trained_with_eight_threads_is_the_one_trained_with_none(place, tmp_path, monkeypatch):
    monkeypatch.setattr(landmark_training, "FaceSampler", partial(FaceSampler, cache_bytes=0))
    faces = stored_faces(place)
    trained = [
        train_landmarks(settings(steps=4), faces, faces, 70, RunControl(CPU, workers=workers), scratch_folder=folder)
        for workers, folder in ((0, None), (8, None), (8, tmp_path))
    ]
    states = [one.network.state_dict() for one in trained]
    for other in states[1:]:
        assert all(torch.equal(states[0][name], other[name]) for name in other)
    assert trained[0].losses.equals(trained[1].losses)


def test_colours_travel_as_bytes_and_temperatures_as_one_channel():
    sampler = FaceSampler(
        make_faces(3), 70, settings(batch=32, texture_share=0.0, background_share=0.0, image_pixels=64)
    )
    batch = sampler.batch(0)
    assert 0 < len(batch.gray) < 32
    assert batch.colour.nbytes == len(batch.colour) * 3 * 64 * 64
    assert batch.gray.nbytes == len(batch.gray) * 2 * 64 * 64
    assert batch.nbytes < 0.3 * batch.images.nbytes
    assert torch.equal(batch.images[: len(batch.colour)], batch.colour.float() / 255)
    assert torch.equal(batch.images[len(batch.colour) :, 0], batch.gray[:, 0].float())


def test_a_face_in_memory_knows_its_size():
    face = make_faces(1, 48)[0]
    assert face.shape == (48, 48)
