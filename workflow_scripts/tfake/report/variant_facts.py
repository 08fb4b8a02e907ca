"""What each variant is: what made it, its room, its pixels, its unit and its terms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from tfake.report.stores import SealedStore
from tfake.report.variant_images import VariantImages
from tfake.store.opening import open_store


@dataclass(frozen=True)
class VariantFacts:
    """One line of the page's table of variants."""

    name: str
    made_by: str
    ambient_celsius: float
    size: str  # width x height
    values: str  # the unit, and what a count is
    images: int
    rows: tuple[int, int]  # first and last
    stored_bytes: int
    license: str


def gather_facts(
    config: Mapping[str, Any],
    variants: Mapping[str, SealedStore],
    opened: Sequence[VariantImages],
    ambients: Mapping[str, float],
) -> list[VariantFacts]:
    """Say of each variant what differs between variants.

    Args:
        config: the effective configuration.
        variants: variant to its sealed store.
        opened: the same, open, in the same order.
        ambients: variant to the temperature of its room.

    Returns:
        A line a variant.
    """
    lines = []
    for images, (name, store) in zip(opened, variants.items(), strict=True):
        width, height = images.size
        counts = store.counts
        lines.append(
            VariantFacts(
                name=name,
                made_by=_made_by(config, name),
                ambient_celsius=ambients[name],
                size=f"{width}x{height}",
                values=f"{images.unit}, {images.scale:g} K a count" if images.radiometric else "gray levels, 8 bit",
                images=counts.get("imported", counts.get("source_ok", 0)),
                rows=(store.span[0], store.span[1] - 1),
                stored_bytes=store.verified_bytes,
                license=open_store(store.path).attrs.get("license", config["source"]["license"]),
            )
        )
    return lines


def _made_by(config: Mapping[str, Any], name: str) -> str:
    settings = config["variants"][name]
    if base := settings.get("of"):
        return f"camera {settings['camera']} looking at {base}"
    if files := settings.get("files"):
        return f"published images, {PurePath(files).name}"
    condition = settings["condition"]
    return f"{'imported ' if condition in config['thermalizers'] else ''}thermalizer {condition}"
