"""What is said of a published variant in card, metadata and provenance; the terms and checksums that go with data.

What is made from FaceSynthetics keeps FaceSynthetics' terms.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tfake.acquisition.registry import license_text
from tfake.store.arrays import open_store
from tfake.store.manifest import file_sha256, write_sums

SUMS = "SHA256SUMS"


@dataclass(frozen=True)
class Terms:
    """Terms of the data, and what has to be passed on with it."""

    name: str  # as source.license has it
    title: str
    url: str
    hub_id: str  # the identifier that Hugging Face's cards use
    summary: str
    attribution: str
    citations: tuple[str, ...]  # titles in CITATION.cff that belong to the data


_KNOWN = {
    "CC0-1.0": Terms(
        name="CC0-1.0",
        title="CC0 1.0 Universal",
        url="https://creativecommons.org/publicdomain/zero/1.0/",
        hub_id="cc0-1.0",
        summary="The faces are procedural; the data is dedicated to the public domain, without any terms.",
        attribution="",
        citations=(),
    ),
    "R-UDA-1.0": Terms(
        name="R-UDA-1.0",
        title="Research Use of Data Agreement v1.0",
        url="https://github.com/microsoft/FaceSynthetics",
        hub_id="other",
        summary="For non-commercial research by computational use only. Who passes the data on, changed or not, binds "
        "each recipient to the same agreement and includes the attribution below. Money may not be taken for it.",
        attribution="Made from the Face Synthetics dataset, Microsoft. Erroll Wood, Tadas Baltrušaitis, Charlie "
        "Hewitt, Sebastian Dziadzio, Thomas J. Cashman, Jamie Shotton: Fake it till you make it: face analysis in the "
        "wild using synthetic data alone. ICCV 2021. https://github.com/microsoft/FaceSynthetics",
        citations=("Fake it till you make it: face analysis in the wild using synthetic data alone",),
    ),
}


def terms_of(name: str) -> Terms:
    """The terms of a name in ``source.license``; terms unknown here are passed on by their name alone."""
    if name in _KNOWN:
        return _KNOWN[name]
    return Terms(
        name=name,
        title=name,
        url="",
        hub_id="other",
        summary=f"The data stands under the terms of its source, {name}; ask there for their text.",
        attribution=f"Made from a source whose terms are {name}.",
        citations=(),
    )


def write_terms(folder: Path, terms: Terms, has_rgb: bool = False) -> None:
    """Write ``LICENSE.txt`` and, where terms ask for it, ``ATTRIBUTION.txt``; ``has_rgb``: with the source's images."""
    text = license_text(terms.name)
    (folder / "LICENSE.txt").write_text(f"{terms.title}\n\n{terms.summary}\n" if text is None else text)
    if terms.attribution:
        own = "The RGB images are the source's own, unchanged. " if has_rgb else ""
        (folder / "ATTRIBUTION.txt").write_text(f"{terms.attribution}\n\n{own}{terms.summary} See LICENSE.txt.\n")


def write_checksums(folder: Path, known: Mapping[Path, str] = MappingProxyType({})) -> None:
    """Write ``SHA256SUMS``: every file in the folder, of which some SHA-256s may be known."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    write_sums(folder / SUMS, {str(path.relative_to(folder)): known.get(path) or file_sha256(path) for path in paths})


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
    def maker(self) -> str:
        """The attribute that says what made the temperatures: ``thermalizer``, or ``modelled``."""
        return "modelled" if "modelled" in self.attributes else "thermalizer"

    @property
    def is_radiometric(self) -> bool:
        """Whether pixels are temperatures."""
        return self.thermal["units"] == "degree_Celsius"

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


def gather_facts(variant: str, thermal: Path, config: Mapping[str, Any], date: str, commit: str | None) -> Publication:
    """Gather the facts from a variant's sealed store.

    Args:
        variant: its name.
        thermal: the folder of its store.
        config: the effective configuration.
        date: day of publication, ISO 8601.
        commit: the workflow's commit, None outside a checkout.
    """
    settings = config["publication"]
    root = open_store(thermal / "thermal.zarr")
    summary = json.loads((thermal / "summary.json").read_text())
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
        statistics=summary["statistics"],
        rows=summary["rows"],
        commit=commit,
        config=dict(config),
    )
