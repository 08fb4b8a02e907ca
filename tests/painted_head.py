"""A head without the renderer: a profile curve swept sideways, with painted classes. Fast, and known in closed form."""

import numpy as np

from tfake.core.classes import FaceClass
from tfake.mesh.raster import SurfaceBuffer
from tfake.mesh.template import ANCHORS

#: Midline of the head: height y and depth z, cm.
_PROFILE_Y = (-16.0, -12.5, -11.0, -9.6, -8.2, -7.0, -5.0, -4.3, -2.8, 1.6, 3.4, 5.6, 6.5, 9.5, 11.5, 13.0)
_PROFILE_Z = (3.0, 2.4, 4.0, 7.2, 8.6, 9.0, 9.4, 9.9, 10.0, 9.9, 10.1, 10.0, 9.7, 8.0, 5.0, 0.0)


def paint_head(pixels: int = 256, glasses: bool = False, mouth_open: bool = False, bald: bool = False) -> SurfaceBuffer:
    """Look at the head from the front, orthographically, 32 cm wide.

    Args:
        pixels: width and height of the image.
        glasses: frames and transparent lenses.
        mouth_open: show the inside of the mouth.
        bald: no hair.
    """
    centimetres = (np.arange(pixels) - (pixels - 1) / 2) * 32.0 / pixels
    x, y = np.meshgrid(centimetres, -2.0 - centimetres)
    half_width = np.interp(y, (-18.0, -12.0, -9.5, -4.0, 3.0, 9.0, 13.0), (12.0, 5.6, 5.6, 6.8, 7.6, 6.9, 0.2))
    ears = np.hypot((np.abs(x) - 7.9) / 1.0, y / 3.0) < 1.0
    torso = (y < -13.5) & (np.abs(x) < half_width)
    head = (np.abs(x) < half_width) & (y < 13.0)
    z = np.interp(y, _PROFILE_Y, _PROFILE_Z) * np.sqrt(np.clip(1.0 - (x / np.maximum(half_width, 1e-3)) ** 2, 0.0, 1.0))
    ridge = np.exp(-0.5 * ((y + 1.5) / np.where(y > -1.5, 1.9, 0.6)) ** 2)
    socket = np.exp(-0.5 * (((np.abs(x) - 2.2) / 1.0) ** 2 + ((y - 1.8) / 0.8) ** 2))
    z = z - 0.9 * socket + 2.0 * ridge * np.exp(-0.5 * (x / 0.9) ** 2)
    z = np.where(ears & ~head, -0.8, z)
    classes = np.zeros((pixels, pixels), np.uint8)
    classes[head] = FaceClass.SKIN
    classes[ears & ~head & (x > 0)] = FaceClass.LEFT_EAR
    classes[ears & ~head & (x < 0)] = FaceClass.RIGHT_EAR
    classes[head & (y < -10.2)] = FaceClass.NECK
    classes[head & (np.abs(x) < np.interp(y, (-2.8, -1.4, 1.8), (1.7, 1.6, 0.6))) & (y > -2.8) & (y < 1.8)] = (
        FaceClass.NOSE
    )
    for side, eye, brow in (
        (1, FaceClass.LEFT_EYE, FaceClass.LEFT_BROW),
        (-1, FaceClass.RIGHT_EYE, FaceClass.RIGHT_BROW),
    ):
        classes[np.hypot((x - 3.15 * side) / 1.35, (y - 2.0) / 0.5) < 1.0] = eye
        classes[(np.abs(x - 3.4 * side) < 2.0) & (np.abs(y - 4.0 + 0.08 * (x - 3.4 * side) ** 2) < 0.35)] = brow
    lips = np.hypot(x / 2.5, (y + 5.0) / 0.85) < 1.0
    classes[lips & (y >= -5.0)] = FaceClass.TOP_LIP
    classes[lips & (y < -5.0)] = FaceClass.BOTTOM_LIP
    if mouth_open:
        classes[np.hypot(x / 1.8, (y + 5.0) / 0.45) < 1.0] = FaceClass.MOUTH_INTERIOR
    if not bald:
        classes[head & ((y > 8.8 - 0.03 * x**2) | ((np.abs(x) > 6.9) & (y > 1.0)))] = FaceClass.HAIR
    classes[torso] = FaceClass.CLOTHING
    classes[(np.hypot(x / 5.0, (y + 12.6) / 1.5) < 1.0) & torso] = FaceClass.NECK
    lens = np.zeros(classes.shape, bool)
    if glasses:
        rims = [np.hypot((x - 3.15 * side) / 2.3, (y - 1.8) / 1.8) for side in (1, -1)]
        inner, outer = np.minimum(*rims) < 0.9, np.minimum(*rims) < 1.0
        bridge = (np.abs(x) < 1.2) & (np.abs(y - 2.0) < 0.2)
        lens = outer | bridge
        classes[lens & ~inner] = FaceClass.GLASSES
    solid = classes != FaceClass.BACKGROUND
    rest = np.stack((x, y, z), axis=-1).astype(np.float32)
    rest[~solid] = np.nan
    slope_y, slope_x = np.gradient(z, 32.0 / pixels)
    facing = np.where(ears & ~head, 0.8, 1.0 / np.sqrt(1.0 + slope_x**2 + slope_y**2))
    return SurfaceBuffer(classes, rest, np.where(solid, facing, 0.0).astype(np.float32), lens)


def region_masks(surface: SurfaceBuffer) -> dict[str, np.ndarray]:
    """The six CHARLOTTE regions as masks (H, W): discs on the skin around their anchors, or the classes themselves."""
    classes, rest, bare = surface.classes, surface.rest_position, ~surface.lens

    def disc(anchor: str, radius: float) -> np.ndarray:
        place = np.array(ANCHORS[anchor])
        near = np.hypot(rest[..., 0] - place[0], rest[..., 1] - place[1]) < radius
        return near & (classes == FaceClass.SKIN) & bare & (rest[..., 2] > 0.0)

    lips = (classes == FaceClass.TOP_LIP) | (classes == FaceClass.BOTTOM_LIP)
    eyes = disc("left_eye", 1.7) | disc("right_eye", 1.7)
    return {
        "forehead": disc("forehead", 2.5) & (np.abs(rest[..., 1] - 6.5) < 1.6),
        "cheek": disc("left_cheek", 1.5) | disc("right_cheek", 1.5),
        "eye": eyes | ((classes == FaceClass.LEFT_EYE) | (classes == FaceClass.RIGHT_EYE)) & bare,
        "nose": (classes == FaceClass.NOSE) & bare,
        "mouth": lips,
        "chin": disc("chin", 1.5),
    }
