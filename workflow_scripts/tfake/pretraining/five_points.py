"""Where the eyes, the tip of the nose and the corners of the mouth are, as means of softmax maps.

    L = mean_i |p_i - q_i|_1          q_i = sum_xy softmax(m_i)_xy (x, y)                in crop widths

The third pretext of Aghaomidi, Aram, Bahmani (ICBME 2023), who report the mean absolute percentage error,
MAPE = 100 mean |q - p| / |p|, of the coordinates in their crops; integral regression is Sun et al. (ECCV 2018). Crops
hold the whole face, but for corners of its box that a rotation moves out: a coordinate beside the crop's edge would be
divided by next to nothing. The points are labels, and synthetic faces have them: it is supervision with fewer points,
and named as such.
"""

import numpy as np
import torch
from torch import Tensor, nn

from tfake.labels.conventions import convention
from tfake.landmarks.landmark_network import NECK_CHANNELS, expected_places
from tfake.pretraining.pretext import Encoder, Pretext, PretextHead, Views
from tfake.pretraining.pretraining_views import PretrainingImage, ViewSettings, draw_crop, show_crop, to_crop

# Faces that the picture cuts off still have points at the crop's edge.
_LEAST_COORDINATE = 0.05


def draw_points(image: PretrainingImage, rng: np.random.Generator, settings: ViewSettings) -> dict[str, np.ndarray]:
    """A crop, ``view`` (1, P, P), its ``points`` (5, 2) in crop widths, and whether they are ``known`` ()."""
    matrix = draw_crop(image, rng, settings, whole=True)
    points = np.full((5, 2), 0.5, np.float32)
    if image.five is not None:
        order = convention("tfw5").partners if np.linalg.det(matrix[:, :2]) < 0 else slice(None)
        points = to_crop(image.five[order], matrix, settings.pixels)
    known = np.array(image.five is not None, np.float32)
    return {"view": show_crop(image, matrix, rng, settings), "points": points, "known": known}


class FivePointsHead(PretextHead):
    """A map a point on the neck's features."""

    def __init__(self, encoder: Encoder, subjects: int) -> None:
        """Build it for an encoder; subjects are nothing to it."""
        super().__init__()
        self.maps = nn.Conv2d(NECK_CHANNELS, 5, 1)

    def forward(self, encoder: Encoder, views: Views) -> tuple[Tensor, Tensor]:
        """Mean absolute error in crop widths, and MAPE in percent, of views with points; without any, 0 and NaN."""
        found, _ = expected_places(self.maps(encoder.map(encoder.show(views["view"]))))
        known = views["known"] / views["known"].sum().clamp(min=1)
        errors = (found - views["points"]).abs()
        with torch.no_grad():
            relative = errors / views["points"].abs().clamp(min=_LEAST_COORDINATE)
            percent = 100 * (relative.mean((1, 2)) * views["known"]).sum() / views["known"].sum()
        return (errors.mean((1, 2)) * known).sum(), percent


PRETEXT = Pretext("where five points are", "MAPE, %", draw_points, FivePointsHead, trains_neck=True, needs_points=True)
