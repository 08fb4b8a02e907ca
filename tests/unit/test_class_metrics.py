"""Scores of classifiers in closed form, intervals over people, parts without shared people, movement of landmarks."""

import numpy as np
import pytest

from tfake.classification.class_metrics import accuracy, confusion_matrix, macro_f1, score_classes
from tfake.classification.face_clips import FaceClip, segment_frames
from tfake.classification.landmark_motion import fit_chosen, fit_ridge, motion_features
from tfake.classification.people_parts import PARTS, fractions_of, split_by_class

RNG = np.random.default_rng(0)


def test_scores_in_closed_form():
    truth, answer = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 2, 2])
    matrix = confusion_matrix(truth, answer, 3)
    np.testing.assert_array_equal(matrix, [[2, 1, 0], [0, 1, 1], [0, 0, 1]])
    assert accuracy(matrix) == pytest.approx(4 / 6)
    # F1: 2*2/(3+2), 2*1/(2+2), 2*1/(1+2)
    assert macro_f1(matrix) == pytest.approx((4 / 5 + 1 / 2 + 2 / 3) / 3)


def test_one_answer_for_all_has_the_f1_of_one_class():
    matrix = confusion_matrix(np.array([0, 1, 2, 3]), np.zeros(4, int), 4)
    assert accuracy(matrix) == 0.25
    assert macro_f1(matrix) == pytest.approx((2 / 5) / 4)


def test_a_class_that_is_not_there_is_no_class():
    matrix = confusion_matrix(np.array([0, 1]), np.array([0, 1]), 5)
    assert macro_f1(matrix) == 1.0


@pytest.mark.parametrize(
    ("truth", "answer", "message"),
    [([0, 3], [0, 0], "truth 0 to 3"), ([0, 1], [0, -1], "-1 to 0"), ([0], [0, 1], "as many answers")],
)
def test_what_is_no_class_is_refused(truth, answer, message):
    with pytest.raises(ValueError, match=message):
        confusion_matrix(np.array(truth), np.array(answer), 3)


def test_an_interval_is_over_people_not_clips():
    # One of two people is always right, the other never: drawn twice each, a quarter of the draws has 0, another 1.
    subjects = ["a"] * 50 + ["b"] * 50
    truth, answer = np.tile([0, 1], 50), np.tile([0, 1], 50)
    answer[50:] = 1 - truth[50:]
    scores = score_classes(truth, answer, subjects, 2, draws=400)
    assert (scores.clips, scores.subjects, scores.accuracy) == (100, 2, 0.5)
    assert scores.accuracy_interval == (0.0, 1.0)
    assert scores.macro_f1_interval == (0.0, 1.0)


def test_people_alike_leave_no_doubt_and_one_person_no_interval():
    truth, answer = np.tile([0, 1, 1, 0], 6), np.tile([0, 1, 0, 0], 6)
    alike = score_classes(truth, answer, np.repeat(list("abcdef"), 4).tolist(), 2, draws=200)
    assert alike.accuracy_interval == (0.75, 0.75)
    assert np.isnan(score_classes(truth, answer, ["a"] * 24, 2, draws=200).accuracy_interval).all()
    with pytest.raises(ValueError, match="as many subjects; found 24 and 2"):
        score_classes(truth, answer, ["a", "b"], 2, draws=200)


def test_the_interval_of_many_people_is_the_binomial_one():
    right = RNG.random(400) < 0.7
    scores = score_classes(np.zeros(400, int), (~right).astype(int), [str(n) for n in range(400)], 2, draws=4000)
    half = 1.96 * np.sqrt(right.mean() * (1 - right.mean()) / 400)
    np.testing.assert_allclose(scores.accuracy_interval, [right.mean() - half, right.mean() + half], atol=0.006)


def clip(subject, label, number=0):
    return FaceClip(f"{subject}_{number}", subject, label, 1, None, lambda: np.zeros((1, 8, 8), np.float32))


@pytest.mark.parametrize("seed", range(5))
def test_nobody_is_in_two_parts_and_each_has_both_classes(seed):
    clips = [clip(f"{'mf'[label]}{person}", label, n) for label in (0, 1) for person in range(9) for n in range(3)]
    parts = split_by_class(clips, fractions_of(0.25, 0.25), seed)
    people = {name: {own.subject for own in parts[name]} for name in PARTS}
    assert sum(map(len, people.values())) == 18
    assert set.union(*people.values()) == {own.subject for own in clips}
    assert [len(people[name]) for name in PARTS] == [10, 4, 4]
    assert all({own.label for own in parts[name]} == {0, 1} for name in PARTS)
    assert split_by_class(clips, fractions_of(0.25, 0.25), seed) == parts
    others = split_by_class(clips, fractions_of(0.25, 0.25), seed + 100)
    assert {own.subject for own in others["test"]} != people["test"]


def test_three_people_of_a_class_are_one_in_each_part():
    parts = split_by_class(
        [clip(f"{label}{n}", label) for label in (0, 1) for n in range(3)], fractions_of(0.4, 0.4), 0
    )
    assert [len(parts[name]) for name in PARTS] == [2, 2, 2]


def test_people_who_cannot_be_divided_are_named():
    with pytest.raises(ValueError, match=r"three people or more of each class; found 2 of class 1 \(c, d\)"):
        split_by_class(
            [clip("x", 0), clip("y", 0), clip("z", 0), clip("c", 1), clip("d", 1)], fractions_of(0.2, 0.2), 0
        )
    with pytest.raises(ValueError, match="a has two classes: 0 and 1"):
        split_by_class([clip("a", 0), clip("a", 1)], fractions_of(0.2, 0.2), 0)
    with pytest.raises(ValueError, match="people left to learn from"):
        fractions_of(0.5, 0.5)


def test_frames_are_those_of_equal_parts():
    assert segment_frames(64, 4, None).tolist() == [8, 24, 40, 56]
    assert segment_frames(2, 4, None).tolist() == [0, 0, 1, 1]
    drawn = np.stack([segment_frames(64, 4, np.random.default_rng(n)) for n in range(50)])
    assert ((drawn // 16) == np.arange(4)).all()
    assert len(np.unique(drawn)) > 40


def points(frames=6):
    still = RNG.uniform(0, 100, (70, 2))
    still[36], still[45] = (20, 40), (80, 40)
    return np.repeat(still[None], frames, axis=0)


def test_movement_does_not_know_place_scale_and_turn():
    moving = points()
    moving[3:, 48:60] += (4.0, 3.0)
    turn = 1.7 * np.array([[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]])
    found = motion_features(moving)
    np.testing.assert_allclose(motion_features(moving @ turn.T + (30, -8)), found, atol=1e-12)
    # Three of six frames moved by 4 and 3 pixels, where the eyes are 60 apart.
    assert found[48] == pytest.approx(2 / 60)
    assert found[70 + 48] == pytest.approx(1.5 / 60)
    assert found[140 + 48] == pytest.approx(2 / 60)
    assert not motion_features(points()).any()


def test_ridge_is_its_normal_equations_and_the_penalty_is_chosen_by_others():
    x, labels = RNG.normal(size=(9, 20)), np.arange(9) % 3
    fitted = fit_ridge(x, labels, 3, 0.3)
    z, y = (x - x.mean(axis=0)) / x.std(axis=0), np.eye(3)[labels] - 1 / 3
    np.testing.assert_allclose(fitted.weights, np.linalg.solve(z.T @ z + 0.3 * 20 * np.eye(20), z.T @ y), atol=1e-9)
    np.testing.assert_array_equal(fit_ridge(x, labels, 3, 1e-6).predict(x), labels)


def test_validation_people_choose_the_penalty_and_of_equals_the_largest():
    labels = np.arange(30) % 3
    centres = np.eye(3, 12)
    train, held = (centres[labels] + RNG.normal(size=(30, 12)) for _ in range(2))
    of_each = {10.0**n: fit_ridge(train, labels, 3, 10.0**n) for n in range(-3, 4)}
    right = {penalty: (fitted.predict(held) == labels).sum() for penalty, fitted in of_each.items()}
    assert len(set(right.values())) > 1
    best = max(penalty for penalty, count in right.items() if count == max(right.values()))
    np.testing.assert_array_equal(fit_chosen(train, labels, held, labels, 3).weights, of_each[best].weights)
