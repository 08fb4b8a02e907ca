"""The optics: what each detector pixel gathers of the scene, point spread and pixel area included.

Temperatures are gathered instead of radiances: over the 15 K between skin and room they differ by less than .1 K.
"""

import numpy as np
from scipy.special import ndtr

from tfake.camera.view import View
from tfake.classes import FaceClass

#: Share of the source's height whose mean goes on below it: single rows at the edge of a network's picture err.
_EDGE_SHARE = 1 / 32


def gather_weights(
    pixels: int, source_pixels: int, scale: float, offset: float, blur_pixels: float, continues: bool = False
) -> np.ndarray:
    """How much of each source pixel each detector pixel gathers along one axis.

    The scene is constant over a source pixel. The weight is the integral of the Gaussian point spread G over both
    pixels' extents, divided by the detector pixel's: with F(z) = z Phi(z / s) + s phi(z / s), whose second derivative
    is G, it is a difference of four values of F. It is exact for any scale, so nothing aliases.

    Args:
        pixels: detector pixels, N.
        source_pixels: source pixels, M.
        scale: detector pixels a source pixel.
        offset: where the source's first edge lies on the detector, pixels.
        blur_pixels: standard deviation of the point spread, detector pixels.
        continues: whether the last source pixel goes on for ever.

    Returns:
        (N, M) float64; a row sums to the share of the pixel's light that comes from the source.
    """
    edges = np.arange(pixels + 1)[:, None] - (scale * np.arange(source_pixels + 1) + offset)
    if blur_pixels > 0:
        z = edges / blur_pixels
        second_integral = edges * ndtr(z) + blur_pixels * np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    else:
        second_integral = np.maximum(edges, 0.0)
    if continues:
        second_integral[:, -1] = 0.0
    return -np.diff(np.diff(second_integral, axis=0), axis=1)


def image_scene(
    celsius: np.ndarray,
    classes: np.ndarray,
    view: View,
    native_pixels: tuple[int, int],
    blur_pixels: float,
    surroundings: np.ndarray,
) -> np.ndarray:
    """What falls on the detector: the person in front of the surroundings, mixed where a pixel sees both.

    Beside and above the source picture there are the surroundings. Below it the person of the last row goes on, so that
    a torso does not end in mid-air, each column as warm as its person is just above the edge.

    Args:
        celsius: (H, W) float32 °C of the source.
        classes: (H, W) uint8; BACKGROUND is replaced by the surroundings.
        view: where the source lies on the detector.
        native_pixels: (width, height) of the detector.
        blur_pixels: standard deviation of the point spread, detector pixels.
        surroundings: (height, width) float32 °C, what the detector would see without the person.

    Returns:
        (height, width) float32 °C.
    """
    height, width = classes.shape
    across = gather_weights(native_pixels[0], width, view.scale, view.offset[0], blur_pixels)
    down = gather_weights(native_pixels[1], height + 1, view.scale, view.offset[1], blur_pixels, continues=True)
    person = (classes != FaceClass.BACKGROUND).astype(np.float64)
    edge = slice(height - max(1, round(_EDGE_SHARE * height)), height)
    # Where the last row shows the person, at least one row does.
    below = (celsius * person)[edge].sum(axis=0) / np.maximum(person[edge].sum(axis=0), 1.0)
    celsius, person = np.vstack([celsius, below]), np.vstack([person, person[-1:]])
    warmth = down @ (celsius * person) @ across.T
    cover = down @ person @ across.T
    return (warmth + (1.0 - cover) * surroundings).astype(np.float32)
