"""What the dense labels promise, on real FaceSynthetics faces where they can be had, and on turned procedural ones."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from archives import LABELS
from heads import scene
from heads.viewpoint import rotation
from recipes import ROOT
from tfake.archive.image_reader import ArchiveImages
from tfake.archive.index import build_index
from tfake.archive.samples import Sample
from tfake.archive.zip_archive import open_archive
from tfake.core.codes import LABELLED, MeshStatus
from tfake.labels.correspondence import mesh_error
from tfake.labels.detection import LabelSettings
from tfake.labels.facemesh import FaceMesh
from tfake.labels.labelling import label_face, label_rows

REAL = ROOT.parent / "shared/data/facesynthetics_60.zip"
SETTINGS = LabelSettings(model=None, **{key: value for key, value in LABELS.items() if key != "face_landmarker"})


@pytest.fixture(scope="module")
def real():
    if not REAL.exists():
        pytest.skip(f"{REAL} is not there")
    index = build_index([str(REAL)], 60, 512)
    return [
        face for _, face in label_rows(open_archive([REAL]), ArchiveImages([REAL], 512), index, SETTINGS, processes=1)
    ]


def test_every_real_face_is_labelled_and_most_by_the_network(real):
    assert all(face.landmarks_478_status in LABELLED for face in real)
    assert sum(face.landmarks_478_status is not MeshStatus.FITTED for face in real) >= 58
    for face in real:
        assert np.isfinite(face.landmarks_478).all()
        assert (face.landmarks_478_status is MeshStatus.FITTED) == (
            face.landmarks_478_error is None or face.landmarks_478_error > SETTINGS.reject_above
        )


def test_correction_lowers_the_error_at_points_it_has_not_seen(real):
    placed = [face for face in real if face.landmarks_478_status is not MeshStatus.FITTED]
    raw, left_out = (
        [getattr(face, name) for face in placed] for name in ("landmarks_478_error", "landmarks_478_left_out_error")
    )
    assert np.median(raw) <= 0.020
    assert np.median(left_out) <= 0.65 * np.median(raw)
    assert np.mean(left_out) <= 0.60 * np.mean(raw)
    # What is fitted without a mesh is as good as the rest.
    assert max(face.landmarks_478_left_out_error for face in real) < 0.025


@pytest.mark.parametrize("yaw", [-75, -60, -30, 0, 30, 60, 75])
def test_turned_heads_are_labelled_beside_a_distractor(monkeypatch, yaw):
    drawn = scene.draw_viewpoint

    def turned(rng, pixels, frontal):
        return replace(drawn(rng, pixels, frontal), head=rotation(yaw, 0, 0))

    other = scene.render_face(seed=8, face=0, pixels=256, setting="lab")
    monkeypatch.setattr(scene, "draw_viewpoint", turned)
    face = scene.render_face(seed=8, face=100 + yaw, pixels=256)
    rgb = np.concatenate([face.rgb, other.rgb], axis=1)
    # A square scene, as the source's images are: the second head is as large as the first.
    rgb = cv2.copyMakeBorder(rgb, 0, 256, 0, 0, cv2.BORDER_REFLECT)[:512]
    classes = np.zeros(rgb.shape[:2], np.uint8)
    classes[:256, :256] = face.surface.classes
    with FaceMesh(0.5, 0.5) as finder:
        labels = label_face(Sample(rgb, classes, face.landmarks_70.astype(np.float32)), finder, SETTINGS)
    assert labels.landmarks_478_status in LABELLED
    assert mesh_error(labels.landmarks_478, face.landmarks_70) < 0.02
    if labels.landmarks_478_status is not MeshStatus.FITTED:
        assert labels.landmarks_478_error <= SETTINGS.reject_above
