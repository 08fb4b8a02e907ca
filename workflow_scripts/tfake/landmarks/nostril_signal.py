"""Breath out of a film of a face: what pulses at both nostrils, once the patch around the nose is held still.

Nostrils are a few pixels wide, and points wander by one or two: a disc at the points reads the nose's edge come and go,
which is several times what breath does. So the patch around the nose, cut out by the points, is registered to its own
mean in time by an affine map (Lucas and Kanade, IJCAI 1981) of all but the nostrils, and what still goes with that
motion is taken away from each pixel. Breath is alike on both sides, and what is left of turning is opposite: each pixel
is averaged with its mirror image. Of those below and beside the nose the one whose spectrum is the most of one rate is
the signal.
"""

import math

import cv2
import numpy as np

from tfake.core.codes import BOTH_POINTS, LANDMARKS
from tfake.labels.conventions import set_of_points
from tfake.landmarks.breathing import Breathing, breathing_rate, peak_shares

#: Pixels of a patch, and how many the face's scale has (:func:`tfake.landmarks.temperatures.face_scale`).
HEIGHT, WIDTH, PER_SCALE = 44, 56, 57.0
#: Where nostrils are looked for, in pixels of the patch, whose middle is the base of the nose; columns of one side.
_ROWS, _COLUMNS = slice(10, 28), slice(10, WIDTH // 2)
_PULSING = (slice(15, 27), slice(14, WIDTH - 14))
#: Standard deviation of what a pixel is averaged over.
BLUR = 1.2
#: What is chosen by its peak has a large one by chance: of noise and 32 s up to .76, though not the swing of a valid
#: rate. Of 16 s it may be what motion has left.
MIN_PEAK_SHARE, MIN_SECONDS = 0.65, 25.0
_ROUNDS, _STEPS, _TEMPLATE_BLUR = 3, 2, 1.0
#: With fewer frames nothing is told from motion.
MIN_FRAMES = 24
_MIDDLE = np.array([(WIDTH - 1) / 2, (HEIGHT - 1) / 2])
_RIGHT_EYE, _LEFT_EYE, _NASION, _CHIN, _NOSE_BASE = 36, 45, 27, 8, 33


def nose_patch(celsius: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The surroundings of the nose, upright and of one size whatever the face's.

    Args:
        celsius: (H, W) float in °C; NaN where there is none.
        points: (70, 2), (478, 2) or, the 70 first, (548, 2) pixels.

    Returns:
        (``HEIGHT``, ``WIDTH``) float32 °C.
    """
    face = np.asarray(points, np.float64)
    if len(face) not in (LANDMARKS, BOTH_POINTS):
        from tfake.landmarks.adapters import plain_map  # here, for it brings torch

        face = plain_map(face, set_of_points(len(face)), "face70")
    across = face[_LEFT_EYE] - face[_RIGHT_EYE]
    scale = math.sqrt(np.linalg.norm(across) * np.linalg.norm(face[_NASION] - face[_CHIN]))
    cosine, sine = across / max(float(np.linalg.norm(across)), 1e-9) * scale / PER_SCALE
    turn = np.array([(cosine, -sine), (sine, cosine)])
    known = np.isfinite(celsius)
    if not known.all():
        celsius = np.where(known, celsius, np.median(celsius[known]) if known.any() else 0.0)
    return _sample(celsius.astype(np.float32), turn, face[_NOSE_BASE] - turn @ _MIDDLE)


def breath_signal(seconds: np.ndarray, patches: np.ndarray) -> np.ndarray:
    """The temperature of the nostrils over time, without what motion does to it.

    Args:
        seconds: (T,) times, increasing.
        patches: (T, ``HEIGHT``, ``WIDTH``) °C, of :func:`nose_patch`.

    Returns:
        (T,) °C: the mean of the place that was chosen, and what is left of its changes. With fewer than ``MIN_FRAMES``
        nothing is chosen: the mean of all places.
    """
    blurred = _blurred(patches, BLUR)
    if len(patches) < MIN_FRAMES:
        return _both_sides(blurred).reshape(len(patches), -1).mean(axis=1)
    still, moves = hold_still(patches)
    sides = _both_sides(_blurred(still, BLUR)).reshape(len(patches), -1)
    known = np.column_stack((np.ones(len(seconds)), seconds, moves))
    rest = sides - known @ np.linalg.lstsq(known, sides, rcond=None)[0]
    best = int(np.argmax(peak_shares(seconds, rest)))
    return sides[:, best].mean() + rest[:, best]


def signal_rate(seconds: np.ndarray, signal: np.ndarray) -> Breathing:
    """The breathing rate of what :func:`breath_signal` gives, which has to be longer and clearer than any other.

    Args:
        seconds: (T,) times, increasing.
        signal: (T,) °C; NaN where there is none.
    """
    return breathing_rate(seconds, signal, MIN_PEAK_SHARE, MIN_SECONDS)


def hold_still(patches: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Register patches to their mean.

    Returns:
        (T, H, W) the patches, resampled, and (T, 6) by what: shift right and down, pixels, and what the four numbers of
        the linear part add to its corners, pixels.
    """
    moves = np.zeros((len(patches), 6))
    # Nor is breath, which would look like one: nostrils do not tell.
    told = np.ones((HEIGHT, WIDTH), bool)
    told[_PULSING] = False
    still = patches
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    right, down = (columns - _MIDDLE[0]) / WIDTH, (rows - _MIDDLE[1]) / HEIGHT
    for _ in range(_ROUNDS):
        (template,) = _blurred(still.mean(axis=0, keepdims=True), _TEMPLATE_BLUR)
        by_row, by_column = np.gradient(template)
        slopes = (by_column, by_row, by_column * right, by_column * down, by_row * right, by_row * down)
        # The last one is the patch's own level: drift is no motion.
        solve = np.linalg.pinv(np.stack([slope[told] for slope in (*slopes, np.ones_like(template))], axis=1))
        for frame, patch in enumerate(patches):
            for _ in range(_STEPS):
                (moved,) = _blurred(_moved(patch, moves[frame])[None], _TEMPLATE_BLUR)
                moves[frame] += (solve @ (template - moved)[told])[:6]
        still = np.stack([_moved(patch, move) for patch, move in zip(patches, moves, strict=True)])
    return still, moves


def _moved(patch: np.ndarray, move: np.ndarray) -> np.ndarray:
    turn = np.eye(2) + move[2:].reshape(2, 2) / (WIDTH, HEIGHT)
    return _sample(patch, turn, move[:2] + _MIDDLE - turn @ _MIDDLE)


def _sample(image: np.ndarray, turn: np.ndarray, start: np.ndarray) -> np.ndarray:
    """An image at ``turn`` times the patch's pixels plus ``start``."""
    return cv2.warpAffine(
        image,
        np.column_stack((turn, start)),
        (WIDTH, HEIGHT),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )


def _blurred(patches: np.ndarray, sigma: float) -> np.ndarray:
    return np.stack([cv2.GaussianBlur(patch.astype(np.float32), (0, 0), sigma) for patch in patches])


def _both_sides(patches: np.ndarray) -> np.ndarray:
    """(T, rows, columns): where nostrils may be, each with its mirror image."""
    return ((patches + patches[:, :, ::-1]) / 2)[:, _ROWS, _COLUMNS].astype(np.float64)
