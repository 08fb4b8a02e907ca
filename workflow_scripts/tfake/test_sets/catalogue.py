"""The registry of test sets: how each is opened, and where to ask for it: none is downloaded, most want a signature.

A set's module is imported when the set is opened, so that this table can be read without it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tfake.test_sets.annotated_faces import AnnotatedSet


@dataclass(frozen=True)
class SetKind:
    """A kind of test set.

    Attributes:
        title: its full name.
        opener: ``module:function``, from the path to an :class:`tfake.test_sets.annotated_faces.AnnotatedSet`.
        source: where to ask for it.
        contents: what the folder or zip has to hold.
        is_variant: whether it is a thermal variant of this workflow: the path is its folder, and its images are in °C.
    """

    title: str
    opener: str
    source: str = ""
    contents: str = ""
    is_variant: bool = False

    def open(self, path: str) -> "AnnotatedSet":
        """Read the annotations of a folder or zip.

        Raises:
            FileNotFoundError: no such folder or zip.
            ValueError: it holds no annotations of this kind.
        """
        return resolve_name(self.opener)(path)

    def load(self, path: str, values: str | Mapping) -> "AnnotatedSet":
        """Read the annotations, and declare what images hold (:func:`tfake.test_sets.annotated_faces.declare_scale`).

        Raises:
            FileNotFoundError: no such folder or zip.
            ValueError: it holds no annotations of this kind, or its images are not what was declared.
        """
        from tfake.test_sets.annotated_faces import declare_scale

        return self.open(path) if self.is_variant else declare_scale(self.open(path), values, path)


KINDS = {
    "charlotte": SetKind(
        "UNC Charlotte ThermalFace",
        "tfake.test_sets.charlotte:open_charlotte",
        "github.com/TeCSAR-UNCC/UNCC-ThermalFace (research use; about 10,000 16-bit images)",
        "S1.csv … S10.csv and the folders S1 … S10 with R*.tiff",
    ),
    "aachen": SetKind(
        "AACHEN thermal face database (TFL)",
        "tfake.test_sets.aachen:open_aachen",
        "github.com/marcinkopaczka/thermalfaceproject (form to the institute)",
        "images with a Menpo .ljson of the same name beside each",
    ),
    "sf_tl54": SetKind(
        "SF-TL54",
        "tfake.test_sets.sf_tl54:open_sf_tl54",
        "github.com/IS2AI/thermal-facial-landmarks-detection (terms on the page)",
        "gray/test with json/*.json and images/*.png, or more of it",
    ),
    "tfw": SetKind(
        "TFW, thermal faces in the wild",
        "tfake.test_sets.tfw:open_tfw",
        "github.com/IS2AI/TFW (consent form)",
        "outdoor.csv or indoor.csv beside the folder of that name with the images, or YOLO texts",
    ),
    "point_files": SetKind(
        "images with points, in the manner of AFLW or 300-W",
        "tfake.test_sets.point_files:open_point_files",
        "your own, or any published set in this form",
        "a CSV with image_name, original_0_x, original_0_y, …, or a .pts file beside each image",
    ),
    "variant_70": SetKind(
        "the test part of a variant, its exact 70 points", "tfake.test_sets.annotated_faces:open_70", is_variant=True
    ),
    "variant_478": SetKind(
        "the test part of a variant, its dense 478 points", "tfake.test_sets.annotated_faces:open_478", is_variant=True
    ),
}


def missing_message(name: str, kind: str, path: str | None) -> str:
    """What to get and where to put it, for a person; without a path the config names none."""
    entry = KINDS[kind]
    why = "no folder is named" if path is None else f"there is no {path} (seen from {Path.cwd()})"
    return (
        f"{name}: {entry.title} is not evaluated, for {why}. Ask for it at {entry.source}, put it anywhere, and name "
        f"the folder or a zip of it as evaluation.sets.{name}.path. It should hold {entry.contents}."
    )
