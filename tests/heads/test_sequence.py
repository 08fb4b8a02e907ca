"""Sequences of one person: given states, fixed identity, exact labels, noise from frame to frame."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from heads.expression import Expression, draw_expression
from heads.expression_classes import TARGETS, express_class
from heads.performance import draw_rest
from heads.person import draw_wearer, wear_expression
from heads.scene import FaceState, place, render_face
from heads.sequence import Clip, prepare_sequence
from heads.viewpoint import Framing, draw_framing, view
from tfake.core.codes import EXPRESSION_PARAMETERS, BodyState, ExpressionClass
from tfake.heat.physiology import PhysiologyRanges

_PIXELS = 96
_AHEAD = Framing((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 90.0, 0.6, (0.0, 0.0))


@cache
def wearer():
    return draw_wearer(lambda name: np.random.default_rng([5, 3, *name.encode()]), lab=True)


def landmarks(kind: ExpressionClass, framing: Framing = _AHEAD) -> np.ndarray:
    """The 70 points of one person in an expression and no other: nothing is painted."""
    rest = Expression(0.0, 0.0, 0.0, 0.0, (0.0, 0.0), 0.0, (0.0, 0.0), (0.0, 0.0))
    person = wear_expression(wearer(), express_class(kind, 1.0, rest))
    return place(person.landmarks, view(framing, 128))[:, :2]


@pytest.mark.parametrize("setting", ["wild", "lab"])
def test_what_is_drawn_may_be_given(setting):
    def stream(name: str) -> np.random.Generator:
        return np.random.default_rng([7, 2, *name.encode()])

    lab = setting == "lab"
    state = FaceState(draw_expression(stream("expression"), neutral=lab), draw_framing(stream("viewpoint"), lab))
    drawn, given = render_face(7, 2, _PIXELS, setting), render_face(7, 2, _PIXELS, setting, state)
    np.testing.assert_array_equal(given.rgb, drawn.rgb)
    np.testing.assert_array_equal(given.landmarks_70, drawn.landmarks_70)


def test_a_farther_camera_has_a_longer_lens_unless_the_lens_is_given():
    near, far = (
        np.ptp(landmarks(ExpressionClass.NEUTRAL, replace(_AHEAD, distance_cm=distance)), axis=0)
        for distance in (90.0, 160.0)
    )
    assert far == pytest.approx(near, rel=0.1)


def test_a_person_who_comes_nearer_grows_where_the_lens_stays():
    far, near = (
        np.ptp(landmarks(ExpressionClass.NEUTRAL, replace(_AHEAD, distance_cm=distance, focused_cm=90.0)), axis=0)
        for distance in (120.0, 60.0)
    )
    assert near / far == pytest.approx(2.0, rel=0.15)


def test_the_neck_stays_where_the_aim_is_given():
    turned = replace(_AHEAD, head=(30.0, 0.0, 0.0))
    straight, face_kept, neck_kept = (
        landmarks(ExpressionClass.NEUTRAL, framing)[:, 0].mean()
        for framing in (_AHEAD, turned, replace(turned, aim=(0.0, 0.0, 0.0)))
    )
    size = 0.6 * 128
    assert abs(face_kept - straight) < 0.1 * size
    assert neck_kept - straight > 0.2 * size


def test_every_class_moves_what_it_is_named_for():
    rest = landmarks(ExpressionClass.NEUTRAL)
    size = np.sqrt(np.prod(np.ptp(rest, axis=0)))

    def up(kind: ExpressionClass, *points: int) -> float:
        return float((rest - landmarks(kind))[list(points), 1].mean() / size)

    assert up(ExpressionClass.SMILE, 48, 54) > 0.02
    assert up(ExpressionClass.FROWN, 20, 21, 22, 23) < -0.01
    assert up(ExpressionClass.SURPRISE, 18, 19, 24, 25) > 0.02
    assert up(ExpressionClass.SURPRISE, 8) < -0.1
    assert up(ExpressionClass.TALK, 8) < -0.05
    assert up(ExpressionClass.ANGER, 21, 22) < -0.01
    assert up(ExpressionClass.DISGUST, 31, 35) > 0.005
    assert up(ExpressionClass.DISGUST, 50, 52) > 0.01
    assert up(ExpressionClass.SADNESS, 21, 22) > 0.01
    assert up(ExpressionClass.SADNESS, 48, 54) < -0.015
    wide = landmarks(ExpressionClass.FEAR)
    assert (wide[54] - wide[48])[0] > (rest[54] - rest[48])[0] + 0.03 * size
    puffed = landmarks(ExpressionClass.PUFF)
    assert np.abs(puffed - rest).max() > 0.01 * size
    # A wink shuts one eye and lifts one corner.
    wink = landmarks(ExpressionClass.WINK)
    openings = [(wink[low] - wink[high])[1] / size for high, low in ((37, 41), (44, 46))]
    assert openings[0] < 0.4 * openings[1]
    assert (rest - wink)[48, 1] > (rest - wink)[54, 1] + 0.01 * size


def test_intensity_goes_from_rest_to_the_class_on_a_straight_line():
    rest = draw_rest(np.random.default_rng(1))
    for kind, target in TARGETS.items():
        assert express_class(kind, 0.0, rest) == rest
        half, full = express_class(kind, 0.5, rest), express_class(kind, 1.0, rest)
        for name, value in target.items():
            np.testing.assert_allclose(getattr(full, name), value)
            np.testing.assert_allclose(np.array(getattr(half, name)) * 2, np.array(getattr(rest, name)) + value)
    with pytest.raises(ValueError, match="0 or more"):
        express_class(ExpressionClass.SMILE, -0.1, rest)
    assert set(TARGETS) == set(ExpressionClass)


@pytest.fixture(scope="module")
def clip() -> Clip:
    return Clip(3, 1, expression=ExpressionClass.SMILE, frames=20, frames_per_second=5.0, pixels=_PIXELS)


@pytest.fixture(scope="module")
def sequence(clip):
    return prepare_sequence(clip)


@pytest.fixture(scope="module")
def frames(sequence):
    return {number: sequence.frame(number) for number in (0, 10, 11)}


def test_a_frame_is_the_same_in_whatever_order(clip, frames):
    again = prepare_sequence(clip).frame(10)
    np.testing.assert_array_equal(again.rendering.rgb, frames[10].rendering.rgb)
    np.testing.assert_array_equal(again.celsius, frames[10].celsius)
    np.testing.assert_array_equal(again.mesh_478, frames[10].mesh_478)


def test_the_expression_comes_and_goes(sequence):
    intensity = sequence.performance.intensity
    assert intensity[0] == 0.0
    assert intensity[-1] < 0.1
    assert 0.7 <= intensity.max() <= 1.0
    smiles = [state.expression.smile for state in sequence.performance.states]
    assert max(smiles) > smiles[0] + 0.3
    neutral = prepare_sequence(replace(sequence.clip, expression=ExpressionClass.NEUTRAL))
    assert not neutral.performance.intensity.any()


def test_labels_are_what_was_rendered(sequence, frames):
    frame = frames[10]
    np.testing.assert_array_equal(frame.mesh_478[:468], frame.rendering.mesh)
    # Right pupil first in both, and the irises' edges lie around it.
    for first, pupil in ((468, 68), (473, 69)):
        np.testing.assert_allclose(frame.mesh_478[first, :2], frame.rendering.landmarks_70[pupil], atol=0.05)
        right, up, left, down = frame.mesh_478[first + 1 : first + 5, :2]
        assert right[0] > left[0]
        assert up[1] < down[1]
    assert frame.head_degrees == pytest.approx(sequence.performance.states[10].framing.head)
    # The face is in front of the neck's joint.
    assert 5.0 < sequence.performance.states[10].framing.distance_cm + frame.position_cm[2] < 10.0


def test_another_look_is_the_same_person(sequence):
    clip = sequence.clip
    looks = [prepare_sequence(replace(clip, look=look)) for look in range(4)]
    for other in looks:
        np.testing.assert_array_equal(other.wearer.control, sequence.wearer.control)
        np.testing.assert_array_equal(other.wearer.complexion.tone, sequence.wearer.complexion.tone)
        np.testing.assert_array_equal(other.subject.regional, sequence.subject.regional)
    shapes = {sum(len(part.rest) for part in other.wearer.worn) for other in looks}
    assert len(shapes) > 1
    another = prepare_sequence(replace(clip, subject=2))
    assert not np.array_equal(another.wearer.control, sequence.wearer.control)


def test_noise_differs_from_frame_to_frame_and_the_pattern_stays():
    still = PhysiologyRanges(pulse_kelvin=(0.0, 0.0), drift_kelvin_per_minute=(0.0, 0.0))
    clip = Clip(3, 1, frames=8, frames_per_second=5.0, pixels=_PIXELS, setting="lab", physiology=still)
    recorded = np.array([frame.celsius for frame in prepare_sequence(clip)])
    # The corner shows the room throughout: what differs there is the camera.
    corner = recorded[:, :20, :16] - clip.ambient_celsius
    noise = corner - corner.mean(axis=0)
    assert noise.std() * np.sqrt(8 / 7) == pytest.approx(clip.netd_kelvin, rel=0.1)
    neighbours = np.corrcoef(noise[:-1].ravel(), noise[1:].ravel())[0, 1]
    assert neighbours < 0.0
    other = prepare_sequence(replace(clip, subject=2, expression=ExpressionClass.TALK))
    pattern = np.mean([other.frame(number).celsius[:20, :16] for number in range(8)], axis=0)
    assert np.corrcoef(pattern.ravel(), corner.mean(axis=0).ravel())[0, 1] > 0.5


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"setting": "street"}, "'wild' or 'lab', found 'street'"),
        ({"look": 64}, "0 to 63; found 64"),
        ({"frames": 0}, "found 0 frames"),
        ({"frames_per_second": 0.0}, "0.0 a second"),
    ],
)
def test_what_no_sequence_can_be_is_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        prepare_sequence(replace(Clip(1, 1), **changes))


def test_one_frame_is_a_sequence():
    frame = prepare_sequence(Clip(1, 1, frames=1, pixels=64, body=BodyState.STRESS)).frame(0)
    assert np.isfinite(frame.celsius).all()
    assert len(EXPRESSION_PARAMETERS) == 16
