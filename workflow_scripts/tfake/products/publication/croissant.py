"""``croissant.json``: the dataset described as MLCommons Croissant 1.0, with ``rows.parquet`` as records that load."""

import json
from pathlib import Path
from typing import Any

from tfake.core.classes import LABELLED_CLASSES
from tfake.products.publication.card import COLUMNS
from tfake.products.publication.facts import Publication
from tfake.store.manifest import file_sha256

#: The context of the Croissant 1.0 specification, with every term that is used here.
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


def write_croissant(folder: Path, facts: Publication, cite_as: str) -> None:
    """Write ``croissant.json`` into a published folder.

    Args:
        folder: the folder, with ``rows.parquet`` and the checksum list of each store in place.
        facts: what is published.
        cite_as: how to cite it.
    """
    metadata: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": facts.name,
        "description": facts.description,
        "version": facts.version,
        "datePublished": facts.date,
        "license": facts.terms.url or facts.terms.name,
        "creator": facts.creator_nodes,
        "citeAs": cite_as,
        "keywords": ["thermal", "infrared", "face", "landmarks", "synthetic"],
        "isLiveDataset": False,
        # The specification asks for a page; without one of its own, the source's or the method's.
        "url": facts.url or facts.terms.url or "https://github.com/phflot/tfake",
        "rai:dataLimitations": "Synthetic faces: temperatures follow a model, not people. Not for identifying anyone.",
        "rai:personalSensitiveInformation": "None: no person was recorded.",
        "distribution": [
            _file(folder, "rows.parquet", "application/x-parquet", "One line a row of the stores."),
            _file(folder, "faces/SHA256SUMS", "text/plain", "The files of faces/faces.zarr (Zarr v3): labels."),
            _file(
                folder,
                f"variants/{facts.variant}/SHA256SUMS",
                "text/plain",
                f"The files of variants/{facts.variant}/thermal.zarr (Zarr v3): thermal images.",
            ),
        ],
        "recordSet": [_faces(), _classes()],
    }
    (folder / "croissant.json").write_text(json.dumps(metadata, indent=1, ensure_ascii=False) + "\n")


def _file(folder: Path, name: str, encoding: str, description: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name.replace("/", "_"),
        "description": description,
        "contentUrl": name,
        "contentSize": f"{(folder / name).stat().st_size} B",
        "encodingFormat": encoding,
        "sha256": file_sha256(folder / name),
    }


def _faces() -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": "faces",
        "name": "faces",
        "description": "The faces; row tells where each is in the arrays of the stores.",
        "key": {"@id": "faces/image_id"},
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"faces/{name}",
                "name": name,
                "description": description,
                "dataType": kind,
                "source": {"fileObject": {"@id": "rows.parquet"}, "extract": {"column": name}},
            }
            for name, (kind, description) in COLUMNS.items()
        ],
    }


def _classes() -> dict[str, Any]:
    fields = {"id": ("sc:Integer", "value of a pixel"), "name": ("sc:Text", "class; right and left are the subject's")}
    return {
        "@type": "cr:RecordSet",
        "@id": "classes",
        "name": "classes",
        "description": "The classes of segmentation; 255 is outside them.",
        "key": {"@id": "classes/id"},
        "field": [
            {"@type": "cr:Field", "@id": f"classes/{name}", "name": name, "description": text, "dataType": kind}
            for name, (kind, text) in fields.items()
        ],
        "data": [{"classes/id": int(code), "classes/name": code.name.lower()} for code in LABELLED_CLASSES],
    }
