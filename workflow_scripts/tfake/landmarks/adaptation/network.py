"""The label adapter: five fully connected layers from one landmark set's coordinates to another's.

T-FAKE (Flotho et al., CVPR 2025) adapts labels with five such layers and leaves their widths unpublished. Here they see
coordinates in the face's own frame and add to the plain mapping, so that an untrained adapter is the plain mapping.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from tfake.landmarks.adaptation.frame import frames
from tfake.landmarks.adaptation.plain import faces_right, flip, plain_map
from tfake.landmarks.conventions import convention

_LAYERS = 5


@dataclass(frozen=True)
class AdapterArchitecture:
    """What must agree for weights to fit an adapter.

    Attributes:
        source: landmark set that it is given.
        target: landmark set that it gives.
        width: of the four inner layers.
    """

    source: str
    target: str
    width: int = 256


class LabelAdapter(nn.Module):
    """Corrections to the plain mapping, in the frame of the face."""

    def __init__(self, architecture: AdapterArchitecture) -> None:
        """Build the five layers; the last begins at zero.

        Raises:
            ValueError: there is no landmark set of such a name.
        """
        super().__init__()
        self.architecture = architecture
        given, wanted = convention(architecture.source).points, convention(architecture.target).points
        widths = (2 * given, *(architecture.width,) * (_LAYERS - 1), 2 * wanted)
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Linear(before, after), nn.GELU()]
        self.layers = nn.Sequential(*layers[:-1])
        nn.init.zeros_(self.layers[-1].weight)
        nn.init.zeros_(self.layers[-1].bias)

    def forward(self, points: Tensor) -> Tensor:
        """Corrections: (B, n_source, 2) in the frame to (B, n_target, 2) in the frame."""
        return self.layers(points.flatten(1)).unflatten(1, (-1, 2))

    @torch.inference_mode()
    def adapt(self, points: np.ndarray) -> np.ndarray:
        """Map faces to the target set.

        Args:
            points: (B, n_source, 2) or (n_source, 2) pixels.

        Returns:
            (B, n_target, 2) or (n_target, 2) float64 pixels.

        Raises:
            ValueError: another number of points, or points that are not finite.
        """
        if points.ndim == 2:
            return self.adapt(points[None])[0]
        source, target = self.architecture.source, self.architecture.target
        turned, right = turned_left(points, source, target)
        frame = frames(turned, source)
        plain = frame.enter(plain_map(turned, source, target))
        given = torch.from_numpy(frame.enter(turned)).float()
        mapped = frame.leave(plain + self(given).double().numpy())
        mapped[right] = flip(mapped[right], target)
        return mapped


def turned_left(points: np.ndarray, source: str, target: str) -> tuple[np.ndarray, np.ndarray]:
    """Mirror faces that look to the image's right, where a set of one side is involved.

    Args:
        points: (B, n, 2) of the source.
        source: their landmark set.
        target: the other set.

    Returns:
        The points, and (B,) bool which were mirrored.
    """
    points = points.astype(np.float64)
    right = np.zeros(len(points), dtype=bool)
    if "charlotte43" in (source, target):
        right = np.array([faces_right(face, source) for face in points], dtype=bool)
        points[right] = flip(points[right], source)
    return points, right
