"""Who is learnt from, who chooses the weights, and who is tested: nobody is in two parts.

Expressions are everybody's, so that the split of the store itself is taken. Of an attribute that a person has for good,
each class is divided by itself: a part without one of two classes would be worth nothing.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from tfake.classification.face_clips import FaceClip
from tfake.reader.sequences import SequenceDataset

#: The parts, in the order in which clips are given.
PARTS = ("train", "validation", "test")


def fractions_of(validation_share: float, test_share: float) -> dict[str, float]:
    """The fraction of each part, by its name.

    Raises:
        ValueError: nobody would be left to learn from.
    """
    left = 1 - validation_share - test_share
    if left <= 0 or validation_share <= 0 or test_share <= 0:
        raise ValueError(
            "expected validation_share and test_share above 0, and people left to learn from; "
            f"found {validation_share} and {test_share}"
        )
    return {"train": left, "validation": validation_share, "test": test_share}


def split_sequences(
    sequences: SequenceDataset, fractions: Mapping[str, float], seed: int
) -> dict[str, SequenceDataset]:
    """The sequences of each part, by the split of the store.

    Raises:
        ValueError: nobody is in one of the parts.
    """
    parts = {name: sequences.split(name, fractions, seed) for name in PARTS}
    people = {name: len(set(part.subject_ids)) for name, part in parts.items()}
    _require_people(people, "more sequences.subjects or another face_classification.split_seed")
    return parts


def split_by_class(clips: Sequence[FaceClip], fractions: Mapping[str, float], seed: int) -> dict[str, list[FaceClip]]:
    """The clips of each part, the people of each class divided by themselves.

    Args:
        clips: each person's all of one class.
        fractions: of :func:`fractions_of`.
        seed: of the order in which people are divided.

    Returns:
        Part to clips, in their order. A class of three people or more is in each part.

    Raises:
        ValueError: a person has two classes, or a class has less than three people.
    """
    classes: dict[str, int] = {}
    for clip in clips:
        if classes.setdefault(clip.subject, clip.label) != clip.label:
            raise ValueError(f"{clip.name}: {clip.subject} has two classes: {classes[clip.subject]} and {clip.label}")
    part_of: dict[str, str] = {}
    for label in sorted(set(classes.values())):
        own = sorted(subject for subject, found in classes.items() if found == label)
        if len(own) < len(PARTS):
            raise ValueError(
                f"expected three people or more of each class; found {len(own)} of class {label} ({', '.join(own)}): "
                "name a larger set, or render more sequences.subjects"
            )
        order = np.random.default_rng([seed, label]).permutation(len(own))
        counts = {name: max(1, round(fractions[name] * len(own))) for name in ("test", "validation")}
        while sum(counts.values()) > len(own) - 1:
            counts[max(counts, key=lambda name: counts[name])] -= 1
        for place, index in enumerate(order.tolist()):
            in_test, in_either = place < counts["test"], place < sum(counts.values())
            part_of[own[index]] = "test" if in_test else "validation" if in_either else "train"
    return {name: [clip for clip in clips if part_of[clip.subject] == name] for name in PARTS}


def _require_people(people: Mapping[str, int], remedy: str) -> None:
    if not all(people.values()):
        found = ", ".join(f"{name} {count}" for name, count in people.items())
        raise ValueError(f"expected people in each part; found {found}: {remedy} may help")
