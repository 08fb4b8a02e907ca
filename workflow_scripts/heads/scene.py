"""One face, from its number to its picture and its labels."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from heads.expression import Expression
from heads.person import Person, draw_person, draw_wearer, wear_expression
from heads.picture import paint
from heads.viewpoint import Framing, Viewpoint, draw_viewpoint, view
from tfake.mesh.raster import SurfaceBuffer


@dataclass(frozen=True)
class Rendering:
    """A rendered face and its labels.

    Attributes:
        rgb: (H, W, 3) uint8.
        landmarks_70: (70, 2) float64 px (x, y), FaceSynthetics' order: iBUG-68, right pupil, left pupil. Hidden points
            are projected, too.
        mesh: (468, 3) float64 px FaceMesh's vertices, exact: x, y, and depth from their middle, smaller is nearer.
        surface: what lies under every pixel.
    """

    rgb: np.ndarray
    landmarks_70: np.ndarray
    mesh: np.ndarray
    surface: SurfaceBuffer


@dataclass(frozen=True)
class FaceState:
    """What a person does in one picture: expression with gaze, pose and distance."""

    expression: Expression
    framing: Framing


def render_face(
    seed: int,
    face: int,
    pixels: int = 512,
    setting: Literal["wild", "lab"] = "wild",
    state: FaceState | None = None,
) -> Rendering:
    """Render a face; the same arguments always give the same arrays.

    Args:
        seed: of the whole set.
        face: number of the face in the set.
        pixels: side of the image.
        setting: "wild" for any pose, light, dress and background; "lab" for a frontal, evenly lit, nearly neutral face
            without mask before a plain sheet.
        state: what the person does; None draws it.

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

    if state is None:
        person, viewpoint = draw_person(stream, lab), draw_viewpoint(stream("viewpoint"), pixels, frontal=lab)
    else:
        person = wear_expression(draw_wearer(stream, lab), state.expression)
        viewpoint = view(state.framing, pixels)
    rgb, surface = paint(person, viewpoint, stream, lab)
    return label_picture(person, viewpoint, rgb, surface)


def label_picture(person: Person, viewpoint: Viewpoint, rgb: np.ndarray, surface: SurfaceBuffer) -> Rendering:
    """Put the exact points of a person beside their picture (H, W, 3) and its surface."""
    return Rendering(rgb, place(person.landmarks, viewpoint)[:, :2], place(person.mesh, viewpoint), surface)


def place(points: np.ndarray, viewpoint: Viewpoint, middle: int | None = None) -> np.ndarray:
    """Points (n, 3) cm on the head in the image: x, y and depth from their middle, px at the scale of the middle.

    Args:
        points: in the head's frame.
        viewpoint: pose and camera.
        middle: how many of them, from the first, are in the middle; None: all.
    """
    placed = viewpoint.place(points, np.ones(len(points)))
    distance = -placed[:, 2]
    mean = distance[:middle].mean()
    depth = (distance - mean) * viewpoint.focal / mean
    return np.column_stack((viewpoint.project(placed)[:, :2], depth))
