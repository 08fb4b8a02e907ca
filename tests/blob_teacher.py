"""A teacher's backend that takes the bright part of a picture for a face, and draws the mean face onto it."""

import cv2
import numpy as np

from tfake.labels.detection import Backend, Detection
from tfake.labels.shape import mesh_partners, mesh_shape


def mean_face():
    """(478, 2) of a box from -1 to 1, y down, its own mirror image."""
    flat = mesh_shape().mean[:, :2] * (1, -1)
    flat = (flat + flat[mesh_partners()] * (-1, 1)) / 2
    least, most = flat.min(0), flat.max(0)
    return (2 * flat - least - most) / (most - least)


class BlobTeacher(Backend):
    """Finds each bright ellipse.

    ``bias`` moves every mesh to the right of what is shown, by a fraction of its width: the answers on a picture and on
    its mirror image are twice as far apart.
    """

    def __init__(self, bias=0.0):
        self.bias, self.shown = bias, []

    def _find_faces(self, rgb):
        self.shown.append(rgb)
        _, _, boxes, _ = cv2.connectedComponentsWithStats((rgb[..., 0] > 128).astype(np.uint8))
        found = []
        for left, top, width, height, area in boxes[1:].tolist():
            if area < 0.6 * width * height or max(width, height) > 0.95 * rgb.shape[0]:
                continue
            middle = np.array((left + (width - 1) / 2 + self.bias * width, top + (height - 1) / 2))
            mesh = middle + mean_face() * (width / 2, height / 2)
            found.append(Detection(np.column_stack((mesh, np.zeros(len(mesh)))).astype(np.float32)))
        return found

    def _find_in_view(self, rgb, view):
        return []

    def close(self):
        """Hold nothing."""


def ellipse(shape, centre, half, inside=35.0, outside=22.0):
    """A thermal picture of one warm ellipse, (H, W) float32."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    is_inside = ((x - centre[0]) / half[0]) ** 2 + ((y - centre[1]) / half[1]) ** 2 < 1
    return np.where(is_inside, inside, outside).astype(np.float32)
