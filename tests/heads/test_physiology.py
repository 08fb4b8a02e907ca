"""Temperatures through time against closed forms, and what a camera reads of them."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from heads.performance import draw_rest
from heads.scene import FaceState, render_face
from heads.sequence import Clip, prepare_sequence
from heads.truth_camera import record
from heads.viewpoint import Framing
from tfake.core.classes import FaceClass
from tfake.core.codes import BodyState
from tfake.heat.field import heat_field
from tfake.heat.physiology import Physiology, PhysiologyRanges, breath_curve, pulse_curve
from tfake.heat.subject import SubjectState, draw_subject, in_state
from tfake.heat.surface import rendered_surface
from tfake.landmarks.breathing import breathing_rate

_ROOM = 23.0


def test_a_breath_goes_in_faster_than_out():
    cycles = np.linspace(0, 1, 1001)
    breath = breath_curve(cycles)
    assert breath[0] == pytest.approx(1.0)
    assert breath.min() == pytest.approx(-1.0)
    assert cycles[breath.argmin()] == pytest.approx(0.4, abs=1e-3)
    np.testing.assert_allclose(breath_curve(cycles + 3), breath, atol=1e-9)


def test_the_pulse_has_no_mean_and_stays_within_its_amplitude():
    pulse = pulse_curve(np.linspace(0, 1, 1000, endpoint=False))
    assert pulse.mean() == pytest.approx(0.0, abs=1e-9)
    assert 0.8 < np.abs(pulse).max() <= 1.0


def test_slow_changes_follow_their_time_constants():
    def at(body: BodyState, seconds: float, **changes) -> SubjectState:
        return Physiology(body, **changes).state_at(seconds)

    assert at(BodyState.STRESS, 60.0).nose_kelvin == pytest.approx(-1.5 * (1 - np.exp(-1)))
    assert at(BodyState.FEVER, 0.0, begun_seconds=1200.0).fever_kelvin == pytest.approx(1.5 * (1 - np.exp(-1)))
    cold = at(BodyState.COLD, 300.0)
    assert cold.nose_kelvin == pytest.approx(-4 * np.exp(-1))
    assert cold.perfusion == pytest.approx(1 - 0.7 * np.exp(-1))
    assert cold.drift_kelvin == pytest.approx(-1.6 * np.exp(-1))
    rest = at(BodyState.REST, 60.0, drift_kelvin_per_minute=0.05)
    assert (rest.nose_kelvin, rest.fever_kelvin, rest.perfusion) == (0.0, 0.0, 1.0)
    assert rest.drift_kelvin == pytest.approx(0.05)


def test_bodies_are_drawn_within_their_bounds():
    ranges = PhysiologyRanges.from_mapping({"breaths_per_minute": [10, 11], "fever_kelvin": 2.0})
    drawn = [ranges.draw(np.random.default_rng(seed), BodyState.FEVER) for seed in range(20)]
    assert all(10 <= body.breaths_per_minute <= 11 for body in drawn)
    assert all(abs(body.pulse_kelvin) < 0.05 for body in drawn)
    assert {body.fever_kelvin for body in drawn} == {2.0}
    assert len({body.begun_seconds for body in drawn}) == 20
    with pytest.raises(TypeError, match="breaths"):
        PhysiologyRanges.from_mapping({"breaths": [1, 2]})


@pytest.fixture(scope="module")
def rendering():
    framing = Framing((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 90.0, 0.55, (0.0, 0.0))
    return render_face(4, 10_000_001, 96, "lab", FaceState(draw_rest(np.random.default_rng(0)), framing))


@pytest.fixture(scope="module")
def read(rendering):
    """Apparent temperatures of one still face in a state."""
    surface, subject = rendered_surface(rendering.surface), draw_subject(4, 1)
    return lambda state: heat_field(surface, _ROOM, in_state(subject, state)).celsius


def box(image: np.ndarray, middle: np.ndarray, half: int) -> np.ndarray:
    x, y = np.rint(middle).astype(int)
    return image[y - half : y + half + 1, x - half : x + half + 1]


def test_nothing_but_what_a_state_names_moves(read, rendering):
    rest = read(SubjectState(breath=0.0))
    forehead = rendering.landmarks_70[[19, 24]].mean(axis=0) - (0, 12)
    nose = rendering.landmarks_70[30]
    pulse = read(SubjectState(breath=0.0, pulse_kelvin=0.04)) - rest
    # Of 20 degrees; the contrast in this room is 14/17.
    assert box(pulse, forehead, 2).mean() == pytest.approx(0.04 * 14 / 17, rel=0.1)
    background = rendering.surface.classes == FaceClass.BACKGROUND
    assert np.abs(pulse[background]).max() == 0.0
    np.testing.assert_array_equal(read(SubjectState(breath=0.0, drift_kelvin=0.04)) - rest, pulse)
    stressed = read(SubjectState(breath=0.0, nose_kelvin=-1.0)) - rest
    assert box(stressed, nose, 2).mean() < -0.6
    assert abs(box(stressed, forehead, 2).mean()) < 0.2


@pytest.mark.parametrize("rate", [9.0, 14.5, 24.0])
def test_the_rate_of_breath_is_read_back_through_a_camera(read, rendering, rate):
    body = Physiology(breaths_per_minute=rate, beats_per_minute=71.0, pulse_kelvin=0.03, drift_kelvin_per_minute=0.05)
    seconds = np.arange(0, 24, 0.25)
    nostrils = rendering.landmarks_70[[32, 34]].mean(axis=0)
    trace = []
    for number, moment in enumerate(seconds):
        seen = record(read(body.state_at(float(moment))), _ROOM, 4, 1, netd_kelvin=0.05, frame=number)
        trace.append(box(seen, nostrils, 3).mean())
    found = breathing_rate(seconds, np.array(trace))
    assert found.valid, found.reason
    assert abs(found.breaths_per_minute - rate) < 1.0
    # Held breath is no rate.
    still = read(replace(body.state_at(0.0), breath=0.0))
    held = [box(record(still, _ROOM, 4, 1, frame=number), nostrils, 3).mean() for number in range(len(seconds))]
    assert not breathing_rate(seconds, np.array(held)).valid


def test_the_rate_of_breath_is_read_back_while_the_head_moves():
    clip = Clip(1, 3, frames=36, frames_per_second=2.0, pixels=128, setting="lab")
    sequence = prepare_sequence(clip)
    trace = []
    for frame in sequence:
        blurred = cv2.GaussianBlur(frame.celsius, (0, 0), 1.0)
        x, y = frame.mesh_478[[97, 326], :2].T.astype(np.float32)
        trace.append(cv2.remap(blurred, x[None], y[None], cv2.INTER_LINEAR).mean())
    found = breathing_rate(sequence.performance.seconds, np.array(trace))
    assert found.valid, found.reason
    assert abs(found.breaths_per_minute - sequence.physiology.breaths_per_minute) < 1.0
