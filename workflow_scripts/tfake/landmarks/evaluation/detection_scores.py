"""How well faces are found: boxes matched to annotated boxes, precision, recall and average precision."""

from collections.abc import Sequence

import numpy as np

from tfake.landmarks.boxes import Box, overlap


def match_boxes(found: Sequence[Box], sigma: Sequence[float], annotated: Sequence[Box], least: float) -> list[int]:
    """Give each found box to an annotated one, the surest first.

    Args:
        found: boxes of one image.
        sigma: how unsure each is.
        annotated: the image's boxes.
        least: intersection over union from which a box is found.

    Returns:
        For each found box the index of its annotated one, -1 for a false alarm; each is given away once.
    """
    result = [-1] * len(found)
    free = set(range(len(annotated)))
    for index in np.argsort(sigma, kind="stable"):
        best = max(free, key=lambda place: overlap(found[index], annotated[place]), default=None)
        if best is not None and overlap(found[index], annotated[best]) >= least:
            result[index] = best
            free.remove(best)
    return result


def detection_summary(sigma: np.ndarray, right: np.ndarray, annotated: int) -> dict[str, float]:
    """Precision, recall and average precision over a set.

    Args:
        sigma: (D,) how unsure each found box is; lower is surer.
        right: (D,) bool, whether it is an annotated face's.
        annotated: how many faces there are.

    Returns:
        ``precision`` and ``recall`` of all boxes, and ``average_precision``: the area under precision over recall,
        precision made monotonous (Everingham et al., PASCAL VOC 2010). NaN without boxes or faces.
    """
    nothing = float("nan")
    if not annotated:
        return {"precision": nothing, "recall": nothing, "average_precision": nothing}
    hits = np.cumsum(right[np.argsort(sigma, kind="stable")])
    recall = hits / annotated
    precision = hits / np.arange(1, len(hits) + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    steps = np.diff(recall, prepend=0.0)
    return {
        "precision": float(precision[-1]) if len(hits) else nothing,
        "recall": float(recall[-1]) if len(hits) else 0.0,
        "average_precision": float((best * steps).sum()),
    }
