"""Everything that card, metadata and provenance say of one published variant, gathered once."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tfake
from tfake.publication.terms import Terms, terms_of
from tfake.store.opening import open_store


@dataclass(frozen=True)
class Publication:
    """One variant, one version."""

    variant: str
    version: str
    date: str  # ISO 8601
    url: str | None  # where it will be found
    creators: tuple[str, ...]
    terms: Terms
    attributes: dict[str, Any]  # of the thermal store's root
    thermal: dict[str, Any]  # attributes of the thermal array
    image_pixels: tuple[int, int]  # height, width
    counts: dict[str, int]  # rows of the faces store by status
    statistics: dict[str, dict[str, float]]  # of the thermal store, by class
    rows: int
    commit: str | None  # of the workflow that published
    config: dict[str, Any]

    @property
    def title(self) -> str:
        """What it is, in a line."""
        return f"Synthetic thermal faces with labels, variant {self.variant}"

    @property
    def name(self) -> str:
        """Folder and identifier."""
        return f"{self.variant}-{self.version}"

    @property
    def is_radiometric(self) -> bool:
        """Whether pixels are temperatures."""
        return self.thermal["units"] == "degree_Celsius"

    @property
    def creator_nodes(self) -> list[dict[str, str]]:
        """The creators as schema.org organisations."""
        return [{"@type": "Organization", "name": name} for name in self.creators]

    @property
    def description(self) -> str:
        """What it is, in a paragraph."""
        height, width = self.image_pixels
        kind = "radiometric (0.01 K a count)" if self.is_radiometric else "8-bit, after automatic gain control"
        return (
            f"{self.rows:,} synthetic faces as a longwave infrared camera sees them in a room of "
            f"{self.attributes['ambient_celsius']:g} °C: {width}x{height} thermal images, {kind}, with class maps, "
            "70 exact landmarks, 478 dense landmarks with their quality, and head pose."
        )


def gather_facts(
    variant: str,
    faces: str | Path,
    thermal: str | Path,
    config: Mapping[str, Any],
    date: str,
    commit: str | None,
) -> Publication:
    """Gather the facts from sealed stores.

    Args:
        variant: its name.
        faces: the folder of the faces store.
        thermal: the folder of the variant's store.
        config: the effective configuration.
        date: day of publication, ISO 8601.
        commit: the workflow's commit, None outside a checkout.
    """
    settings = config["publication"]
    root = open_store(Path(thermal, "thermal.zarr"))
    summary = json.loads(Path(thermal, "summary.json").read_text())
    return Publication(
        variant=variant,
        version=settings["version"],
        date=date,
        url=settings["url"],
        creators=tuple(settings["creators"]),
        terms=terms_of(root.attrs["license"]),
        attributes=root.attrs.asdict(),
        thermal=root["thermal"].attrs.asdict(),
        image_pixels=root["thermal"].shape[1:],
        counts=json.loads(Path(faces, "summary.json").read_text())["counts"],
        statistics=summary["statistics"],
        rows=summary["rows"],
        commit=commit,
        config=dict(config),
    )


def software() -> str:
    """The name and version of what publishes."""
    return f"tfake-workflow {tfake.__version__}"
