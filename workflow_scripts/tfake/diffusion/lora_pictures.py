"""The faces that a LoRA learns from, or begins with: pictures, captions and control images by row."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tfake.diffusion.captions import describe_face, fill_template, read_attributes, template_fields
from tfake.diffusion.window_pictures import resize_celsius, rgb_to_picture, to_picture
from tfake.reader.dataset import FaceDataset, open_dataset
from tfake.reader.face import Square, ThermalFace, crop_face

#: What a LoRA is told a picture by.
KINDS = ("text", "control")


@dataclass(frozen=True)
class LoraSource:
    """What pictures are made of; plain values, so that it can be sent to other processes.

    Attributes:
        results: the folder of the run.
        variant: whose thermal images.
        archive: the source's, for control images; empty where the run keeps them decoded.
        ambient_celsius: temperature of the variant's room.
        caption: the template (:func:`tfake.diffusion.captions.fill_template`).
        attributes: table of attributes; None: labels alone.
    """

    results: str
    variant: str
    archive: Sequence[str]
    ambient_celsius: float
    caption: str
    attributes: str | None


class LoraFaces(Sequence[ThermalFace]):
    """Faces of one part of the split, evenly taken out of all of it, with whole images scaled to a size."""

    def __init__(self, source: LoraSource, kind: str, part: str, most: int, pixels: int) -> None:
        """Choose the faces.

        Args:
            source: of the pictures.
            kind: ``text`` or ``control``.
            part: ``train``, ``validation`` or ``test``.
            most: how many, at most.
            pixels: edge of the pictures.

        Raises:
            DatasetError: a store cannot be used.
            ValueError: brackets of the template hold no name.
        """
        self._source, self._pixels = source, pixels
        self.has_control = kind == "control"
        fields = ("thermal", "segmentation", "landmarks_70", *(("rgb",) if self.has_control else ()))
        dataset = open_dataset(
            source.results, [source.variant], part, fields=fields, archive=list(source.archive) or None
        )
        self._dataset: FaceDataset = dataset.where(images=[source.variant])
        count = len(self._dataset)
        self._places = np.unique(np.linspace(0, count - 1, min(count, most)).astype(int)).tolist() if count else []
        template_fields(source.caption)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._places)

    def __getitem__(self, index: int) -> ThermalFace:
        """A face in its source's size."""
        return self._dataset[self._places[index]]

    @property
    def license(self) -> str:
        """The terms of the images."""
        return str(self._dataset.attributes(f"variants/{self._source.variant}/thermal.zarr").get("license", "unknown"))

    @property
    def rows(self) -> list[int]:
        """Rows of the stores."""
        return self._dataset.rows[self._places].tolist()

    @cached_property
    def captions(self) -> list[str]:
        """What each is described by."""
        path = self._source.attributes
        attributes = read_attributes(path) if path else {}
        captions, unknown = [], []
        for face in self:
            known = attributes.get(face.image_id, {})
            captions.append(
                fill_template(self._source.caption, describe_face(face, self._source.ambient_celsius, known))
            )
            unknown += [] if face.image_id in attributes else [face.image_id]
        if path and unknown:
            said = "%s has no image_id %s; of %d of %d faces the labels alone are told"
            logging.warning(said, path, ", ".join(unknown[:3]), len(unknown), len(captions))
        return captions

    def celsius(self, index: int) -> np.ndarray:
        """A face's thermal image in the source's size: (H, H) float32 °C."""
        return self[index].thermal[self._source.variant]

    def pictures(self) -> Iterator[np.ndarray]:
        """Each thermal image as a model sees it."""
        for face in self:
            yield to_picture(resize_celsius(face.thermal[self._source.variant], self._pixels))

    def controls(self) -> Iterator[np.ndarray]:
        """Each visible image as a model sees it."""
        for face in self:
            whole = Square(-0.5, -0.5, float(face.rgb.shape[0]))
            yield rgb_to_picture(crop_face(face, whole, self._pixels).rgb)
