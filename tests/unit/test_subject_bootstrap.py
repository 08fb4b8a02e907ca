"""Intervals by subject: their width is that of people, not of films; and who cannot have one."""

import numpy as np
import pytest

from tfake.core.subject_bootstrap import subject_interval


def test_films_of_one_person_tell_no_more_than_one():
    """Of 8 people's values with 50 films each the interval is that of 8 values: mean ± 1.96 deviations / sqrt(8)."""
    people = np.linspace(-1, 1, 8)
    subjects = [f"s{place}" for place in range(8) for _ in range(50)]
    values = np.repeat(people, 50)
    low, high = subject_interval(subjects, lambda places: float(values[places].mean()), 4000, 0)
    wide = 1.96 * people.std() / np.sqrt(8)
    assert (low, high) == pytest.approx((-wide, wide), rel=0.1)


def test_a_seed_draws_the_same_and_one_person_has_no_interval():
    values = np.arange(6.0)
    subjects = ["a", "b", "b", "c", "d", "d"]

    def mean(places):
        return float(values[places].mean())

    assert subject_interval(subjects, mean, 50, 3) == subject_interval(subjects, mean, 50, 3)
    assert subject_interval(subjects, mean, 50, 3) != subject_interval(subjects, mean, 50, 4)
    assert np.isnan(subject_interval(["a"] * 6, mean, 50, 0)).all()
    assert np.isnan(subject_interval([], mean, 50, 0)).all()
    with pytest.raises(ValueError, match="draws: expected 1 or more, found 0"):
        subject_interval(subjects, mean, 0, 0)


def test_draws_without_a_measure_are_left_out():
    def measure(places):
        return float("nan") if 0 in places else 1.0

    assert subject_interval(["a", "b", "c"], measure, 200, 0) == (1.0, 1.0)
    assert np.isnan(subject_interval(["a", "b"], lambda places: float("nan"), 10, 0)).all()
