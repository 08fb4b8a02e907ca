"""Measures of tracks: what perfect, swapped, missed and invented answers come to by hand."""

import numpy as np
import pytest

from tfake.studies.track_measures import FrameBoxes, TrackCounts, assigned, count_tracks


def box(x):
    return (x, 0.0, x + 10.0, 10.0)


def film(truth, answers, hidden=()):
    """Frames of people and tracks at places: dictionaries of a number to x; ``hidden`` are (frame, person)."""
    return [
        FrameBoxes(
            np.array(list(people), int),
            np.array([box(x) for x in people.values()]).reshape(-1, 4),
            np.array([(number, person) not in hidden for person in people], bool),
            np.array(list(tracks), int),
            np.array([box(x) for x in tracks.values()]).reshape(-1, 4),
        )
        for number, (people, tracks) in enumerate(zip(truth, answers, strict=True))
    ]


TWO = [{0: 0, 1: 100}] * 10


def test_perfect_answers():
    counts = count_tracks(film(TWO, [{7: 0, 3: 100}] * 10))
    assert counts == TrackCounts(truths=20, answers=20, matches=20, switches=0, identity_matches=20)
    assert (counts.mota, counts.idf1) == (1.0, 1.0)


def test_swapped_identities_are_two_switches_and_half_the_identity():
    answers = [{7: 0, 3: 100}] * 5 + [{3: 0, 7: 100}] * 5
    counts = count_tracks(film(TWO, answers))
    assert (counts.matches, counts.switches, counts.identity_matches) == (20, 2, 10)
    assert counts.mota == pytest.approx(1 - 2 / 20)
    assert counts.idf1 == pytest.approx(2 * 10 / 40)


def test_missed_frames_are_misses_and_no_switch_where_the_number_stays():
    answers = [{7: 0, 3: 100}] * 4 + [{3: 100}] * 3 + [{7: 0, 3: 100}] * 3
    counts = count_tracks(film(TWO, answers))
    assert (counts.misses, counts.false_answers, counts.switches) == (3, 0, 0)
    assert counts.mota == pytest.approx(1 - 3 / 20)
    assert counts.idf1 == pytest.approx(2 * 17 / 37)


def test_a_new_number_after_a_gap_is_a_switch():
    answers = [{7: 0, 3: 100}] * 4 + [{3: 100}] * 3 + [{8: 0, 3: 100}] * 3
    counts = count_tracks(film(TWO, answers))
    assert (counts.misses, counts.switches) == (3, 1)
    # The longer of both tracks is the person's.
    assert counts.identity_matches == 10 + 4


def test_answers_where_nobody_is():
    counts = count_tracks(film(TWO, [{7: 0, 3: 100, 9: 300}] * 10))
    assert (counts.false_answers, counts.misses) == (10, 0)
    assert counts.mota == pytest.approx(0.5)
    assert counts.idf1 == pytest.approx(2 * 20 / 50)
    assert count_tracks(film([{}], [{1: 0}])).false_answers == 1


def test_who_is_hidden_need_not_be_found_and_may_be():
    hidden = {(number, 0) for number in range(3, 6)}
    found = count_tracks(film(TWO, [{7: 0, 3: 100}] * 10, hidden))
    lost = count_tracks(film(TWO, [{3: 100} if 3 <= number < 6 else {7: 0, 3: 100} for number in range(10)], hidden))
    assert found == lost == TrackCounts(truths=17, answers=17, matches=17, switches=0, identity_matches=17)


def test_a_track_is_kept_while_it_overlaps_enough_though_another_fits_better():
    # The second answer lies nearer from the second frame on.
    answers = [{1: 1}, {1: 3, 2: 0}, {1: 3, 2: 0}]
    counts = count_tracks(film([{0: 0}] * 3, answers))
    assert (counts.switches, counts.false_answers) == (0, 2)
    # 10 pixels of 10 that are 4 apart overlap by 6/14, less than one half: there it is another's.
    counts = count_tracks(film([{0: 0}] * 3, [{1: 1}, {1: 4, 2: 0}, {1: 4, 2: 0}]))
    assert counts.switches == 1


def test_pairs_are_as_many_as_can_be():
    """The best single pair, both at 0, would leave the other two alone."""
    truth = np.array([box(0), box(3)])
    answers = np.array([box(0), box(-3)])
    assert sorted(assigned(truth, answers, 0.5)) == [(0, 1), (1, 0)]
    assert assigned(truth, answers[:0], 0.5) == []


def test_counts_of_films_add_up():
    one, other = TrackCounts(10, 9, 8, 1, 7), TrackCounts(1, 2, 1, 0, 1)
    assert one + other == TrackCounts(11, 11, 9, 1, 8)
    assert np.isnan(TrackCounts().mota)
    assert np.isnan(TrackCounts().idf1)
