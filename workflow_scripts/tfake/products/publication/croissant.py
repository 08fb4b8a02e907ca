"""``croissant.json``: the dataset described as MLCommons Croissant 1.0, with ``rows.parquet`` as records that load."""

import json
from pathlib import Path

import mlcroissant as mlc

from tfake.core.classes import LABELLED_CLASSES
from tfake.products.publication.card import COLUMNS
from tfake.products.publication.facts import Publication
from tfake.store.manifest import file_sha256


def write_croissant(folder: Path, facts: Publication, cite_as: str) -> None:
    """Write ``croissant.json`` into a published folder.

    Args:
        folder: the folder, with ``rows.parquet`` and the checksum list of each store in place.
        facts: what is published.
        cite_as: how to cite it.

    Raises:
        mlcroissant.ValidationError: the description breaks the specification.
    """
    variant = f"variants/{facts.variant}"
    metadata = mlc.Metadata(
        ctx=mlc.Context(conforms_to="http://mlcommons.org/croissant/1.0"),
        name=facts.name,
        description=facts.description,
        version=facts.version,
        date_published=facts.date,
        license=[facts.terms.url or facts.terms.name],
        creators=[mlc.Organization(name=name) for name in facts.creators],
        cite_as=cite_as,
        keywords=["thermal", "infrared", "face", "landmarks", "synthetic"],
        # The specification asks for a page; without one of its own, the source's or the method's.
        url=facts.url or facts.terms.url or "https://github.com/phflot/tfake",
        data_limitations=["Synthetic faces: temperatures follow a model, not people. Not for identifying anyone."],
        personal_sensitive_information=["None: no person was recorded."],
        distribution=[
            _file(folder, "rows.parquet", "application/x-parquet", "One line a row of the stores."),
            _file(folder, "faces/SHA256SUMS", "text/plain", "The files of faces/faces.zarr (Zarr v3): labels."),
            _file(
                folder,
                f"{variant}/SHA256SUMS",
                "text/plain",
                f"The files of {variant}/thermal.zarr (Zarr v3): thermal images.",
            ),
        ],
        record_sets=[_faces(), _classes()],
        # The library leaves out what is false.
        extra_properties={"isLiveDataset": False},
    )
    text = json.dumps(metadata.to_json(), indent=1, ensure_ascii=False)
    (folder / "croissant.json").write_text(text + "\n", encoding="utf-8")


def _file(folder: Path, name: str, encoding: str, description: str) -> mlc.FileObject:
    return mlc.FileObject(
        id=name,
        name=name.replace("/", "_"),
        description=description,
        content_url=name,
        content_size=f"{(folder / name).stat().st_size} B",
        encoding_formats=[encoding],
        sha256=file_sha256(folder / name),
    )


def _faces() -> mlc.RecordSet:
    return mlc.RecordSet(
        id="faces",
        name="faces",
        description="The faces; row tells where each is in the arrays of the stores.",
        key=["faces/image_id"],
        fields=[
            mlc.Field(
                id=f"faces/{name}",
                name=name,
                description=description,
                data_types=[f"https://schema.org/{kind}"],
                source=mlc.Source(file_object="rows.parquet", extract=mlc.Extract(column=name)),
            )
            for name, (kind, description) in COLUMNS.items()
        ],
    )


def _classes() -> mlc.RecordSet:
    fields = {"id": ("Integer", "value of a pixel"), "name": ("Text", "class; right and left are the subject's")}
    return mlc.RecordSet(
        id="classes",
        name="classes",
        description="The classes of segmentation; 255 is outside them.",
        key=["classes/id"],
        fields=[
            mlc.Field(id=f"classes/{name}", name=name, description=text, data_types=[f"https://schema.org/{kind}"])
            for name, (kind, text) in fields.items()
        ],
        data=[{"classes/id": int(code), "classes/name": code.name.lower()} for code in LABELLED_CLASSES],
    )
