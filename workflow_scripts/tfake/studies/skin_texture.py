"""Texture of skin: radially averaged spectra and gradients of faces carried onto the mean head, at one scale.

Sets are compared two at a time. Every face is less its mean over its standard deviation, for grey values of a camera
carry neither; and what the coarser of two sets cannot show takes no part.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from scipy import ndimage

from tfake.studies.realism_faces import MAP_FACE_PIXELS, MAP_PIXELS, FaceSet, map_surface, masked_blur

#: A face of whose skin less than this is seen, or that is turned up or down further than this, is not compared.
_LEAST_SEEN, _LARGEST_PITCH = 0.85, 35.0
#: The rim of the mesh, pixels: there a point that is a little off shows hair or the room.
_RIM_PIXELS = 6
#: What is covered on such a face is filled in from around it by this blur, pixels.
_FILL_PIXELS = 6.0
#: Pixels over which the skin's edge fades for a spectrum, and that it is away for gradients.
_TAPER_PIXELS, _MARGIN_PIXELS = 10, 3
#: Band of a spectrum, cycles over the face's size; its end is never above this fraction of the coarser set's pixels.
BAND = (2.0, 32.0)
RESOLVED = 0.35
#: Blur that brings two sets to one resolution: at least so many pixels of the map, or of the coarser set's pixels. With
#: .7 of those, halves of real people are told apart when one of them was shrunk to seven tenths; with 1.3 hardly.
_LEAST_BLUR, _BLUR_OF_PIXEL = 1.0, 1.3
_QUANTILES = np.linspace(0.0005, 0.9995, 1000)


@dataclass(frozen=True)
class TextureScores:
    """How the texture of one set differs from that of another.

    Attributes:
        band: lowest and highest frequency that was compared, cycles over the face's size.
        spectrum: mean over the band of the absolute log10 ratio of the two spectra: 0 alike, .3 a factor of two.
        gradient: Wasserstein-1 distance of the gradients' magnitudes, over their mean in the second set.
        edges: the 99th over the 50th percentile of the first set's gradients: sharp borders on flat skin make it large.
        faces: how many of the first set were compared.
    """

    band: tuple[float, float]
    spectrum: float
    gradient: float
    edges: float
    faces: int


def compare_texture(one: FaceSet, other: FaceSet) -> TextureScores:
    """Compare two sets."""
    band = shared_band(one, other)
    frequencies = np.arange(1, int(BAND[1]) + 1)
    inside = (frequencies >= band[0]) & (frequencies <= band[1])
    first, second = (skin_faces(faces) for faces in (one, other))
    ratio = log_spectrum(first) - log_spectrum(second)
    sigma = shared_blur(one, other)
    gradients = [np.quantile(gradient_magnitudes(skin_faces(faces, sigma)), _QUANTILES) for faces in (one, other)]
    middle, high = np.interp((0.5, 0.99), _QUANTILES, gradients[0])
    return TextureScores(
        band=band,
        spectrum=float(np.mean(np.abs(ratio[inside]))),
        gradient=float(np.mean(np.abs(gradients[0] - gradients[1])) / np.mean(gradients[1])),
        edges=float(high / middle),
        faces=len(first),
    )


def shared_band(one: FaceSet, other: FaceSet) -> tuple[float, float]:
    """Lowest and highest frequency, in cycles over the face's size, that both sets show."""
    return BAND[0], float(min(BAND[1], RESOLVED * min(np.median(one.sizes), np.median(other.sizes))))


def shared_blur(one: FaceSet, other: FaceSet) -> float:
    """Standard deviation in pixels of the map of a blur after which both sets have the coarser one's resolution."""
    coarsest = MAP_FACE_PIXELS / min(np.median(one.sizes), np.median(other.sizes))
    return float(max(_LEAST_BLUR, _BLUR_OF_PIXEL * coarsest))


def skin_faces(faces: FaceSet, sigma: float = 0.0) -> np.ndarray:
    """The faces whose skin is seen, blurred, with mean 0 and standard deviation 1 over the skin.

    Args:
        faces: the set.
        sigma: of the blur, pixels of the map; 0: none.

    Returns:
        (n, MAP_PIXELS, MAP_PIXELS) float32, 0 beyond the skin; n is the number of faces that :func:`is_seen`.
    """
    mask = skin_mask()
    made = []
    for image in faces.maps[is_seen(faces)]:
        known = np.isfinite(image)
        filled = np.where(known, image, masked_blur(np.nan_to_num(image), known, _FILL_PIXELS))
        values = masked_blur(filled, mask, sigma) if sigma else filled
        spread = values[mask].std()
        made.append(np.where(mask, (values - values[mask].mean()) / max(spread, 1e-6), 0))
    return np.array(made, np.float32).reshape(-1, MAP_PIXELS, MAP_PIXELS)


def is_seen(faces: FaceSet) -> np.ndarray:
    """Of which faces enough skin is seen, from in front: (n,) bool."""
    seen = np.isfinite(faces.maps[:, skin_mask()]).mean(axis=1) >= _LEAST_SEEN
    return seen & (np.abs(faces.pitches) <= _LARGEST_PITCH)


@lru_cache(maxsize=1)
def skin_mask() -> np.ndarray:
    """The pixels of a map that are compared: (MAP_PIXELS, MAP_PIXELS) bool.

    They are a pixel away from eyes, mouth and nostrils, and ``_RIM_PIXELS`` from the outline of the mesh.
    """
    mask = np.zeros((MAP_PIXELS, MAP_PIXELS), bool)
    rows, columns, *_ = map_surface()
    mask[rows, columns] = True
    whole = ndimage.binary_fill_holes(mask)
    inner = ndimage.distance_transform_edt(whole) > _RIM_PIXELS
    return inner & ndimage.binary_erosion(mask, np.ones((3, 3)))


def log_spectrum(images: np.ndarray) -> np.ndarray:
    """The radially averaged power spectrum of the skin.

    Args:
        images: (n, MAP_PIXELS, MAP_PIXELS) from :func:`skin_faces`.

    Returns:
        (32,) mean over the faces of log10 of the power at 1, 2, … cycles over the face's size. White noise of unit
        variance has 0 everywhere; NaN without a face.
    """
    depth = ndimage.distance_transform_edt(skin_mask())
    window = np.sin(np.pi / 2 * np.clip(depth / _TAPER_PIXELS, 0, 1)) ** 2
    steps = np.fft.fftfreq(MAP_PIXELS) * MAP_FACE_PIXELS
    radius = np.rint(np.hypot(steps[:, None], steps[None])).astype(int)
    wanted = np.arange(1, int(BAND[1]) + 1)
    counts = np.bincount(radius.ravel())[wanted]
    spectra = []
    for image in images:
        level = (window * image).sum() / window.sum()
        power = np.abs(np.fft.fft2(window * (image - level))) ** 2 / (window**2).sum()
        spectra.append(np.log10(np.bincount(radius.ravel(), power.ravel())[wanted] / counts + 1e-12))
    return np.mean(spectra, axis=0) if spectra else np.full(len(wanted), np.nan)


def gradient_magnitudes(images: np.ndarray) -> np.ndarray:
    """Magnitudes of the gradient inside the skin, of all faces: (n,) standard deviations per hundredth of the face."""
    inside = cv2.erode(skin_mask().astype(np.uint8), np.ones((2 * _MARGIN_PIXELS + 1,) * 2, np.uint8)) > 0
    down, across = np.gradient(images, axis=(1, 2))
    return np.hypot(down, across)[:, inside].ravel() * (MAP_FACE_PIXELS / 100)
