"""The heat field as the network takes it: (H, W) float32 °C, NaN throughout a face without a mesh or a class map."""

from dataclasses import dataclass

import numpy as np

from tfake.archive.mesh_reader import MeshReader
from tfake.heat.face_heat import FaceHeat

#: The parameters of the temperature model that networks are trained with.
TABLES = "measured"


@dataclass(frozen=True)
class RowFields:
    """The heat fields of a source's rows.

    Attributes:
        meshes: their points.
        heat: who they are.
    """

    meshes: MeshReader
    heat: FaceHeat

    def render(self, record, classes: np.ndarray, rgb: np.ndarray, ambient_celsius: float) -> np.ndarray:
        """The field of a row of the index; see ``FaceHeat.render``.

        Raises:
            StoreError: the row's labels are damaged.
        """
        return self.heat.render(self.meshes.read(record), classes, rgb, ambient_celsius, record.image_id)
