"""Landmark errors and detection scores: per face with a named normaliser, and what many of them come to for a test set.

NME, AUC and failure rate; coverage by confidence; precision, recall and average precision of boxes; and the columns of
the paper's table on Charlotte-ThermalFace, with what was published in them.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tfake.imaging.crops import Box, box_iou
from tfake.labels.conventions import convention

#: What an error is divided by: sqrt(w h) of the annotated box, the outer eye corners, or sqrt(W H) of the image.
NORMALISERS = ("box", "inter_ocular", "image")
#: What is known of a face after a method has seen it, and of a box that a method gave.
FACE_COLUMNS = ("method", "face", "subject", "view", "size", "found", "sigma", *(f"nme_{name}" for name in NORMALISERS))
DETECTION_COLUMNS = ("method", "image", "sigma", "right")
#: Fractions of the faces, the most confident first, at which the error is told.
COVERAGES = (0.25, 0.5, 0.75, 0.9)
#: Columns of the paper's table.
COLUMNS = ("High", "Low", "Side", "Front", "Full")
_PUBLISHED = Path(__file__).with_name("published.csv")
_SAMPLES = 1000


def normaliser(
    name: str,
    points: np.ndarray,
    landmark_set: str,
    box: tuple[float, float, float, float],
    image_shape: tuple[int, int],
) -> float:
    """The length that a face's errors are divided by.

    Args:
        name: one of ``NORMALISERS``; never guessed from the number of points.
        points: (n, 2) annotated pixels.
        landmark_set: their landmark set.
        box: left, top, right, bottom of the face, pixels.
        image_shape: height and width of the image.

    Returns:
        Pixels; NaN where the set does not have two eyes or one of their corners is not annotated.

    Raises:
        ValueError: there is no such normaliser.
    """
    if name == "box":
        return float(np.sqrt((box[2] - box[0]) * (box[3] - box[1])))
    if name == "image":
        return float(np.sqrt(image_shape[0] * image_shape[1]))
    if name == "inter_ocular":
        eyes = convention(landmark_set).outer_eyes
        return float("nan") if eyes is None else float(np.linalg.norm(points[eyes[0]] - points[eyes[1]]))
    raise ValueError(f"normalisers are {', '.join(NORMALISERS)}; found {name!r}")


def point_errors(found: np.ndarray, annotated: np.ndarray, length: float) -> np.ndarray:
    """Distances from found to annotated points (n, 2) over a length: (n,); NaN where nothing is annotated."""
    return np.linalg.norm(found - annotated, axis=1) / length


def error_summary(errors: np.ndarray, failure_above: float) -> dict[str, float]:
    """What many faces' errors come to.

    Args:
        errors: (N,) mean error a face, normalised; infinite for a face that was not found, NaN for one without a
            normaliser.
        failure_above: error above which a face counts as failed, and up to which the curve's area is taken.

    Returns:
        ``faces`` with an error or missed; ``found``; ``nme`` and ``median`` over the found ones (NaN with none);
        ``auc``, the area under the fraction of **all** faces below an error, from 0 to ``failure_above``, over that
        width; ``failure_rate`` over all.
    """
    counted = errors[~np.isnan(errors)]
    found = counted[np.isfinite(counted)]
    nothing = float("nan")
    return {
        "faces": len(counted),
        "found": len(found),
        "nme": float(found.mean()) if len(found) else nothing,
        "median": float(np.median(found)) if len(found) else nothing,
        "auc": float(np.clip(1 - counted / failure_above, 0, 1).mean()) if len(counted) else nothing,
        "failure_rate": float((counted > failure_above).mean()) if len(counted) else nothing,
    }


def cumulative_curve(errors: np.ndarray, up_to: float) -> tuple[np.ndarray, np.ndarray]:
    """The fraction of faces below each error of ``error_summary``, up to the largest of interest.

    Returns:
        (1001,) errors and (1001,) fractions of all faces, 0..1.
    """
    counted = np.sort(errors[~np.isnan(errors)])
    places = np.linspace(0, up_to, _SAMPLES + 1)
    return places, np.searchsorted(counted, places, side="right") / max(len(counted), 1)


def coverage_curve(errors: np.ndarray, sigma: np.ndarray) -> dict[str, np.ndarray]:
    """The error of the faces that a threshold of sigma keeps.

    Args:
        errors: (N,) as in ``error_summary``.
        sigma: (N,) what the threshold is on; NaN for a face that was not found.

    Returns:
        ``threshold``, ``coverage`` (fraction of all counted faces) and ``nme`` of those kept, one entry a found face,
        by descending confidence.
    """
    counted = ~np.isnan(errors)
    kept = counted & np.isfinite(errors) & np.isfinite(sigma)
    order = np.argsort(sigma[kept], kind="stable")
    below = np.arange(1, len(order) + 1)
    return {
        "threshold": sigma[kept][order],
        "coverage": below / max(int(counted.sum()), 1),
        "nme": np.cumsum(errors[kept][order]) / below,
    }


def match_boxes(
    found: Sequence[Box], sigma: Sequence[float], annotated: Sequence[Box], iou_threshold: float
) -> list[int]:
    """Match each found box to an annotated one, by descending confidence.

    Args:
        found: boxes of one image.
        sigma: the uncertainty of each.
        annotated: the image's boxes.
        iou_threshold: intersection over union from which a box is found.

    Returns:
        For each found box the index of its annotated one, -1 for a false positive; each is matched once.
    """
    result = [-1] * len(found)
    free = set(range(len(annotated)))
    for index in np.argsort(sigma, kind="stable"):
        best = max(free, key=lambda place: box_iou(found[index], annotated[place]), default=None)
        if best is not None and box_iou(found[index], annotated[best]) >= iou_threshold:
            result[index] = best
            free.remove(best)
    return result


def detection_summary(sigma: np.ndarray, right: np.ndarray, annotated: int) -> dict[str, float]:
    """Precision, recall and average precision over a set.

    Args:
        sigma: (D,) uncertainty of each found box; lower is more confident.
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


def published() -> pd.DataFrame:
    """The published errors: columns ``method``, ``column``, ``nme``."""
    return pd.read_csv(_PUBLISHED, comment="#")


def column_masks(faces: pd.DataFrame, high_above_pixels: float | None) -> dict[str, np.ndarray]:
    """Which faces count in which column.

    Args:
        faces: a row a face, with ``size`` (sqrt(w h) of its box, pixels) and ``view`` (front or side).
        high_above_pixels: size above which a face is High; None takes the median, since the paper does not tell its
            threshold, and its High and Low average to its Full as two halves would.

    Returns:
        (N,) bool for each of ``COLUMNS``.
    """
    size = faces["size"].to_numpy(float)
    threshold = np.median(size) if high_above_pixels is None and len(size) else high_above_pixels
    high = size > threshold if len(size) else np.zeros(0, dtype=bool)
    side = (faces["view"] == "side").to_numpy()
    return {"High": high, "Low": ~high, "Side": side, "Front": ~side, "Full": np.ones(len(faces), dtype=bool)}


def summarise(
    rows: pd.DataFrame, detections: pd.DataFrame, failure_above: float, high_above_pixels: float | None
) -> dict[str, dict]:
    """Every figure of a test set.

    Args:
        rows: ``FACE_COLUMNS``.
        detections: ``DETECTION_COLUMNS``.
        failure_above: box-normalised error above which a face counts as failed.
        high_above_pixels: as in :func:`column_masks`.

    Returns:
        By method: ``errors`` by normaliser (:func:`error_summary`), ``columns`` (NME over the box, High to Full; empty
        where the set tells no views), ``coverage`` (NME of the most confident fractions) and ``detection``; empty
        of those without a sigma, or that do not search.
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
                f"{fraction:g}": float(curve["nme"][np.searchsorted(curve["coverage"], fraction)])
                for fraction in COVERAGES
                if curve["coverage"][-1] >= fraction
            }
        boxes = detections[detections["method"] == method]
        if len(boxes) or not own["found"].all():
            entry["detection"] = detection_summary(
                boxes["sigma"].to_numpy(float), boxes["right"].to_numpy(bool), len(own)
            )
        result[method] = entry
    return result


def finite(value: Any) -> Any:
    """The same value with None for numbers that JSON does not have, however deep in its dictionaries and lists."""
    if isinstance(value, dict):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [finite(inner) for inner in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
