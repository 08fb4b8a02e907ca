"""Following faces: who is who in any order, through crossings, hidden for a while; and how still a face is held."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tfake.imaging.crops import box_iou
from tfake.landmarks.association import associate
from tfake.landmarks.landmarker import LandmarkDetections
from tfake.landmarks.tracking import FaceTracker, TrackingSettings, split
from tfake.landmarks.video import smoothed_answers

STEP = 1 / 9
SHAPE = np.random.default_rng(0).uniform(-20, 20, (70, 2))


def faces(*centres, score=0.03, sigma=1.0):
    """Faces of 40 pixels around these centres, in this order."""
    points = np.array([SHAPE + centre for centre in centres], np.float32).reshape(-1, 70, 2)
    scores = np.broadcast_to(np.float32(score), len(points))
    return LandmarkDetections(points, np.full(points.shape[:2], sigma, np.float32), scores)


def follow(tracker, frames):
    return [tracker.update(found, number * STEP) for number, found in enumerate(frames)]


def id_near(answer, centre):
    middles = answer.faces.landmarks.mean(axis=1) - SHAPE.mean(axis=0)
    distances = np.linalg.norm(middles - centre, axis=1)
    return int(answer.track_ids[distances.argmin()]) if len(distances) and distances.min() < 5 else None


def test_a_face_is_one_after_it_was_confirmed():
    answers = follow(FaceTracker(TrackingSettings(confirmations=3)), [faces((50, 50))] * 5)
    assert [answer.track_ids.tolist() for answer in answers] == [[], [], [0], [0], [0]]
    assert [answer.frame for answer in answers] == list(range(5))
    # Found once, and not again: nobody.
    once = follow(FaceTracker(), [faces((50, 50)), faces(), faces((50, 50)), faces()])
    assert not any(len(answer) for answer in once)


def test_identities_do_not_hang_on_the_order_of_the_faces():
    rng = np.random.default_rng(3)
    centres = [(50, 50), (150, 60), (250, 40)]
    frames = [faces(*(centres[place] for place in rng.permutation(3))) for _ in range(30)]
    answers = follow(FaceTracker(), frames)
    who = [[id_near(answer, centre) for centre in centres] for answer in answers[1:]]
    assert all(sorted(ids) == [0, 1, 2] and ids == who[0] for ids in who)


def test_identities_cross():
    """Two faces pass one another, one above the other; the detections swap their order each frame."""
    frames, places = [], []
    for number in range(50):
        pair = [(40 + 4 * number, 60), (236 - 4 * number, 72)]
        places.append(pair)
        frames.append(faces(*(pair if number % 2 else pair[::-1])))
    answers = follow(FaceTracker(), frames)
    who = [[id_near(answer, centre) for centre in pair] for answer, pair in zip(answers[1:], places[1:], strict=True)]
    assert sorted(who[0]) == [0, 1]
    assert all(ids == who[0] for ids in who)


@pytest.mark.parametrize(("hidden", "is_same"), [(0.8, True), (1.4, False)])
def test_an_identity_outlasts_an_occlusion_of_so_many_seconds(hidden, is_same):
    """A face walks on behind something, at 60 pixels a second."""
    gone = round(hidden / STEP)
    frames = [faces((40 + 60 * number * STEP, 60)) for number in range(40)]
    frames[10 : 10 + gone] = [faces()] * gone
    answers = follow(FaceTracker(TrackingSettings(coast_seconds=1.0)), frames)
    assert answers[9].track_ids.tolist() == [0]
    assert not any(len(answer) for answer in answers[10 : 10 + gone])
    assert answers[-1].track_ids.tolist() == ([0] if is_same else [1])


def behind(way, seconds=1.8):
    """Somebody in front, who stands, and somebody who goes there, is hidden, and comes out again: frames, and places.

    The hidden one is not found within 30 pixels; ``way`` is 1 for on, and -1 for back.
    """
    frames, places = [], []
    gone = round(seconds / STEP)
    for number in range(-8, gone + 9):
        if number < 0:
            x = 100 + 8 * number - 30
        elif number < gone:
            x = 100
        else:
            x = 100 + way * (30 + 8 * (number - gone))
        places.append(x)
        frames.append(faces((100, 50)) if x == 100 else faces((100, 50), (x, 56)))
    return frames, places


@pytest.mark.parametrize("way", [1, -1])
@pytest.mark.parametrize(("seconds", "is_same"), [(0.5, True), (1.8, True), (4.0, False)])
def test_who_is_lost_behind_somebody_comes_out_on_either_side(way, seconds, is_same):
    frames, places = behind(way, seconds)
    tracker = FaceTracker(keeps_history=True)
    answers = follow(tracker, frames)
    before, after = id_near(answers[7], (places[7], 56)), id_near(answers[-1], (places[-1], 56))
    assert None not in (before, after)
    assert (before == after) == is_same
    assert {id_near(answer, (100, 50)) for answer in answers[1:]} == {id_near(answers[1], (100, 50))}
    # Nothing is told of where the hidden face looks.
    smoothed = list(smoothed_answers(tracker, [answer.time_seconds for answer in answers], 70))
    assert all(len(answer) == 1 for answer, x in zip(smoothed, places, strict=True) if x == 100)


@pytest.mark.parametrize("missed", [12, 20])
def test_who_is_behind_somebody_stays_there_while_the_one_in_front_is_missed(missed):
    frames, places = behind(1)
    frames[missed] = faces()
    answers = follow(FaceTracker(), frames)
    for number in (7, -1):
        assert [id_near(answers[number], centre) for centre in ((places[number], 56), (100, 50))] == [1, 0]


def test_a_face_stays_where_it_was_before_it_was_hidden():
    seen, hidden = faces((100, 50), (70, 56)), faces((100, 50))
    tracker = FaceTracker(keeps_history=True)
    answers = follow(tracker, [seen] * 12 + [hidden] * 8 + [seen] * 12)
    smoothed = list(smoothed_answers(tracker, [answer.time_seconds for answer in answers], 70))
    for number, answer in enumerate(smoothed):
        assert answer.track_ids.tolist() == ([0] if 12 <= number < 20 else [0, 1])
        if len(answer) == 2:
            np.testing.assert_allclose(answer.faces.landmarks[1] - SHAPE, [[70, 56]] * 70, atol=0.02)


def test_nobody_is_looked_for_behind_somebody():
    frames, _ = behind(1)
    tracker = FaceTracker()
    follow(tracker, frames[:12])
    assert tracker.hides_somebody
    boxes, just_seen = tracker.boxes(12 * STEP)
    assert len(boxes) == 1
    assert just_seen.all()


def test_of_two_behind_one_face_each_is_the_one_whose_points_are_alike():
    """One comes from the left and one from the right; both turn back. Their faces are of other shapes."""
    frames = []
    for number in range(30):
        left, right = 100 - 6 * abs(number - 15), 100 + 6 * abs(number - 15)
        front, wide = faces((100, 50)), faces((left, 56))
        narrow = faces((right, 44))
        narrow = replace(narrow, landmarks=(narrow.landmarks - (right, 44)) * (0.8, 1.1) + (right, 44))
        shown = [front] if abs(number - 15) < 5 else [front, wide, narrow]
        parts = [np.concatenate([getattr(face, name) for face in shown]) for name in ("landmarks", "sigma", "score")]
        frames.append(LandmarkDetections(*(part.astype(np.float32) for part in parts)))
    answers = follow(FaceTracker(), frames)

    def who(answer):
        """The numbers by place, from the left."""
        return answer.track_ids[np.argsort(answer.faces.landmarks[..., 0].mean(axis=1))].tolist()

    assert sorted(who(answers[5])) == [0, 1, 2]
    assert who(answers[5]) == who(answers[-1])


def test_a_gap_in_time_and_a_reset_begin_anew():
    tracker = FaceTracker()
    for seconds in (0.0, 0.1, 5.0, 5.1):
        answer = tracker.update(faces((50, 50)), seconds)
    assert answer.track_ids.tolist() == [1]
    tracker.reset()
    for seconds in (0.0, 0.1):
        answer = tracker.update(faces((50, 50)), seconds)
    assert answer.track_ids.tolist() == [2]


def test_less_certain_faces_continue_a_track_and_begin_none():
    tracker = FaceTracker(TrackingSettings(uncertain_ratio=1.5), threshold=0.06)
    scores = (0.08, 0.08, 0.03, 0.03, 0.08, 0.095)
    answers = follow(tracker, [faces((50, 50), score=score) for score in scores])
    assert [answer.track_ids.tolist() for answer in answers] == [[], [], [], [0], [0], []]


def test_one_face_found_twice_is_one():
    frames = [faces((50, 50), (52, 51))] * 4
    assert all(len(answer) <= 1 for answer in follow(FaceTracker(), frames))
    # Nor is a part of a face another one.
    part = replace(
        frames[0], landmarks=frames[0].landmarks * np.float32([[[1]], [[0.3]]]) + np.float32([[[0]], [[40]]])
    )
    assert follow(FaceTracker(), [part] * 4)[-1].track_ids.tolist() == [0]


def test_noise_is_smoothed_and_motion_is_not():
    rng = np.random.default_rng(4)
    truth = np.array([(40 + 20 * np.sin(number / 8), 60) for number in range(200)])
    frames = []
    for centre in truth:
        face = faces(centre, sigma=5.0)
        frames.append(replace(face, landmarks=face.landmarks + rng.normal(0, 0.5, (1, 70, 2)).astype(np.float32)))
    tracker = FaceTracker(TrackingSettings(jitter_share=0.1, deformation=0.05))
    found = np.array([answer.faces.landmarks[0] for answer in follow(tracker, frames)[20:]])
    raw = np.array([frame.landmarks[0] for frame in frames[20:]])

    def jitter(points):
        return np.abs(np.diff(points - truth[20:, None], 2, axis=0)).mean()

    assert jitter(found) < 0.4 * jitter(raw)
    middle = found.mean(axis=1)[:, 0] - SHAPE.mean(axis=0)[0]
    assert np.abs(middle - truth[20:, 0]).max() < 0.6


def test_sigma_holds_what_filtering_cannot_see():
    tracker = FaceTracker(TrackingSettings(jitter_share=0.6, acceleration=0.1, deformation=0.02))
    answer = follow(tracker, [faces((50, 50), sigma=2.0)] * 40)[-1]
    # Four fifths of it stay, and a part of the rest.
    assert 1.6 < answer.faces.sigma.mean() < 2.0


def test_history_needs_a_tracker_that_keeps_one():
    with pytest.raises(ValueError, match="keeps_history"):
        FaceTracker().history()
    tracker = FaceTracker(keeps_history=True)
    follow(tracker, [faces((50, 50))] * 4 + [faces()] * 3)
    (track,) = tracker.history()
    assert [step.frame for step in track.steps] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("change", "message"),
    [({"confirmations": 0}, "confirmations: expected 1"), ({"jitter_share": 2.0}, "jitter_share: expected 1e-06 to 1")],
)
def test_settings_that_cannot_be_meant(change, message):
    with pytest.raises(ValueError, match=message):
        TrackingSettings(**change)


def test_times_and_points_that_cannot_be_meant():
    tracker = FaceTracker()
    tracker.update(faces((50, 50)), 1.0)
    with pytest.raises(ValueError, match=r"after 1.0 s, found 1.0 s"):
        tracker.update(faces((50, 50)), 1.0)
    other = LandmarkDetections(np.zeros((1, 478, 2)), np.ones((1, 478)), np.zeros(1))
    with pytest.raises(ValueError, match=r"found \[70, 478\]"):
        tracker.update(other, 2.0)


BOXES = arrays(np.float64, st.tuples(st.integers(0, 4), st.just(4)), elements=st.integers(0, 30))


@settings(max_examples=60, deadline=None)
@given(BOXES, BOXES, st.sampled_from([0.1, 0.3, 0.6]))
def test_no_assignment_has_more_overlap(tracks, found, threshold):
    tracks, found = (
        np.concatenate((boxes[:, :2], boxes[:, :2] + boxes[:, 2:] + 1), axis=1) for boxes in (tracks, found)
    )
    pairs = associate(tracks, found, threshold)
    assert len({track for track, _ in pairs}) == len({face for _, face in pairs}) == len(pairs)
    overlaps = np.array([[box_iou(track, face) for face in found] for track in tracks]).reshape(len(tracks), len(found))
    overlaps[overlaps < threshold] = 0
    assert all(overlaps[pair] > 0 for pair in pairs)
    padded = np.zeros((4, 4))
    padded[: len(tracks), : len(found)] = overlaps
    best = max(padded[range(4), order].sum() for order in permutations(range(4)))
    assert sum(overlaps[pair] for pair in pairs) == pytest.approx(best)


@settings(max_examples=30, deadline=None)
@given(arrays(np.float64, (5, 2), elements=st.floats(-100, 100)))
def test_what_is_filtered_is_all_of_a_face(points):
    parts = split(points)
    np.testing.assert_allclose(parts[:-1] + parts[-1], points, atol=1e-9)
    np.testing.assert_allclose(parts[:-1].mean(axis=0), 0, atol=1e-9)


def test_a_face_that_a_detector_found_begins_a_track_though_its_points_are_uncertain():
    unsure = faces((50, 50), score=0.08)
    detected = replace(unsure, confidence=np.array([0.9], np.float32))
    by_points, by_detector = (FaceTracker(TrackingSettings(uncertain_ratio=1.5), threshold=0.06) for _ in range(2))
    for frame, found in enumerate((detected, unsure, unsure)):
        assert not len(by_points.update(unsure, frame / 25))
        assert len(by_detector.update(found, frame / 25)) == (frame > 0)
