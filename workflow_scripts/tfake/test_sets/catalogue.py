"""Which test sets can be read, and where each is to be had: none of them is downloaded, most want a signature."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tfake.test_sets.aachen import open_aachen
from tfake.test_sets.annotated_faces import AnnotatedSet
from tfake.test_sets.charlotte import open_charlotte
from tfake.test_sets.point_files import open_point_files
from tfake.test_sets.sf_tl54 import open_sf_tl54
from tfake.test_sets.tfw import open_tfw


@dataclass(frozen=True)
class Kind:
    """A kind of test set.

    Attributes:
        title: its full name.
        source: where to ask for it.
        holds: what the folder or zip has to hold.
        open: from the path to the set.
    """

    title: str
    source: str
    holds: str
    open: Callable[[str], AnnotatedSet]


KINDS = {
    "charlotte": Kind(
        "UNC Charlotte ThermalFace",
        "github.com/TeCSAR-UNCC/UNCC-ThermalFace (research use; about 10,000 16-bit images)",
        "S1.csv … S10.csv and the folders S1 … S10 with R*.tiff",
        open_charlotte,
    ),
    "aachen": Kind(
        "AACHEN thermal face database (TFL)",
        "github.com/marcinkopaczka/thermalfaceproject (form to the institute)",
        "images with a Menpo .ljson of the same name beside each",
        open_aachen,
    ),
    "sf_tl54": Kind(
        "SF-TL54",
        "github.com/IS2AI/thermal-facial-landmarks-detection (terms on the page)",
        "gray/test with json/*.json and images/*.png, or more of it",
        open_sf_tl54,
    ),
    "tfw": Kind(
        "TFW, thermal faces in the wild",
        "github.com/IS2AI/TFW (consent form)",
        "outdoor.csv or indoor.csv beside the folder of that name with the images, or YOLO texts",
        open_tfw,
    ),
    "point_files": Kind(
        "images with points, in the manner of AFLW or 300-W",
        "your own, or any published set in this form",
        "a CSV with image_name, original_0_x, original_0_y, …, or a .pts file beside each image",
        open_point_files,
    ),
}


def missing_message(name: str, kind: str, path: str | None) -> str:
    """What to get and where to put it, for a person.

    Args:
        name: of the set in the config.
        kind: a key of ``KINDS``.
        path: what the config names; None: nothing.
    """
    entry = KINDS[kind]
    why = "no folder is named" if path is None else f"there is no {path} (seen from {Path.cwd()})"
    return (
        f"{name}: {entry.title} is not evaluated, for {why}. Ask for it at {entry.source}, put it anywhere, and name "
        f"the folder or a zip of it as evaluation.sets.{name}.path. It should hold {entry.holds}."
    )
