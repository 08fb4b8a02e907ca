"""Which faces are labelled where only some are: drawn person by person, so that a smaller set is in a larger one."""

from collections.abc import Sequence

import numpy as np

from tfake.training.rng import RngStream


def choose_labelled(
    subjects: Sequence[str], draw: int, fraction: float | None = None, count: int | None = None
) -> list[int]:
    """Draw the labelled images.

    The people are put in an order that follows from the draw alone; the images of the first are taken, then those of
    the second, until there are enough. So two sets of one draw are nested, and the people beyond are in neither.

    Args:
        subjects: who is on each image.
        draw: number of the draw.
        fraction: of the images, above 0 to 1; at least one image is taken.
        count: of images, in place of a fraction.

    Returns:
        Numbers of the images, in order.

    Raises:
        ValueError: neither or both are given, or there are fewer images.
    """
    if (fraction is None) == (count is None):
        raise ValueError(f"expected a fraction or a count of labelled images; found {fraction!r} and {count!r}")
    if fraction is not None and not 0 < fraction <= 1:
        raise ValueError(f"the fraction of labelled images must be above 0, at most 1; found {fraction!r}")
    wanted = count if count is not None else max(1, round(fraction * len(subjects)))
    if not 1 <= wanted <= len(subjects):
        raise ValueError(f"expected 1 to {len(subjects)} labelled images, which are there; found {wanted}")
    people = sorted(set(subjects))
    place = dict(zip(people, np.random.default_rng([draw, RngStream.LABELS]).permutation(len(people)), strict=True))
    ordered = sorted(range(len(subjects)), key=lambda index: (place[subjects[index]], index))
    return sorted(ordered[:wanted])
