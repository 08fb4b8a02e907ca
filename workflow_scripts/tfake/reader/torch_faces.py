"""A dataset for torch's ``DataLoader``: tensors by name, read batch by batch, in any worker."""

from collections.abc import Sequence

import numpy as np
import torch
from torch.utils.data import Dataset

from tfake.reader.dataset import FaceDataset
from tfake.reader.face import ThermalFace


class TorchFaces(Dataset):
    """Faces as dictionaries of tensors, which ``DataLoader`` collates by itself.

    A worker, forked or spawned, opens the files anew; a batch is read with each shard's rows in one go.
    """

    def __init__(self, faces: FaceDataset):
        """Wrap a dataset."""
        self.faces = faces

    def __len__(self) -> int:
        """How many rows."""
        return len(self.faces)

    def __repr__(self) -> str:
        """What the dataset says of itself."""
        return f"{type(self).__name__} of {self.faces!r}"

    def __getitem__(self, index: int) -> dict:
        """One row: see :func:`as_tensors`."""
        return as_tensors(self.faces[index])

    def __getitems__(self, indices: Sequence[int]) -> list[dict]:
        """Several rows at once: what a ``DataLoader`` asks for when it makes a batch."""
        return [as_tensors(face) for face in self.faces.batch(indices)]


def as_tensors(face: ThermalFace) -> dict:
    """A face as tensors.

    Args:
        face: any fields.

    Returns:
        ``image_id`` (str), ``row``, ``status``, ``landmarks_478_status`` (int), ``landmarks_478_error`` (float),
        ``head_pose`` (3,); ``thermal``, variant to (1, H, W) float32 °C; and as far as they were asked for
        ``rgb`` (3, H, W) uint8, ``segmentation`` (H, W) uint8, ``landmarks_70`` (70, 2), ``landmarks_478`` (478, 2),
        ``landmarks_478_depth`` (478,) float32, ``landmarks_478_visibility`` (478,) uint8.
    """
    names = ("head_pose", "segmentation", "landmarks_70", "landmarks_478", "landmarks_478_depth")
    arrays = {name: getattr(face, name) for name in (*names, "landmarks_478_visibility")}
    rgb = {} if face.rgb is None else {"rgb": _tensor(np.moveaxis(face.rgb, -1, 0))}
    return {
        "image_id": face.image_id,
        "row": face.row,
        "status": int(face.status),
        "landmarks_478_status": int(face.landmarks_478_status),
        "landmarks_478_error": face.landmarks_478_error,
        "thermal": {name: _tensor(celsius)[None] for name, celsius in face.thermal.items()},
        "thermal_status": {name: int(status) for name, status in face.thermal_status.items()},
        **rgb,
        **{name: _tensor(values) for name, values in arrays.items() if values is not None},
    }


def _tensor(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values))
