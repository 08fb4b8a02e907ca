"""Landmark errors with a named normaliser, and what is made of them: NME, AUC and failure rate."""

import numpy as np

from tfake.landmarks.conventions import convention

#: What an error is divided by: sqrt(w h) of the annotated box, the outer corners of the eyes, or sqrt(W H) of
#: the image.
NORMALISERS = ("box", "inter_ocular", "image")
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
    """Distances from found to annotated points over a length.

    Args:
        found: (n, 2) pixels.
        annotated: (n, 2) pixels; NaN where a point is not annotated.
        length: the normaliser, pixels.

    Returns:
        (n,) float64; NaN where nothing is annotated.
    """
    return np.linalg.norm(found - annotated, axis=1) / length


def error_summary(errors: np.ndarray, failure_above: float) -> dict[str, float]:
    """What many faces' errors come to.

    Args:
        errors: (N,) mean error a face, normalised; infinite for a face that was not found, NaN for one without a
            normaliser.
        failure_above: error above which a face counts as failed, and up to which the curve's area is taken.

    Returns:
        ``faces`` with an error or missed; ``found``; ``nme`` and ``median`` over the found ones (NaN with none);
        ``auc``, the area under the share of **all** faces below an error, from 0 to ``failure_above``, over that width;
        ``failure_rate`` over all.
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
    """The share of faces below each error.

    Args:
        errors: (N,) as in ``error_summary``.
        up_to: the largest error of interest.

    Returns:
        (1001,) errors and (1001,) shares of all faces, 0..1.
    """
    counted = np.sort(errors[~np.isnan(errors)])
    places = np.linspace(0, up_to, _SAMPLES + 1)
    return places, np.searchsorted(counted, places, side="right") / max(len(counted), 1)


def coverage_curve(errors: np.ndarray, sigma: np.ndarray) -> dict[str, np.ndarray]:
    """What is left, and how good it is, when faces above a threshold of sigma are left out.

    Args:
        errors: (N,) as in ``error_summary``.
        sigma: (N,) what the threshold is on; NaN for a face that was not found.

    Returns:
        ``threshold``, ``coverage`` (share of all counted faces) and ``nme`` of those kept, one entry a found face,
        from the surest on.
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
