"""Procedural textures: what a scene without a face may look like, for backgrounds and for learning what is no face."""

from collections.abc import Callable

import cv2
import numpy as np


def draw_texture(rng: np.random.Generator, pixels: int) -> np.ndarray:
    """Draw a (pixels, pixels, 3) float32 texture in 0..1, coloured or gray."""
    layers = [_PATTERNS[rng.integers(len(_PATTERNS))](rng, pixels) for _ in range(rng.integers(1, 4))]
    gray: np.ndarray = sum(  # type: ignore[assignment]
        np.float32(weight) * layer for weight, layer in zip(rng.dirichlet(np.ones(len(layers))), layers, strict=True)
    )
    start, gain = np.zeros(3), np.ones(3)
    if rng.random() >= 0.5:
        start, end = rng.uniform(0, 1, (2, 3))
        gain = end - start
    contrast, level = rng.uniform(0.1, 1.5), rng.uniform(0.1, 0.9)
    # Contrast about the mean of all channels: each is a linear function of the gray values.
    mean = (start + gain * gray.mean()).mean()
    channels = [
        gray * np.float32(contrast * g) + np.float32(level + contrast * (s - mean))
        for s, g in zip(start, gain, strict=True)
    ]
    return np.clip(cv2.merge(channels), np.float32(0), np.float32(1))


def _clouds(rng: np.random.Generator, pixels: int) -> np.ndarray:
    """Noise whose power falls with frequency, as in natural images."""
    total = np.zeros((pixels, pixels), np.float32)
    fall = rng.uniform(0.3, 0.9)
    for octave in range(6):
        cells = min(pixels, 2 ** (octave + 1))
        noise = rng.random((cells, cells), dtype=np.float32)
        total += fall**octave * cv2.resize(noise, (pixels, pixels), interpolation=cv2.INTER_CUBIC)
    return _spread(total)


def _stripes(rng: np.random.Generator, pixels: int) -> np.ndarray:
    y, x = (np.float32(places) / pixels for places in np.ogrid[:pixels, :pixels])
    angle, frequency = rng.uniform(0, np.pi), rng.uniform(1, 20)
    bend = rng.uniform(0, 1) * np.sin(2 * np.pi * rng.uniform(0.5, 3) * y)
    wave = np.sin(2 * np.pi * frequency * (np.cos(angle) * x + np.sin(angle) * y) + bend)
    return _spread(np.sign(wave) if rng.random() < 0.5 else wave)


def _blobs(rng: np.random.Generator, pixels: int) -> np.ndarray:
    """Warm bodies that are no faces: ellipses, soft or sharp."""
    image = np.full((pixels, pixels), rng.random(), np.float32)
    for _ in range(rng.integers(1, 8)):
        centre = tuple(int(value) for value in rng.integers(0, pixels, 2))
        axes = tuple(int(value) for value in rng.integers(2, max(3, pixels // 2), 2))
        cv2.ellipse(image, centre, axes, rng.uniform(0, 180), 0, 360, float(rng.random()), -1)
    return cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, pixels / 20))


def _plates(rng: np.random.Generator, pixels: int) -> np.ndarray:
    image = np.full((pixels, pixels), rng.random(), np.float32)
    for _ in range(rng.integers(2, 12)):
        corners = rng.integers(-pixels // 4, pixels + pixels // 4, (rng.integers(3, 6), 2)).astype(np.int32)
        cv2.fillPoly(image, [corners], float(rng.random()))
    return image


def _grains(rng: np.random.Generator, pixels: int) -> np.ndarray:
    cells = int(rng.integers(max(2, pixels // 4), pixels + 1))
    noise = rng.random((cells, cells), dtype=np.float32)
    return cv2.resize(noise, (pixels, pixels), interpolation=cv2.INTER_LINEAR)


_PATTERNS: tuple[Callable[[np.random.Generator, int], np.ndarray], ...] = (_clouds, _stripes, _blobs, _plates, _grains)


def _spread(values: np.ndarray) -> np.ndarray:
    low, high = values.min(), values.max()
    return (values - low) / max(high - low, 1e-6)
