"""One face, from its number to its picture and its labels."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from heads.person import draw_person
from heads.picture import paint
from heads.viewpoint import draw_viewpoint
from tfake.mesh.raster import SurfaceBuffer


@dataclass(frozen=True)
class Rendering:
    """A rendered face and its labels.

    Attributes:
        rgb: (H, W, 3) uint8.
        landmarks_70: (70, 2) float64 px (x, y), FaceSynthetics' order: iBUG-68, right pupil, left pupil. Hidden points
            are projected, too.
        surface: what lies under every pixel.
    """

    rgb: np.ndarray
    landmarks_70: np.ndarray
    surface: SurfaceBuffer


def render_face(seed: int, face: int, pixels: int = 512, setting: Literal["wild", "lab"] = "wild") -> Rendering:
    """Render a face; the same arguments always give the same arrays.

    Args:
        seed: of the whole set.
        face: number of the face in the set.
        pixels: side of the image.
        setting: "wild" for any pose, light, dress and background; "lab" for a frontal, evenly lit, nearly neutral face
            without mask before a plain sheet.

    Returns:
        Picture, 70 points and surface.

    Raises:
        ValueError: the setting is unknown or the image is smaller than 64 pixels.
    """
    if setting not in ("wild", "lab"):
        raise ValueError(f"setting must be 'wild' or 'lab', found {setting!r}")
    if pixels < 64:
        raise ValueError(f"an image needs at least 64 pixels a side, found {pixels}")
    lab = setting == "lab"

    def stream(name: str) -> np.random.Generator:
        return np.random.default_rng([seed, face, *name.encode()])

    person = draw_person(stream, lab)
    viewpoint = draw_viewpoint(stream("viewpoint"), pixels, frontal=lab)
    rgb, surface = paint(person, viewpoint, stream, lab)
    placed = viewpoint.place(person.landmarks, np.ones(len(person.landmarks)))
    return Rendering(rgb, viewpoint.project(placed)[:, :2], surface)
