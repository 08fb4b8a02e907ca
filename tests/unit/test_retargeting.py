"""Stills in motion: nothing moves without a motion, points move as pixels do, and folds are found."""

import numpy as np
import pytest

from heads.viewpoint import rotation
from still_faces import PIXELS, SCALE, still_mesh, still_picture
from tfake.core.classes import FaceClass
from tfake.core.codes import ExpressionClass, RetargetStatus
from tfake.mesh.raster import signed_areas
from tfake.retargeting.animation import Animation
from tfake.retargeting.cage import BORDER, MESH, OPENINGS, RING, VERTICES, cage, mean_face
from tfake.retargeting.mesh_motion import MeshMotion, move, rest_motion
from tfake.retargeting.mesh_warp import map_pixels
from tfake.retargeting.motion_curves import draw_motion
from tfake.retargeting.mouth import mouth_celsius
from tfake.retargeting.still import StillError, fit_similarity, prepare_still

SHAPE = (PIXELS, PIXELS)
SECONDS = np.arange(6) / 2.0


def drawn(kind: str, strength: float = 1.0, degrees: float = 6.0) -> list[MeshMotion]:
    return draw_motion(
        lambda name: np.random.default_rng([5, *name.encode()]), ExpressionClass[kind], SECONDS, strength, degrees
    )


@pytest.fixture(scope="module")
def picture():
    return still_picture()


def test_the_cage_covers_a_picture_once():
    triangles = cage().triangles
    directed = {(int(row[a]), int(row[b])) for row in triangles for a, b in ((0, 1), (1, 2), (2, 0))}
    assert len(directed) == 3 * len(triangles)
    outline = {edge for edge in directed if edge[::-1] not in directed}
    assert {end for edge in outline for end in edge} == set(range(BORDER.start, VERTICES))
    # Euler's formula of a disc.
    assert VERTICES - (len(directed) + len(outline)) // 2 + len(triangles) == 1
    still = prepare_still(still_mesh(), SHAPE)
    assert signed_areas(still.cage, triangles).min() > 0.0
    assert signed_areas(still.cage, triangles).sum() / 2 == pytest.approx(PIXELS**2)


def test_a_pose_is_found():
    turn = rotation(20.0, -10.0, 5.0)
    found = fit_similarity(mean_face(), 3.0 * mean_face() @ turn.T + (5.0, 6.0, 7.0))
    assert found.scale == pytest.approx(3.0)
    np.testing.assert_allclose(found.rotation, turn, atol=1e-9)
    np.testing.assert_allclose(found.bring_back(found.place(mean_face())), mean_face(), atol=1e-9)


def test_what_hides_is_let_go_and_a_profile_is_refused():
    still = prepare_still(still_mesh(rotation(25.0, 0.0, 0.0)), SHAPE)
    assert 0 < np.count_nonzero(~still.held[MESH]) < 250
    assert signed_areas(still.cage, cage().triangles).min() > 0.0
    with pytest.raises(StillError, match="of 468 points hide behind others"):
        prepare_still(still_mesh(rotation(75.0, 0.0, 0.0)), SHAPE)
    with pytest.raises(StillError, match="128 x 128 pixels; it leaves it"):
        prepare_still(still_mesh(scale=9.0), SHAPE)


def test_without_a_motion_the_still_stays_bit_for_bit(picture):
    (frame,) = Animation(picture, 35.0, [rest_motion()])
    assert frame.status is RetargetStatus.OK
    for name in ("celsius", "rgb", "classes", "landmarks_478", "landmarks_70"):
        np.testing.assert_array_equal(getattr(frame.picture, name), getattr(picture, name), err_msg=name)


def test_a_shift_moves_points_and_pixels_alike(picture):
    shift = MeshMotion(np.zeros((468, 3)), shift_cm=(2.0 / SCALE, -1.0 / SCALE))
    (frame,) = Animation(picture, 35.0, [shift])
    np.testing.assert_allclose(
        frame.picture.landmarks_478[:, :2] - picture.landmarks_478[:, :2], [[2, 1]] * 478, atol=1e-4
    )
    np.testing.assert_allclose(frame.picture.landmarks_70[17:] - picture.landmarks_70[17:], [[2, 1]] * 53, atol=1e-4)
    inside = np.s_[50:70, 50:75]
    before = np.s_[49:69, 48:73]
    np.testing.assert_allclose(frame.picture.celsius[inside], picture.celsius[before], atol=1e-4)
    np.testing.assert_array_equal(frame.picture.rgb[inside], picture.rgb[before])
    # The border stays.
    np.testing.assert_allclose(frame.picture.celsius[0], picture.celsius[0], atol=0.01)


def centre_of(image: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Centre of gravity (x, y) of what is bright within a few pixels of a place."""
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    weight = image * (np.hypot(x - near[0], y - near[1]) < 5)
    return np.array([(weight * x).sum(), (weight * y).sum()]) / weight.sum()


@pytest.mark.parametrize("kind", ["SMILE", "SURPRISE"])
def test_a_dot_painted_at_a_vertex_is_found_where_the_label_says(picture, kind):
    animation = Animation(picture, 35.0, drawn(kind))
    y, x = np.mgrid[:PIXELS, :PIXELS]
    moved = 0.0
    # Tip of the nose, cheeks, forehead, chin, between brow and lid.
    for vertex in (4, 50, 280, 151, 199, 223):
        place = picture.landmarks_478[vertex, :2]
        dot = np.exp(-((x - place[0]) ** 2 + (y - place[1]) ** 2) / (2 * 1.0**2)).astype(np.float32)
        for motion in drawn(kind)[1:5]:
            after = move(animation.still, motion)
            label = after.cage[vertex] + place - animation.still.cage[vertex]
            found = centre_of(map_pixels(animation.still, after.cage).warp(dot), label)
            assert np.hypot(*(found - label)) < 0.3
            moved = max(moved, float(np.hypot(*(label - place))))
    assert moved > 1.5


def test_lips_part_and_the_mouth_is_warm(picture):
    frames = list(Animation(picture, 36.5, drawn("SURPRISE")))
    widest = max(frames, key=lambda frame: frame.motion.intensity)
    shown = widest.picture.classes == FaceClass.MOUTH_INTERIOR
    assert shown.sum() > 20
    assert (picture.classes == FaceClass.MOUTH_INTERIOR).sum() == 0
    assert widest.picture.celsius[shown].max() == pytest.approx(36.5, abs=0.3)
    gap = widest.picture.landmarks_70[66, 1] - widest.picture.landmarks_70[62, 1]
    assert gap > picture.landmarks_70[66, 1] - picture.landmarks_70[62, 1] + 2.0
    assert mouth_celsius("measured", 20.0) == pytest.approx(35.1, abs=0.1)


def test_lids_close_by_a_fraction_of_their_own_gap(picture):
    wide = next(motion for motion in drawn("WINK") if motion.lids[0] > 0.5)
    still = Animation(picture, 35.0, [wide]).still
    after = move(still, wide)
    upper, lower = OPENINGS["right"]
    gap = (after.cage[list(lower[1:-1])] - after.cage[list(upper[1:-1])])[:, 1].max()
    assert gap / still.gaps["right"].max() == pytest.approx(1.0 - wide.lids[0], abs=0.08)
    assert after.folded == 0


def test_a_fold_is_found_and_the_frame_repeats_the_one_before(picture):
    torn = np.zeros((468, 3))
    # Everything above the eyes is put below the chin.
    torn[mean_face()[:, 1] > 2.0, 1] = -14.0
    gentle = drawn("SMILE")[2]
    first, second, third, fourth = Animation(picture, 35.0, [gentle, MeshMotion(torn), None, rest_motion()])
    assert (first.status, second.status) == (RetargetStatus.OK, RetargetStatus.FOLDED)
    assert (third.status, fourth.status) == (RetargetStatus.NO_DRIVER, RetargetStatus.OK)
    assert second.folded > 0 == first.folded
    for repeated in (second, third):
        np.testing.assert_array_equal(repeated.picture.celsius, first.picture.celsius)
        assert repeated.motion is gentle
    # With nothing before it, the still itself.
    (only,) = Animation(picture, 35.0, [None])
    np.testing.assert_array_equal(only.picture.rgb, picture.rgb)


@pytest.mark.parametrize("kind", ["NEUTRAL", "SMILE", "TALK", "ANGER", "DISGUST", "PUFF"])
def test_no_curve_folds_a_still(picture, kind):
    frames = list(Animation(picture, 35.0, drawn(kind)))
    assert {frame.status for frame in frames} == {RetargetStatus.OK}
    turned = np.array([frame.head_degrees for frame in frames])
    assert np.abs(turned - turned.mean(axis=0)).max() > 0.5


def test_the_head_turns_as_the_label_says(picture):
    turn = rotation(6.0, 0.0, 0.0)
    (rest, turned) = Animation(picture, 35.0, [rest_motion(), MeshMotion(np.zeros((468, 3)), turn=turn)])
    assert turned.head_degrees[0] - rest.head_degrees[0] == pytest.approx(6.0, abs=0.2)
    nose, ear = (turned.picture.landmarks_478 - rest.picture.landmarks_478)[[4, 234], 0]
    assert nose > 2.0 * abs(ear)
    assert nose > 4.0
    # The ring follows the head, the border does not.
    moved = move(Animation(picture, 35.0, [turned.motion]).still, turned.motion)
    still = prepare_still(picture.landmarks_478, SHAPE)
    assert np.abs(moved.cage[RING] - still.cage[RING]).max() > 0.5
    np.testing.assert_array_equal(moved.cage[BORDER], still.cage[BORDER])


def test_a_still_without_a_mesh_is_refused(picture):
    mesh = np.full((478, 3), np.nan, np.float32)
    lacking = type(picture)(picture.celsius, picture.rgb, picture.classes, picture.landmarks_70, mesh)
    with pytest.raises(StillError, match="the still has none"):
        Animation(lacking, 35.0, [])
