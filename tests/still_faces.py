"""Stills of the mean head, painted by formulas: what a source's samples look like to what sets them in motion."""

import cv2
import numpy as np

from tfake.core.classes import FaceClass
from tfake.labels.head_geometry import head_points
from tfake.mesh.template import BROW, FACE_OVAL, face_vertices
from tfake.retargeting.animation import Picture

PIXELS = 128
#: Pixels a cm, and where the head's origin lies.
SCALE, MIDDLE = 4.5, (63.5, 60.0)


def still_mesh(turn: np.ndarray | None = None, scale: float = SCALE) -> np.ndarray:
    """The mean head's 478 points (478, 3) pixels, the irises in the pupils' places; turned in the camera's axes."""
    vertices = face_vertices()
    vertices = np.concatenate([vertices[:468], np.repeat(vertices[468:470], 5, axis=0)])
    return _seen(vertices, turn, scale)


def _seen(points: np.ndarray, turn: np.ndarray | None, scale: float) -> np.ndarray:
    turned = points if turn is None else points @ turn.T
    return turned * (scale, -scale, -scale) + (*MIDDLE, 0.0)


def still_picture(turn: np.ndarray | None = None) -> Picture:
    """A still: an oval face with brows and lips before a room of 20 °C, and a texture all over it."""
    mesh = still_mesh(turn)
    classes = np.zeros((PIXELS, PIXELS), np.uint8)
    cv2.fillPoly(classes, [np.rint(mesh[list(FACE_OVAL), :2]).astype(np.int32)], int(FaceClass.SKIN))
    for side, face_class in (("right", FaceClass.RIGHT_BROW), ("left", FaceClass.LEFT_BROW)):
        outline = np.array(BROW[side][0] + BROW[side][1][::-1])
        cv2.fillPoly(classes, [np.rint(mesh[outline, :2]).astype(np.int32)], int(face_class))
    y, x = np.mgrid[:PIXELS, :PIXELS].astype(np.float32)
    texture = np.sin(x / 5.0) * np.cos(y / 7.0)
    celsius = np.where(classes > 0, 33.0 + texture, 20.0 + 0.2 * texture).astype(np.float32)
    rgb = np.stack([128 + 90 * texture, 100 + x, 60 + y], axis=2).clip(0, 255).astype(np.uint8)
    points = _seen(head_points(), turn, SCALE)[:, :2]
    return Picture(celsius, rgb, classes, points.astype(np.float32), mesh.astype(np.float32))
