"""Where the head is and how it is seen: pose of head and torso, and a pinhole camera."""

from dataclasses import dataclass

import numpy as np

from heads.parts import Assembly

#: The joint the head turns about, cm at rest, between skull and spine.
_NECK_JOINT = np.array([0.0, -6.5, -2.0])


@dataclass(frozen=True)
class Viewpoint:
    """Pose and camera.

    Attributes:
        head: (3, 3) rotation of the head, applied to column vectors.
        torso: (3, 3) rotation of the torso.
        offset: (3,) cm position of the neck joint in camera space (x right, y up, z towards the camera).
        focal: focal length in pixels.
        pixels: image side; the principal point is its centre.
    """

    head: np.ndarray
    torso: np.ndarray
    offset: np.ndarray
    focal: float
    pixels: int

    def place(self, points: np.ndarray, sway: np.ndarray) -> np.ndarray:
        """Camera-space positions (n, 3) cm of head-frame points (n, 3) that follow the head by sway (n,)."""
        local = points - _NECK_JOINT
        turned = local @ self.torso.T
        return turned + sway[:, None] * (local @ self.head.T - turned) + self.offset

    def project(self, placed: np.ndarray) -> np.ndarray:
        """Screen positions (n, 3) of camera-space points: x px, y px, inverse distance 1/cm."""
        inverse = -1.0 / placed[:, 2]
        centre = (self.pixels - 1) / 2
        return np.stack(
            [centre + self.focal * placed[:, 0] * inverse, centre - self.focal * placed[:, 1] * inverse, inverse],
            axis=1,
        )


def rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Rotation (3, 3) by degrees: yaw turns the face to image right, pitch up, roll clockwise in the image."""
    y, p, r = np.radians([yaw, -pitch, -roll])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


@dataclass(frozen=True)
class Framing:
    """How a head is held and framed.

    Attributes:
        head: yaw, pitch and roll of the head in degrees (:func:`rotation`).
        torso: those of the torso.
        distance_cm: from the camera to the joint of neck and head.
        size: sqrt(w h) of the 70 points of a frontal face, as a fraction of the image's side.
        shift: (right, up) of the face from its usual place, as fractions of the image's side.
        aim: head angles for which the face stands at ``shift``: the neck keeps its place while the head turns. None:
            those of ``head``, so that the face keeps its place whatever its angles.
        focused_cm: the distance at which the face has its ``size``: the lens stays as it is while the person comes
            nearer. None: ``distance_cm``.
    """

    head: tuple[float, float, float]
    torso: tuple[float, float, float]
    distance_cm: float
    size: float
    shift: tuple[float, float]
    aim: tuple[float, float, float] | None = None
    focused_cm: float | None = None


def draw_framing(rng: np.random.Generator, frontal: bool) -> Framing:
    """Draw how a head is held and framed; frontal keeps every angle within 8 degrees."""
    if frontal:
        yaw, pitch, roll = np.clip(rng.normal(0, 3, 3), -8, 8)
    else:
        yaw = float(np.clip(rng.standard_t(4) * 17, -82, 82))
        pitch, roll = np.clip(rng.normal(-1, 9), -28, 24), np.clip(rng.normal(0, 9), -30, 30)
    fraction = rng.uniform(0.1, 0.7)
    torso = (fraction * yaw + rng.normal(0, 4), rng.normal(0, 2), 0.15 * roll + rng.normal(0, 2))
    distance = rng.uniform(75, 110) if frontal else float(np.exp(rng.uniform(np.log(48), np.log(130))))
    size = 0.40 if frontal else float(np.clip(rng.normal(0.37, 0.05), 0.28, 0.52))
    right, up = rng.normal(0, 0.012 if frontal else 0.035, 2)
    return Framing((yaw, pitch, roll), torso, distance, size, (right, up))


def view(framing: Framing, pixels: int) -> Viewpoint:
    """The pose and the camera of a framing, for an image of so many pixels a side."""
    focused = framing.distance_cm if framing.focused_cm is None else framing.focused_cm
    # sqrt(w h) of the 70 points is close to 13.5 cm on a frontal face.
    focal = framing.size * pixels / 13.5 * focused
    face = rotation(*(framing.aim or framing.head)) @ (np.array([0.0, -1.0, 6.0]) - _NECK_JOINT)
    shift = np.array(framing.shift) * pixels / focal * focused
    aim = np.array([shift[0], shift[1] + 0.03 * pixels / focal * focused, -framing.distance_cm])
    return Viewpoint(rotation(*framing.head), rotation(*framing.torso), aim - face * (1, 1, 0), focal, pixels)


def draw_viewpoint(rng: np.random.Generator, pixels: int, frontal: bool) -> Viewpoint:
    """Draw pose and camera; frontal keeps every angle within 8 degrees."""
    return view(draw_framing(rng, frontal), pixels)


def pose(assembly: Assembly, viewpoint: Viewpoint) -> np.ndarray:
    """Camera-space positions (n, 3) cm of all vertices."""
    return viewpoint.place(assembly.shaped, assembly.sway)
