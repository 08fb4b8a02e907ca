"""Splits by subject: nobody on both sides, nothing left out, and as close to the share as subjects allow."""

from itertools import combinations

import numpy as np
import pytest

from tfake.core.subject_splits import split_by_subject


def people(*sizes, unknown=0):
    return [f"p{n}" for n, size in enumerate(sizes) for _ in range(size)] + [""] * unknown


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("share", [0.05, 0.2, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("subjects", [people(5, 3, 8, 1, 1), people(unknown=9), people(4, 4, unknown=3), people(2, 9)])
def test_a_split_parts_people(subjects, share, seed):
    shuffled = list(np.random.default_rng(seed).permutation(subjects))
    train, held = split_by_subject(shuffled, share, seed)
    assert sorted(train + held) == list(range(len(subjects)))
    assert train
    assert held
    assert train == sorted(train)
    assert held == sorted(held)
    assert not {shuffled[i] for i in train} & {shuffled[i] for i in held} - {""}
    assert (train, held) == split_by_subject(shuffled, share, seed)


@pytest.mark.parametrize("share", [0.1, 0.2, 0.33, 0.5, 0.75, 1.0])
@pytest.mark.parametrize("sizes", [(5, 3, 8, 1), (10, 3, 3, 3), (7, 7), (1, 1, 20), (6, 4, 4, 2, 1, 1)])
def test_no_other_choice_of_people_is_closer(sizes, share):
    total = sum(sizes)
    every = [sum(c) for n in range(1, len(sizes)) for c in combinations(sizes, n)]
    _, held = split_by_subject(people(*sizes), share, 0)
    assert abs(len(held) - share * total) == min(abs(n - share * total) for n in every)


def test_seeds_choose_different_people():
    subjects = people(*[3] * 20)
    assert len({tuple(split_by_subject(subjects, 0.2, seed)[1]) for seed in range(10)}) > 5


def test_known_and_unknown_give_their_own_part():
    subjects = people(*[10] * 10, unknown=100)
    _, held = split_by_subject(subjects, 0.2, 0)
    assert sum(subjects[i] != "" for i in held) == 20
    assert sum(subjects[i] == "" for i in held) == 20


def test_large_sets_take_no_time():
    train, held = split_by_subject([""] * 100_000, 0.2, 0)
    assert (len(train), len(held)) == (80_000, 20_000)


@pytest.mark.parametrize("subjects", [[], ["a"], ["a", "a"], [""]])
def test_one_subject_is_trained_on(subjects):
    assert split_by_subject(subjects, 0.5, 0) == (list(range(len(subjects))), [])


def test_no_share_holds_nothing_out():
    assert split_by_subject(people(3, 4), 0, 0) == (list(range(7)), [])


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_is_a_share(share):
    with pytest.raises(ValueError, match="within 0 to 1"):
        split_by_subject(people(3, 4), share, 0)
