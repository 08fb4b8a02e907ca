"""Holding images out without holding a person in: no subject is on both sides of a split."""

import math
from collections.abc import Sequence

import numpy as np


def split_by_subject(subjects: Sequence[str], fraction: float, seed: int) -> tuple[list[int], list[int]]:
    """Choose which subjects are held out, so that their images come as close to a fraction as whole subjects
    can.

    Args:
        subjects: who is on each image; "" (not known) counts as a subject of its own.
        fraction: of the images, to hold out, 0 to 1.
        seed: which of the subjects.

    Returns:
        Indices to train on and held-out indices, each in order. With two subjects or more, neither is empty unless
        ``fraction`` is 0, which holds nothing out; one subject alone is trained on.

    Raises:
        ValueError: ``fraction`` is not within 0 to 1.
    """
    if not 0 <= fraction <= 1:
        raise ValueError(f"the fraction of images to hold out must be within 0 to 1; found {fraction!r}")
    groups: dict[str | int, list[int]] = {}
    for index, subject in enumerate(subjects):
        groups.setdefault(subject or index, []).append(index)
    if fraction == 0 or len(groups) < 2:
        return list(range(len(subjects))), []
    drawn = list(groups.values())
    order = np.random.default_rng(seed).permutation(len(drawn))
    singles = [drawn[place] for place in order if len(drawn[place]) == 1]
    larger = [drawn[place] for place in order if len(drawn[place]) > 1]
    # Bit n of reachable[k]: some of the first k larger groups hold n images together.
    reachable = [1]
    for group in larger:
        reachable.append(reachable[-1] | reachable[-1] << len(group))
    of_larger, of_singles = _closest(reachable[-1], len(singles), sum(map(len, larger)), fraction)
    held = [index for group in singles[:of_singles] for index in group]
    for before, group in zip(reachable[-2::-1], reversed(larger), strict=True):
        if not before >> of_larger & 1:
            held += group
            of_larger -= len(group)
    held_out = set(held)
    return [index for index in range(len(subjects)) if index not in held_out], sorted(held_out)


def _closest(sums: int, singles: int, of_larger: int, fraction: float) -> tuple[int, int]:
    """How many images of the larger groups and how many single ones come closest to it, neither side empty."""
    total = of_larger + singles
    best = (math.inf, math.inf), 0, 0
    for held in (n for n in range(of_larger + 1) if sums >> n & 1):
        least, most = max(0, 1 - held), min(singles, total - 1 - held)
        if least <= most:
            fill = min(max(round(fraction * total) - held, least), most)
            # Where both kinds could fill the fraction, each gives its own part of it.
            distance = abs(held + fill - fraction * total), abs(held - fraction * of_larger)
            best = min(best, (distance, held, fill))
    return best[1], best[2]
