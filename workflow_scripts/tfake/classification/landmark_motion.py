"""What the movement of exact landmarks alone tells: the baseline that shows what heat adds.

Each frame's 70 points are freed of place, scale and turn in the image: as complex numbers, the outer corner of the
subject's right eye becomes 0 and that of the left 1. A clip is described by how its points move: the mean over time of
their displacement from the first frame, and its standard deviation. A linear classifier on that is fitted by ridge
regression onto one column a class, in closed form (Hastie, Tibshirani, Friedman, The Elements of Statistical Learning,
2nd ed., 4.2); validation people choose its penalty.
"""

from dataclasses import dataclass

import numpy as np

#: Outer corners of the eyes, iBUG's order.
_OUTER_EYES = (36, 45)
#: Penalties to choose from, over the number of features.
_PENALTIES = tuple(10.0 ** np.arange(-3, 4))


def motion_features(landmarks: np.ndarray) -> np.ndarray:
    """Describe how points move.

    Args:
        landmarks: (T, 70, 2) pixels.

    Returns:
        (280,) float64: the mean displacement of each point, x and y in distances of the eyes, then its standard
        deviation.
    """
    planar = landmarks[..., 0].astype(np.float64) + 1j * landmarks[..., 1]
    right, left = (planar[:, place, None] for place in _OUTER_EYES)
    freed = (planar - right) / (left - right)
    moved = freed - freed[:1]
    parts = np.concatenate([moved.real, moved.imag], axis=1)
    return np.concatenate([parts.mean(axis=0), parts.std(axis=0)])


@dataclass(frozen=True, eq=False)
class LinearClassifier:
    """Standardised features times weights.

    Attributes:
        centre: (D,) subtracted from features.
        scale: (D,) they are divided by.
        weights: (D, K).
        offset: (K,).
    """

    centre: np.ndarray
    scale: np.ndarray
    weights: np.ndarray
    offset: np.ndarray

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Classes of (N, D) features: (N,) int."""
        return (((features - self.centre) / self.scale) @ self.weights + self.offset).argmax(axis=1)


def fit_ridge(features: np.ndarray, labels: np.ndarray, classes: int, penalty: float) -> LinearClassifier:
    """Fit a classifier by ridge regression.

    Args:
        features: (N, D).
        labels: (N,) int in 0..classes - 1.
        classes: how many there are.
        penalty: of the squared weights, over D.
    """
    centre, scale = features.mean(axis=0), features.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    x, y = (features - centre) / scale, np.eye(classes)[labels]
    offset = y.mean(axis=0)
    # The dual form: there are more features than clips. (X'X + c I)^-1 X'Y = X' (XX' + c I)^-1 Y
    gram = x @ x.T + penalty * x.shape[1] * np.eye(len(x))
    return LinearClassifier(centre, scale, x.T @ np.linalg.solve(gram, y - offset), offset)


def fit_chosen(
    train: np.ndarray,
    train_labels: np.ndarray,
    validation: np.ndarray,
    validation_labels: np.ndarray,
    classes: int,
) -> LinearClassifier:
    """Fit with the penalty that is best on validation people; of equals, the largest.

    Args:
        train: (N, D) features of clips.
        train_labels: (N,) int.
        validation: (M, D) features of validation people's clips.
        validation_labels: (M,) int.
        classes: how many there are.
    """
    fitted = [fit_ridge(train, train_labels, classes, penalty) for penalty in reversed(_PENALTIES)]
    return max(fitted, key=lambda found: float((found.predict(validation) == validation_labels).mean()))
