"""A test set's results in figures: by method, by group of faces, and for detection."""

import numpy as np
import pandas as pd

from tfake.landmarks.evaluation.columns import column_masks
from tfake.landmarks.evaluation.detection_scores import detection_summary
from tfake.landmarks.evaluation.errors import NORMALISERS, coverage_curve, error_summary

#: What is known of a face after a method has seen it, and of a box that a method gave.
FACE_COLUMNS = ("method", "face", "subject", "view", "size", "found", "sigma", *(f"nme_{name}" for name in NORMALISERS))
DETECTION_COLUMNS = ("method", "image", "sigma", "right")
#: Shares of the faces, the surest first, at which the error is told.
COVERAGES = (0.25, 0.5, 0.75, 0.9)


def summarise(
    rows: pd.DataFrame, detections: pd.DataFrame, failure_above: float, high_above_pixels: float | None
) -> dict[str, dict]:
    """Every figure of a test set.

    Args:
        rows: ``FACE_COLUMNS``.
        detections: ``DETECTION_COLUMNS``.
        failure_above: box-normalised error above which a face counts as failed.
        high_above_pixels: as in :func:`tfake.landmarks.evaluation.columns.column_masks`.

    Returns:
        By method: ``errors`` by normaliser (:func:`error_summary`), ``columns`` (NME over the box, High to Full; empty
        where the set tells no views), ``coverage`` (NME of the surest shares) and ``detection``; empty of those that
        say not how sure they are, or do not search.
    """
    result: dict[str, dict] = {}
    for method in dict.fromkeys(rows["method"]):
        own = rows[rows["method"] == method]
        box = own["nme_box"].to_numpy(float)
        entry: dict[str, dict] = {
            "errors": {name: error_summary(own[f"nme_{name}"].to_numpy(float), failure_above) for name in NORMALISERS},
            "columns": {},
            "coverage": {},
            "detection": {},
        }
        if (own["view"] != "").any():
            entry["columns"] = {
                column: error_summary(box[mask], failure_above)["nme"]
                for column, mask in column_masks(own, high_above_pixels).items()
            }
        curve = coverage_curve(box, own["sigma"].to_numpy(float))
        if len(curve["coverage"]):
            entry["coverage"] = {
                f"{share:g}": float(curve["nme"][np.searchsorted(curve["coverage"], share)])
                for share in COVERAGES
                if curve["coverage"][-1] >= share
            }
        boxes = detections[detections["method"] == method]
        if len(boxes) or not own["found"].all():
            entry["detection"] = detection_summary(
                boxes["sigma"].to_numpy(float), boxes["right"].to_numpy(bool), len(own)
            )
        result[method] = entry
    return result


def finite(value):
    """The same value with None for numbers that JSON does not have, however deep they lie in it."""
    if isinstance(value, dict):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
