"""Keys of what is made from the thermal faces: how stores are cut, publication, the report, and the forecast."""

from typing import Annotated, Literal

from annotated_types import MinLen
from pydantic import Field, StringConstraints

from tfake.config.keys import Count, Fraction, Name, Section, Text, Unique, key


class Store(Section):
    """How the stores are cut."""

    shard_images: int = key(32, "Images per shard, the unit of work and of loss: 500 to 2000 for large sources.", ge=1)
    rgb: Literal["none", "kept"] = key(
        "none",
        "Whether the source's images are kept decoded (results/images), so that each PNG is decoded once for labels, "
        "variants and trainings; none unpacks nothing.",
    )
    shards_per_job: Literal["auto"] | Count = key(
        "auto",
        "Shards that one thermalizing job writes; auto is one on a CPU and 60,000 images or more with a GPU.",
        unit="shards",
        neutral=True,
    )


class Publication(Section):
    """What `snakemake publish` and `snakemake exports` make."""

    version: str = key(
        "1.0.0", "Version of the published folders, part of their names.", pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$"
    )
    date: Annotated[str, StringConstraints(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$")] | None = key(
        None, 'Day of publication, as "2026-01-31"; null is the day on which it is made.'
    )
    url: Annotated[str, Field(json_schema_extra={"format": "uri"})] | None = key(
        None, "Where the dataset will be found; null where that is not known yet."
    )
    creators: list[Text] = key(["The tfake-workflow authors"], "Names of who publishes.", min_length=1)
    variants: Annotated[list[Name], MinLen(1)] | None = key(
        None, "Which variants are published and exported; null is all that are made here."
    )
    formats: Unique[Literal["coco", "png", "tfake", "webdataset"]] = key(["coco"], "Formats of the exports.")
    most_clipped: Fraction = key(
        0.05,
        "Fraction of the pixels that the tfake format's 20 to 40 °C may change by more than 0.5 K.",
        unit="fraction",
    )
    rgb: bool = key(
        False, "Whether exports also hold the source's own RGB images, which stand under the source's terms."
    )


class Reference(Section):
    """Published thermal images of the same faces, laid beside ours."""

    path: Text | None = key(
        None, "A folder of {id}_thermal.png, 8-bit gray, 0 to 255 for 20 to 40 °C; null leaves the section out."
    )
    variant: Name | None = key(None, "The variant laid beside them; null is the first.")


class Report(Section):
    """The HTML report."""

    gallery_images: int = key(24, "Faces shown in the gallery, spread evenly over the source.", ge=1)
    reference: Reference


class Forecast(Section):
    """What a run will cost in time and disk, `snakemake forecast`."""

    runs: Unique[Text] = key(
        [],
        "Folders of runs whose benchmarks are taken besides this run's own; without any, first shards are made.",
        neutral=True,
    )
    cores: Count | None = key(
        None, "Cores that the run will have; null is those that the forecast is given.", unit="cores", neutral=True
    )
    gpus: int = key(1, "GPUs that the run will have, where its networks run on them.", unit="GPUs", neutral=True, ge=1)
