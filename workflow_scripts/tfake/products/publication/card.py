"""``rows.parquet``: one line a row of the stores, for who wants to choose faces without opening an array.

Parquet, for a CSV does not say that an id such as 000123 is text, and many readers make a number of it.

``CITATION.cff`` of a published variant: the data, the workflow that made it, and what both build on.

``README.md`` of a published folder: a dataset card as Hugging Face reads them.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from tfake.core.classes import FACE_CLASSES
from tfake.core.codes import MeshStatus, SampleStatus
from tfake.pages.template_environment import template_environment
from tfake.products.publication.facts import Publication
from tfake.reader.dataset import FaceDataset
from tfake.reader.splits import SPLIT_FRACTIONS, split_parts

_BATCH = 64
#: Column, its schema.org type, and what it says.
COLUMNS = {
    "image_id": ("sc:Text", "id in the source archive"),
    "row": ("sc:Integer", "place along axis 0 of every array"),
    "status": ("sc:Text", "state of the source sample; only ok has an image"),
    "landmarks_478_status": ("sc:Text", "how the dense points came about; ok, retried and fitted have points"),
    "landmarks_478_error": (
        "sc:Float",
        "of the mesh as found against the exact points, a share of the face's size",
    ),
    "yaw": ("sc:Float", "degrees, to the image's right"),
    "pitch": ("sc:Float", "degrees, upwards"),
    "roll": ("sc:Float", "degrees, clockwise in the image"),
    "face_mean": ("sc:Float", "mean over the face's pixels: degrees Celsius, or grey values of an 8-bit camera"),
    "group": ("sc:Text", "first id among the faces near-identical to this one"),
    "split": ("sc:Text", "train, validation or test; near-identical faces are in one part"),
}


def write_row_table(path: str | Path, dataset: FaceDataset) -> pd.DataFrame:
    """Write the table.

    Args:
        path: the Parquet file.
        dataset: every row of the variant, whatever its status, with the fields ``thermal`` and ``segmentation``.

    Returns:
        The table.
    """
    (variant,) = dataset.variants
    columns, rows = dataset.columns, dataset.rows
    firsts = pd.Series(columns.image_id).groupby(columns.groups).transform("min").to_numpy()[rows]
    parts = split_parts(columns.image_id, columns.groups, SPLIT_FRACTIONS, seed=0)[rows]
    table = pd.DataFrame(
        {
            "image_id": columns.image_id[rows],
            "row": rows,
            "status": [SampleStatus(code).name.lower() for code in columns.status[rows]],
            "landmarks_478_status": [MeshStatus(code).name.lower() for code in columns.landmarks_478_status[rows]],
            "landmarks_478_error": columns.landmarks_478_error[rows],
            **dict(zip(("yaw", "pitch", "roll"), columns.head_pose[rows].T, strict=True)),
            "face_mean": _face_means(dataset, variant),
            "group": firsts,
            "split": [list(SPLIT_FRACTIONS)[part] for part in parts],
        }
    )
    table[list(COLUMNS)].to_parquet(path, index=False)
    return table


def _face_means(dataset: FaceDataset, variant: str) -> np.ndarray:
    means = np.full(len(dataset), np.nan)
    for start in range(0, len(dataset), _BATCH):
        places = range(start, min(start + _BATCH, len(dataset)))
        for place, face in zip(places, dataset.batch(places), strict=True):
            pixels = face.thermal[variant][np.isin(face.segmentation, FACE_CLASSES)]
            if face.status == SampleStatus.OK and len(pixels):
                means[place] = pixels.mean(dtype=np.float64)
    return means


#: The paper of the method, in the workflow's own citation file.
_METHOD = "T-FAKE: Synthesizing Thermal Images for Facial Landmarking"


def write_citation(folder: Path, facts: Publication, workflow_citation: str | Path) -> str:
    """Write ``CITATION.cff``.

    Args:
        folder: the published folder.
        facts: what is published.
        workflow_citation: the workflow's ``CITATION.cff``, whose references are taken over.

    Returns:
        How to cite the dataset, in one line.
    """
    workflow = yaml.safe_load(Path(workflow_citation).read_text())
    kept = (_METHOD, *facts.terms.citations)
    software = {key: workflow[key] for key in ("title", "type", "version", "license", "authors")}
    citation = {
        "cff-version": "1.2.0",
        "message": "If you use this dataset, cite it and the work it builds on.",
        "type": "dataset",
        "title": facts.title,
        "version": facts.version,
        "date-released": facts.date,
        "authors": [{"name": name} for name in facts.creators],
        **({"license": facts.terms.name} if facts.terms.hub_id != "other" else {}),
        **({"license-url": facts.terms.url} if facts.terms.hub_id == "other" and facts.terms.url else {}),
        **({"url": facts.url} if facts.url else {}),
        "references": [software, *(work for work in workflow["references"] if work["title"] in kept)],
    }
    text = yaml.safe_dump(citation, sort_keys=False, allow_unicode=True, width=120)
    (folder / "CITATION.cff").write_text(text)
    return f"{', '.join(facts.creators)}: {facts.title}, version {facts.version}, {facts.date[:4]}."


_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def write_card(folder: Path, facts: Publication, table: pd.DataFrame, cite_as: str) -> None:
    """Write the card.

    Args:
        folder: the published folder.
        facts: what is published.
        table: ``rows.parquet`` (:mod:`tfake.products.publication.card`).
        cite_as: how to cite it.
    """
    environment = template_environment()
    text = environment.get_template("card.md.jinja").render(
        header=yaml.safe_dump(_header(facts), sort_keys=False, allow_unicode=True).strip(),
        facts=facts,
        columns=COLUMNS,
        statuses=table["status"].value_counts().to_dict(),
        label_statuses=table["landmarks_478_status"].value_counts().to_dict(),
        splits=table["split"].value_counts().to_dict(),
        cite_as=cite_as,
    )
    (folder / "README.md").write_text(text)


def _header(facts: Publication) -> dict:
    named = {"license_name": facts.terms.name.lower(), "license_link": "LICENSE.txt"}
    return {
        "pretty_name": facts.title,
        "license": facts.terms.hub_id,
        **(named if facts.terms.hub_id == "other" else {}),
        "task_categories": ["keypoint-detection", "image-segmentation", "image-to-image"],
        "tags": ["thermal", "infrared", "face", "landmarks", "synthetic", "zarr"],
        "size_categories": [next((name for limit, name in _SIZES if facts.rows < limit), "1M<n<10M")],
        "configs": [{"config_name": "rows", "data_files": "rows.parquet"}],
    }
