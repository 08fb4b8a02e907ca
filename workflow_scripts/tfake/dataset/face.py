"""One row of a dataset."""

from dataclasses import dataclass, field

import numpy as np

from tfake.codes import MeshStatus, SampleStatus
from tfake.dataset.presence import ImageStatus

#: What a row can be asked for, besides what is always there: id, row, statuses, error and pose.
FIELDS = ("thermal", "segmentation", "landmarks_70", "landmarks_478", "landmarks_478_visibility")
#: And on demand: what not every dataset has.
ON_DEMAND = ("rgb",)


@dataclass(frozen=True, eq=False, slots=True)
class ThermalFace:
    """A thermal face with its labels.

    Points are (x, y) pixels of ``thermal``, pixel centres at integers, origin at the upper left pixel. Left and right
    are the subject's. Fields that were not asked for are None (``thermal``: empty).
    """

    image_id: str  # in the source archive
    row: int  # axis 0 of every store
    status: SampleStatus  # of the source sample
    landmarks_478_status: MeshStatus  # how the dense points came about
    landmarks_478_error: float  # of the mesh as found, a share of sqrt(w h) of the face's box; NaN without a mesh
    head_pose: np.ndarray  # (3,) float32 degrees: yaw to the image's right, pitch upwards, roll clockwise; NaN without
    # Variant to (H, W) float32 °C, NaN without an image; uint8 grey values of a camera with automatic gain control.
    thermal: dict[str, np.ndarray] = field(default_factory=dict)
    segmentation: np.ndarray | None = None  # (H, W) uint8 tfake.classes.FaceClass
    landmarks_70: np.ndarray | None = None  # (70, 2) float32: iBUG-68, then the pupils (image left, image right)
    landmarks_478: np.ndarray | None = None  # (478, 2) float32: MediaPipe's mesh with irises; NaN without one
    landmarks_478_depth: np.ndarray | None = None  # (478,) float32 on the scale of x, smaller is nearer
    landmarks_478_visibility: np.ndarray | None = None  # (478,) uint8 tfake.codes.PointState
    thermal_status: dict[str, ImageStatus] = field(default_factory=dict)  # variant to whether it has an image here
    rgb: np.ndarray | None = None  # (H, W, 3) uint8, the source's image; 0 throughout without a usable sample
