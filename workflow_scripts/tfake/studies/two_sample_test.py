"""Classifier two-sample tests: whether a classifier can tell two sets of faces apart on people that it did not see.

D. Lopez-Paz and M. Oquab, "Revisiting classifier two-sample tests", ICLR 2017. The classifier is a ridge logistic
regression on the first principal components of the features: with some fifty real faces, anything larger learns them by
heart. It is fitted again for each fold of the people, so that nobody is on both sides, and its area under the ROC curve
is measured on the people left out: .5 where the sets are alike, 1 where each face tells its set.

What would tell the sets apart without saying anything of heat is taken away before: the maps have no background,
outline, size, tilt or turn of a face; both sets are blurred to the coarser one's resolution and get the same weak
noise, under which steps of 8 bits vanish; levels and contrast of a face are its own unit; each face is shown mirrored
as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.fft import dctn
from scipy.stats import rankdata

from tfake.studies.realism_faces import MAP_PIXELS, FaceSet
from tfake.studies.skin_texture import is_seen, shared_blur, skin_faces, skin_mask

_FOLDS, _REPEATS = 5, 4
#: Fewer people than this in a set cannot be told apart from another set's.
_LEAST_PEOPLE = 8
#: Standard deviation of the noise, over that of a face.
_NOISE = 0.03
#: Edge of a whole face and of a patch, pixels; steps between patches in the map.
_FACE_PIXELS, _PATCH_PIXELS, _PATCH_STEP = 32, 24, 12
#: Bands of local contrast: standard deviations of the two blurs whose difference is squared, pixels of the map.
_CONTRAST_BANDS = ((1.0, 2.0), (2.0, 4.0), (4.0, 8.0))
_CONTRAST_CELLS = 4
#: Rings of frequency and directions of a patch's spectrum.
_RINGS, _DIRECTIONS = 7, 3
#: Principal components of each block of features, and the weight of the ridge.
_COMPONENTS, _RIDGE = 12, 1.0


@dataclass(frozen=True)
class TwoSample:
    """What a test found.

    Attributes:
        auc: area under the ROC curve, mean over folds and repeats.
        sd: its standard deviation over the folds of one repeat, mean over repeats.
        faces: faces of each set that took part.
    """

    auc: float
    sd: float
    faces: tuple[int, int]


def tell_faces_apart(one: FaceSet, other: FaceSet, seed: int) -> TwoSample:
    """Whether whole faces of two sets can be told apart: NaN with fewer than eight people in one of them."""
    return _test(one, other, seed, _face_features)


def tell_patches_apart(one: FaceSet, other: FaceSet, seed: int) -> TwoSample:
    """Whether patches of skin of two sets can be told apart, by their texture alone."""
    return _test(one, other, seed, _patch_features)


def _test(one: FaceSet, other: FaceSet, seed: int, features) -> TwoSample:
    sigma = shared_blur(one, other)
    rng = np.random.default_rng(seed)
    blocks, people, counts = [], [], []
    for faces in (one, other):
        images = skin_faces(faces, sigma)
        images = np.concatenate([images, images[..., ::-1]])
        images += np.where(skin_mask(), _NOISE * rng.standard_normal(images.shape), 0).astype(np.float32)
        made, rows = features(images)
        blocks.append(made)
        people.append(np.tile(faces.persons[is_seen(faces)], 2)[rows])
        counts.append(int(is_seen(faces).sum()))
    if min(len(np.unique(own)) for own in people) < _LEAST_PEOPLE:
        return TwoSample(float("nan"), float("nan"), (counts[0], counts[1]))
    auc, sd = cross_validated_auc(blocks[0], blocks[1], people[0], people[1], seed)
    return TwoSample(auc, sd, (counts[0], counts[1]))


def cross_validated_auc(
    one: Sequence[np.ndarray],
    other: Sequence[np.ndarray],
    people_one: np.ndarray,
    people_other: np.ndarray,
    seed: int,
) -> tuple[float, float]:
    """Area under the ROC curve on people left out.

    Args:
        one: blocks of features (n, d) of the first set, each reduced by itself.
        other: the same blocks (m, d) of the second set.
        people_one: (n,) whom each row shows.
        people_other: (m,).
        seed: of the folds.

    Returns:
        Its mean over folds and repeats, and its standard deviation over the folds.
    """
    rng = np.random.default_rng(seed)
    joined = [np.concatenate(blocks) for blocks in zip(one, other, strict=True)]
    truth = np.repeat([0, 1], [len(people_one), len(people_other)])
    found = np.empty((_REPEATS, _FOLDS))
    for repeat in range(_REPEATS):
        fold = np.concatenate([_folds(people, rng) for people in (people_one, people_other)])
        for number in range(_FOLDS):
            learnt, left = fold != number, fold == number
            scores = _fit_and_score(joined, truth, learnt, left)
            found[repeat, number] = area_under_curve(scores[truth[left] == 1], scores[truth[left] == 0])
    return float(found.mean()), float(found.std(axis=1).mean())


def area_under_curve(positive: np.ndarray, negative: np.ndarray) -> float:
    """How often a positive score is above a negative one; ties count half."""
    ranks = rankdata(np.concatenate([positive, negative]))
    above = ranks[: len(positive)].sum() - len(positive) * (len(positive) + 1) / 2
    return float(above / (len(positive) * len(negative)))


def _folds(people: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The fold (n,) of each row, a person's rows in one."""
    names, which = np.unique(people, return_inverse=True)
    return (rng.permutation(len(names)) % _FOLDS)[which]


def _fit_and_score(blocks: Sequence[np.ndarray], truth: np.ndarray, learnt: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Scores of the rows that are left, by a classifier that learnt the others."""
    reduced = [_components(block, learnt) for block in blocks]
    values = np.concatenate([np.ones((len(truth), 1)), *reduced], axis=1)
    weights = _logistic(values[learnt], truth[learnt])
    return values[left] @ weights


def _components(block: np.ndarray, learnt: np.ndarray) -> np.ndarray:
    """The first principal components of the learnt rows, of unit variance there, for all rows."""
    mean, spread = block[learnt].mean(axis=0), block[learnt].std(axis=0)
    scaled = (block - mean) / np.maximum(spread, 1e-6)
    _, _, directions = np.linalg.svd(scaled[learnt], full_matrices=False)
    projected = scaled @ directions[:_COMPONENTS].T
    return projected / np.maximum(projected[learnt].std(axis=0), 1e-6)


def _logistic(values: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Weights of a ridge logistic regression in which both classes count alike, by Newton's method."""
    balance = np.where(truth == 1, 0.5 / truth.mean(), 0.5 / (1 - truth.mean()))
    ridge = np.full(values.shape[1], _RIDGE)
    ridge[0] = 1e-6
    weights = np.zeros(values.shape[1])
    for _ in range(30):
        chance = 1 / (1 + np.exp(-np.clip(values @ weights, -30, 30)))
        gradient = values.T @ (balance * (chance - truth)) + ridge * weights
        curvature = (values * (balance * chance * (1 - chance))[:, None]).T @ values + np.diag(ridge)
        step = np.linalg.solve(curvature, gradient)
        weights -= step
        if np.abs(step).max() < 1e-6:
            break
    return weights


def _face_features(images: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """Two blocks of features of whole faces: the picture itself, and local contrast in three bands; all rows."""
    size = (_FACE_PIXELS, _FACE_PIXELS)
    mask = skin_mask().astype(np.float32)
    inside = cv2.resize(mask, size, interpolation=cv2.INTER_AREA) > 0.99
    pictures = np.array([cv2.resize(image, size, interpolation=cv2.INTER_AREA)[inside] for image in images])
    shown = cv2.resize(mask, (_CONTRAST_CELLS,) * 2, interpolation=cv2.INTER_AREA)
    contrast = []
    for image in images:
        for fine, coarse in _CONTRAST_BANDS:
            band = cv2.GaussianBlur(image, (0, 0), fine) - cv2.GaussianBlur(image, (0, 0), coarse)
            cells = cv2.resize(mask * band**2, (_CONTRAST_CELLS,) * 2, interpolation=cv2.INTER_AREA)
            contrast.append(np.log(cells[shown > 0.3] / shown[shown > 0.3] + 1e-6))
    return [pictures, np.array(contrast).reshape(len(images), -1)], np.arange(len(images))


def _patch_features(images: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """A block of features of every patch that lies in the skin, and the face each belongs to."""
    integral = cv2.integral(skin_mask().astype(np.uint8))
    starts = range(0, MAP_PIXELS - _PATCH_PIXELS + 1, _PATCH_STEP)
    edge = _PATCH_PIXELS
    places = [
        (top, left)
        for top in starts
        for left in starts
        if integral[top + edge, left + edge]
        - integral[top, left + edge]
        - integral[top + edge, left]
        + integral[top, left]
        == edge**2
    ]
    patches = np.array([[image[top : top + edge, left : left + edge] for top, left in places] for image in images])
    flat = patches.reshape(-1, edge, edge)
    level = flat - flat.mean(axis=(1, 2), keepdims=True)
    power = dctn(level, axes=(1, 2), norm="ortho").reshape(len(flat), -1) ** 2
    bins = _frequency_bins()
    pooled = np.stack([power[:, bins == number].mean(axis=1) for number in range(bins.max() + 1)], axis=1)
    spread = level.std(axis=(1, 2)) + 1e-6
    moments = [(level**order).mean(axis=(1, 2)) / spread**order for order in (3, 4)]
    return [np.column_stack([np.log(pooled + 1e-8), *moments])], np.repeat(np.arange(len(images)), len(places))


def _frequency_bins() -> np.ndarray:
    """The bin of each DCT coefficient of a patch (edge²,): rings of frequency by direction; -1 for the mean."""
    down, across = np.mgrid[:_PATCH_PIXELS, :_PATCH_PIXELS]
    radius = np.hypot(down, across)
    ring = np.clip(np.floor(np.log2(np.maximum(radius, 1)) / np.log2(_PATCH_PIXELS) * _RINGS), 0, _RINGS - 1)
    direction = np.clip(np.arctan2(down, across) / (np.pi / 2) * _DIRECTIONS, 0, _DIRECTIONS - 1e-9).astype(int)
    bins = np.where(radius == 0, -1, ring * _DIRECTIONS + direction).astype(int).ravel()
    present = np.unique(bins[bins >= 0])
    return np.where(bins < 0, -1, np.searchsorted(present, bins))
