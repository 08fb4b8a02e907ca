"""The reader: results, or a published dataset, as rows of thermal faces with their labels.

>>> faces = tfake.open_dataset("results", variants=("warm", "cold"))
>>> face = faces[0]
>>> face.thermal["warm"].shape, face.landmarks_478.shape
((512, 512), (478, 2))
"""

from tfake.reader.dataset import FaceDataset, open_dataset
from tfake.reader.face import ThermalFace

__all__ = ["FaceDataset", "ThermalFace", "open_dataset"]
