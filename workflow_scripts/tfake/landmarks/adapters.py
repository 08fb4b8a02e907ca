"""Label adapters: small networks that map one landmark set's points to another's, and the plain mapping they correct.

The plain mapping copies shared points by index and carries the others along with the mean head; it commutes with
shifts, scales and turns. T-FAKE (Flotho et al., CVPR 2025) adapts labels with five fully connected layers and leaves
their widths unpublished. Here they see coordinates in the face's own frame, without place, scale and roll, and add to
the plain mapping, so that an untrained adapter is the plain mapping.
"""

from dataclasses import asdict, dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from tfake.core.codes import MESH_POINTS
from tfake.labels.conventions import Convention, convention, reference_face
from tfake.labels.correspondence import SHARED_70, shared_places
from tfake.training.weights_file import bare_tensors, load_payload, save_payload

FORMAT = "tfake-label-adapter-1"

_LAYERS = 5
#: A pupil, where a set has none, is the mean of the four points of the eye's lids.
_EYES = {68: (37, 38, 40, 41), 69: (43, 44, 46, 47)}
_TOLERANCE = 1e-9
_POINTS_WITH_DEPTH = 12


@cache
def index_table(source: str, target: str) -> tuple[np.ndarray, np.ndarray]:
    """Which points of a target set follow from a source set, and how.

    Returns:
        (n_target, n_source) float64 weights, zero in rows of points that do not follow; (n_target,) bool which do.
    """
    given, wanted = convention(source), convention(target)
    known = _known_places(given)
    table, is_mapped = np.zeros((wanted.points, given.points)), np.zeros(wanted.points, dtype=bool)
    for row, place in enumerate(wanted.places):
        parts = np.flatnonzero(place)
        if all(int(part) in known for part in parts):
            table[row] = sum(place[part] * known[int(part)] for part in parts)
            is_mapped[row] = True
    return table, is_mapped


def _known_places(given: Convention) -> dict[int, np.ndarray]:
    """Points of the reference that a set knows, each as a mixture of the set's points."""
    unit = np.eye(given.points)
    known = {
        int(place.argmax()): unit[row]
        for row, place in enumerate(given.places)
        if abs(place.max() - 1) < _TOLERANCE and np.count_nonzero(place) == 1
    }
    if given.name == "mesh478":
        mesh = np.eye(MESH_POINTS)
        known |= dict(zip(map(int, SHARED_70), shared_places(mesh), strict=True))
    for pupil, lids in _EYES.items():
        if pupil not in known and all(lid in known for lid in lids):
            known[pupil] = sum(known[lid] for lid in lids) / len(lids)
    return known


def faces_right(points: np.ndarray, source: str) -> bool:
    """Whether a face of (n, 2) points looks to the image's right, roll set aside."""
    if source == "charlotte43":
        return bool(points[18:20, 0].mean() > points[:3, 0].mean())
    view = _view(convention(source).places @ reference_face(), points)
    # Where the nose points to, against a quarter turn of where the chin is: the one thing that a profile keeps.
    return bool(view[0, 2] * view[1, 1] - view[1, 2] * view[0, 1] > 0)


def plain_map(points: np.ndarray, source: str, target: str) -> np.ndarray:
    """Map points by index, and carry what has no counterpart with the mean face.

    Args:
        points: (n_source, 2) or (B, n_source, 2), finite.
        source: name of their landmark set.
        target: name of the wanted set.

    Returns:
        The target's points, float64 of the same leading shape.
    """
    if points.ndim == 3:
        return np.stack([plain_map(face, source, target) for face in points])
    if source == target:
        return points.astype(np.float64)
    flipped = "charlotte43" in (source, target) and faces_right(points, source)
    flat = flip(points, source) if flipped else points.astype(np.float64)
    table, is_mapped = index_table(source, target)
    mapped = table @ flat
    if not is_mapped.all():
        mean = reference_face()
        view = _view(convention(source).places @ mean, flat)
        missing = convention(target).places[~is_mapped] @ mean
        mapped[~is_mapped] = np.column_stack((missing, np.ones(len(missing)))) @ view.T
    return flip(mapped, target) if flipped else mapped


def flip(points: np.ndarray, name: str) -> np.ndarray:
    """Mirror points (…, n, 2) in x = 0; where the set has two sides, left and right change their names, too."""
    partners = convention(name).partners
    mirrored = points * (-1.0, 1.0)
    return mirrored if partners is None else mirrored[..., partners, :]


def _view(mean: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The affine camera (2, 4) that sees the mean face's points (n, 3) where a face's points (n, 2) are.

    Few points do not tell a depth: their camera is one that sees a flat face.
    """
    outer = np.column_stack((mean, np.ones(len(mean))))
    if len(mean) < _POINTS_WITH_DEPTH:
        outer[:, 2] = 0.0
    return np.linalg.lstsq(outer, points, rcond=None)[0].T


@dataclass(frozen=True)
class FaceFrames:
    """The frames of faces: their place, scale and roll in their images.

    Attributes:
        middle: (B, 1, 2) pixels.
        turn: (B, 2, 2), scale times rotation, from the frame to the image.
    """

    middle: np.ndarray
    turn: np.ndarray

    def to_frame(self, points: np.ndarray) -> np.ndarray:
        """From the image to the frame: (B, n, 2) to the same."""
        return (points - self.middle) @ np.linalg.inv(self.turn).transpose(0, 2, 1)

    def to_image(self, points: np.ndarray) -> np.ndarray:
        """From the frame to the image: (B, n, 2) to the same."""
        return points @ self.turn.transpose(0, 2, 1) + self.middle


def fit_frames(points: np.ndarray, source: str) -> FaceFrames:
    """The similarity that takes the mean face to each face (B, n, 2) (Umeyama 1991, without reflection).

    Raises:
        ValueError: another number of points, or points that are not finite or all in one place.
    """
    mean = (convention(source).places @ reference_face())[:, :2]
    if points.ndim != 3 or points.shape[1:] != mean.shape:
        raise ValueError(f"{source} has points of shape (B, {len(mean)}, 2); found {points.shape}")
    mean = mean - mean.mean(axis=0)
    middle = points.mean(axis=1, keepdims=True)
    around = points - middle
    # As complex numbers, a similarity is one factor; the frame's unit is the mean face's.
    a, b = mean @ (1, 1j), around @ (1, 1j)
    factor = (b * a.conj()).sum(axis=1) / (np.abs(a) ** 2).sum()
    if not np.all(np.isfinite(factor) & (np.abs(factor) > 0)):
        raise ValueError("points must be finite and not all in one place")
    turn = np.stack((factor.real, -factor.imag, factor.imag, factor.real), axis=1).reshape(-1, 2, 2)
    return FaceFrames(middle, turn)


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
        """Map faces to the target set: (B, n_source, 2) or (n_source, 2) pixels to float64 of the target's points.

        Raises:
            ValueError: another number of points, or points that are not finite.
        """
        if points.ndim == 2:
            return self.adapt(points[None])[0]
        source, target = self.architecture.source, self.architecture.target
        turned, right = face_left(points, source, target)
        frame = fit_frames(turned, source)
        plain = frame.to_frame(plain_map(turned, source, target))
        given = torch.from_numpy(frame.to_frame(turned)).float()
        mapped = frame.to_image(plain + self(given).double().numpy())
        mapped[right] = flip(mapped[right], target)
        return mapped


def face_left(points: np.ndarray, source: str, target: str) -> tuple[np.ndarray, np.ndarray]:
    """Mirror faces (B, n, 2) that look to the image's right, where a set of one side is involved.

    Returns:
        The points, and (B,) bool which were mirrored.
    """
    points = points.astype(np.float64)
    right = np.zeros(len(points), dtype=bool)
    if "charlotte43" in (source, target):
        right = np.array([faces_right(face, source) for face in points], dtype=bool)
        points[right] = flip(points[right], source)
    return points, right


def save_adapter(path: str | Path, adapter: LabelAdapter) -> str:
    """Write an adapter, and return the file's SHA-256; equal adapters give equal bytes."""
    payload = {"format": FORMAT, "settings": asdict(adapter.architecture), "state": bare_tensors(adapter)}
    return save_payload(path, payload)


def load_adapter(path: str | Path) -> LabelAdapter:
    """Rebuild an adapter from a file of ``save_adapter``.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file is no adapter.
    """
    payload = load_payload(path, FORMAT, "label adapter")
    with torch.random.fork_rng([]):
        adapter = LabelAdapter(AdapterArchitecture(**payload["settings"]))
    adapter.load_state_dict(payload["state"])
    return adapter.eval()
