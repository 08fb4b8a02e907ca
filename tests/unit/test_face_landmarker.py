"""The second backend, on objects of MediaPipe's shape: neither its version nor its model can be had here."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from faces.fetch_landmarker import fetch_landmarker
from faulty_server import serve
from heads.scene import render_face
from tfake.acquisition.http import TransferError
from tfake.core.codes import Attempt
from tfake.labels.detection import View, view_of
from tfake.labels.face_landmarker import FaceLandmarker, cut_to_image, detections
from tfake.labels.shape import mesh_partners

POINTS = np.random.default_rng(0).uniform(0.3, 0.7, (478, 3))


def result(*faces):
    """A FaceLandmarkerResult: normalised landmarks, 52 categories and a matrix a face."""
    return SimpleNamespace(
        face_landmarks=[[SimpleNamespace(x=x, y=y, z=z) for x, y, z in face] for face in faces],
        face_blendshapes=[[SimpleNamespace(score=i / 52) for i in range(52)] for _ in faces],
        facial_transformation_matrixes=[np.eye(4) for _ in faces],
    )


@pytest.fixture
def landmarker(monkeypatch, tmp_path):
    """The backend over a stand-in for mediapipe that finds one face, always at the same place of what it is shown."""
    made = SimpleNamespace(shown=[], options=None, closed=False)

    class Landmarker:
        @classmethod
        def create_from_options(cls, options):
            made.options = options
            return cls()

        def detect(self, image):
            made.shown.append(image.data)
            return result(POINTS)

        def close(self):
            made.closed = True

    vision = SimpleNamespace(
        FaceLandmarkerOptions=SimpleNamespace,
        FaceLandmarker=Landmarker,
        RunningMode=SimpleNamespace(IMAGE="image"),
    )
    mediapipe = SimpleNamespace(
        tasks=SimpleNamespace(vision=vision, BaseOptions=SimpleNamespace),
        Image=SimpleNamespace,
        ImageFormat=SimpleNamespace(SRGB="srgb"),
    )
    monkeypatch.setitem(sys.modules, "mediapipe", mediapipe)
    (tmp_path / "model.task").write_bytes(b"model")
    with FaceLandmarker(tmp_path / "model.task", 0.4, 0.6) as opened:
        yield opened, made
    assert made.closed


def test_it_looks_at_images_not_at_video(landmarker):
    _, made = landmarker
    assert made.options.running_mode == "image"
    assert made.options.num_faces > 1
    assert made.options.min_face_detection_confidence == 0.4
    assert made.options.min_face_presence_confidence == 0.6
    assert made.options.output_face_blendshapes


def test_points_are_pixels_of_the_whole_image(landmarker):
    opened, made = landmarker
    image = np.zeros((100, 200, 3), np.uint8)
    (face,) = opened.find(image, None)
    assert made.shown[0] is image
    np.testing.assert_allclose(face.mesh, POINTS * (200, 100, 200) - (0.5, 0.5, 0), atol=1e-3)
    np.testing.assert_allclose(face.blendshapes, np.arange(52) / 52, atol=1e-6)
    np.testing.assert_array_equal(face.transform, np.eye(4))


def test_points_of_a_view_are_pixels_of_the_image(landmarker):
    opened, made = landmarker
    view = View((120.0, 80.0), 60.0, 0.5)
    (face,) = opened.find(np.zeros((200, 200, 3), np.uint8), view)
    edge = made.shown[0].shape[0]
    places = POINTS[:, :2] * edge - 0.5
    to_image = cut_to_image(view)
    np.testing.assert_allclose(face.mesh[:, :2], places @ to_image[:, :2].T + to_image[:, 2], atol=1e-3)
    np.testing.assert_allclose(to_image @ ((edge - 1) / 2, (edge - 1) / 2, 1), view.centre)
    assert face.transform is None


def test_a_mirrored_view_swaps_sides_and_keeps_no_blendshapes(landmarker):
    opened, _ = landmarker
    image = np.zeros((200, 200, 3), np.uint8)
    (plain,) = opened.find(image, View((99.5, 80.0), 60.0, 0.0))
    (mirrored,) = opened.find(image, View((99.5, 80.0), 60.0, 0.0, mirrored=True))
    np.testing.assert_allclose(mirrored.mesh[:, 0], 199 - plain.mesh[mesh_partners(), 0], atol=1e-3)
    assert mirrored.blendshapes is None


def test_a_view_shows_the_face_upright(landmarker):
    opened, made = landmarker
    face = render_face(seed=3, face=0, setting="lab")
    opened.find(face.rgb, view_of(Attempt.GUIDED, face.landmarks_70))
    assert made.shown[0].shape == (384, 384, 3)
    assert made.shown[0].std() > 10


def test_no_face_is_no_detection():
    assert detections(result(), np.eye(2, 3), 10, 10) == []


def test_a_missing_model_stops(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.task"):
        FaceLandmarker(tmp_path / "none.task", 0.5, 0.5)


def test_the_model_is_fetched_whole(tmp_path):
    (tmp_path / "served").mkdir()
    (tmp_path / "served/there").write_bytes(b"model")
    with serve(tmp_path / "served") as server:
        fetch_landmarker(str(tmp_path / "models/here"), f"{server.url}/there")
        assert (tmp_path / "models/here").read_bytes() == b"model"
        assert not list(tmp_path.rglob("*.part"))
        with pytest.raises(TransferError, match="nowhere"):
            fetch_landmarker(str(tmp_path / "models/none"), f"{server.url}/nowhere")
