"""The faces of a set and their temperatures: who is on an image, and how that person is today."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import numpy as np

from tfake.heat.field import heat_field
from tfake.heat.registration import register_face
from tfake.heat.subject import Subject, SubjectState, draw_subject


def unknown_field(shape: tuple[int, ...]) -> np.ndarray:
    """A field that is known nowhere: NaN throughout."""
    return np.full(shape, np.nan, np.float32)


@dataclass(frozen=True)
class FaceHeat:
    """Who the faces of a set are, as far as their temperatures go.

    Attributes:
        seed: of all people; the person on an image follows from it and the image's id.
        persons: ``drawn``: one unlike the next; ``mean``: the mean person throughout.
        state: how those who are drawn are today.
        tables: the parameters of the temperature model.
    """

    seed: int = 0
    persons: Literal["drawn", "mean"] = "drawn"
    state: SubjectState = field(default_factory=SubjectState)
    tables: str = "measured"

    @classmethod
    def from_mapping(cls, settings: Mapping[str, Any]) -> Self:
        """Take plain values by the names of the attributes, and of those of the state.

        Raises:
            ValueError: ``persons`` is none of its words, or the mean person is given a state.
            TypeError: an unknown name.
        """
        heat = cls(**{**settings, "state": SubjectState(**settings.get("state", {}))})
        if heat.persons not in ("drawn", "mean"):
            raise ValueError(f"persons must be 'drawn' or 'mean'; found {heat.persons!r}")
        if heat.persons == "mean" and heat.state != SubjectState():
            raise ValueError(f"the mean person has no state of their own; found {heat.state}")
        return heat

    def person(self, image_id: str) -> Subject | None:
        """The person on an image; None is the mean one."""
        return draw_subject(self.seed, image_id, self.state) if self.persons == "drawn" else None

    def render(
        self, points: np.ndarray | None, classes: np.ndarray, rgb: np.ndarray, ambient_celsius: float, image_id: str
    ) -> np.ndarray:
        """The heat field of one image.

        Args:
            points: (478, 3) pixels and depth, as of :func:`tfake.heat.registration.register_face`; None: no mesh.
            classes: (H, W) uint8 class ids.
            rgb: (H, W, 3) uint8.
            ambient_celsius: temperature of the room.
            image_id: whose image it is.

        Returns:
            (H, W) float32 °C; NaN throughout without a mesh.

        Raises:
            ValueError: shapes do not fit, or a point is not finite.
        """
        if points is None:
            return unknown_field(classes.shape)
        surface = register_face(points, classes, rgb, self.tables)
        return heat_field(surface, ambient_celsius, self.person(image_id), self.tables).celsius
