"""From what the workflow made to one HTML text with everything in it."""

import math
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

import tfake
from tfake.core.codes import LABELLED, MeshStatus, SampleStatus
from tfake.pages.charts import Drawing
from tfake.pages.template_environment import template_environment
from tfake.pages.wording import words_of
from tfake.products.report.gallery import Gallery
from tfake.products.report.label_quality import LabelQuality
from tfake.products.report.lineage import Node, describe_lineage, draw_lineage
from tfake.products.report.reference import Reference
from tfake.products.report.run_facts import SealedStore, StepTime, VariantFacts
from tfake.products.report.temperatures import VariantTemperatures, prior_pull

_TEMPLATE = "page.html.jinja"
#: Samples named one by one in a list; of a longer list the rest is counted.
_LISTED = 200


def render_page(
    page: str | Path,
    config: Mapping[str, Any],
    config_file: str | Path,
    archive: Sequence[str],
    index: pd.DataFrame,
    mesh_status: Sequence[int],
    faces: SealedStore,
    labels: LabelQuality,
    variants: Mapping[str, SealedStore],
    variant_facts: Sequence[VariantFacts],
    gallery: Gallery,
    temperatures: Sequence[VariantTemperatures],
    timings: Sequence[StepTime],
    reference: Reference | None,
    viewer_data: Mapping[str, Any],
    lineage: Sequence[Node],
    figures: Mapping[str, Drawing],
    sampled_faces: int,
    copies: Mapping[str, str],
) -> str:
    """Fill the template.

    Args:
        page: where the page will lie; links are relative to it.
        config: the effective configuration.
        config_file: where it is saved.
        archive: the source archive's files.
        index: the archive's index.
        mesh_status: (N,) ``landmarks_478_status`` of every row.
        faces: the faces store.
        labels: the quality of the dense labels.
        variants: variant to its thermal store.
        variant_facts: what each variant is, a line each.
        gallery: the gallery's cards.
        temperatures: temperatures by class of each variant.
        timings: time by rule.
        reference: published images beside ours; None leaves the section out.
        viewer_data: from :func:`tfake.products.report.viewer_data.describe_viewer`.
        lineage: what was made from what.
        figures: ``temperatures`` and ``losses``, where there is something to draw.
        sampled_faces: of how many faces at most the temperatures' shapes are.
        copies: files that the page leads to, and where their copies lie beside it.

    Returns:
        The page: HTML that refers to nothing but its own folder.
    """
    folder = os.path.dirname(page) or "."
    environment = template_environment()
    environment.filters["link"] = lambda path: os.path.relpath(path, folder).replace(os.sep, "/")
    stores = [faces, *variants.values()]
    return environment.get_template(_TEMPLATE).render(
        config=config,
        config_text=yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True),
        config_file=config_file,
        source_name=" + ".join(os.path.basename(path) for path in archive),
        source_sha256=index.attrs["source_sha256"],
        faces=faces,
        labels=labels,
        variants=variants,
        variant_facts=variant_facts,
        stores=stores,
        verified_files=sum(store.verified_files for store in stores),
        verified_bytes=sum(store.verified_bytes for store in stores),
        gallery=gallery,
        statuses=_count_statuses(faces),
        bad=_bad_samples(index),
        unfound=_unfound_faces(index, mesh_status),
        listed=_LISTED,
        temperatures=temperatures,
        prior_pull=prior_pull(config),
        temperature_drawing=figures.get("temperatures"),
        sampled_faces=sampled_faces,
        copies=copies,
        loss_drawing=figures.get("losses"),
        timings=timings,
        cpu_seconds=sum(step.cpu_seconds for step in timings if not math.isnan(step.cpu_seconds)),
        lineage=describe_lineage(lineage),
        lineage_drawing=draw_lineage(lineage),
        reference=reference,
        viewer_data=viewer_data,
        version=tfake.__version__,
        built=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )


def _count_statuses(faces: SealedStore) -> list[dict[str, Any]]:
    """Rows by status, of the source samples and of the 478 points; statuses that do not occur are left out."""
    groups = {"source": ("Source samples", SampleStatus), "mesh": ("478 points", MeshStatus)}
    return [
        {
            "group": title,
            "status": words_of(code),
            "ok": code == 0 or code in LABELLED,
            "count": count,
            "share": count / faces.rows,
        }
        for prefix, (title, codes) in groups.items()
        for code in codes
        if (count := faces.counts.get(f"{prefix}_{code.name.lower()}", 0))
    ]


def _bad_samples(index: pd.DataFrame) -> list[dict[str, Any]]:
    """Every sample that cannot be used: row, id, status in words, detail."""
    return [
        {"row": row.Index, "id": row.image_id, "status": words_of(SampleStatus(row.status)), "detail": row.detail}
        for row in index[index["status"] != SampleStatus.OK].itertuples()
    ]


def _unfound_faces(index: pd.DataFrame, mesh_status: Sequence[int]) -> list[str]:
    """Ids of the usable samples that have no 478 points."""
    status = pd.Series(mesh_status, index=index.index)
    return index["image_id"][status.isin((MeshStatus.REJECTED, MeshStatus.NOT_FOUND))].tolist()
