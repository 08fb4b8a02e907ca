"""The report's page: one HTML text with everything in it but the faces that it opens."""

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
from tfake.pages.template_environment import template_environment
from tfake.pages.wording import words_of
from tfake.products.report.image_sources import FaceSource
from tfake.products.report.lineage import Node, describe_lineage, draw_lineage
from tfake.products.report.run_facts import SealedStore, StepTime
from tfake.products.report.temperatures import prior_pull

_TEMPLATE = "page.html.jinja"
#: Samples named one by one in a list; of a longer list the rest is counted.
_LISTED = 200


def render_page(
    page: str | Path,
    config: Mapping[str, Any],
    archive: Sequence[str],
    source: FaceSource,
    faces: SealedStore,
    variants: Mapping[str, SealedStore],
    timings: Sequence[StepTime],
    lineage: Sequence[Node],
    **sections: Any,
) -> str:
    """Fill the template.

    Args:
        page: where the page will lie; links are relative to it.
        config: the effective configuration.
        archive: the source archive's files.
        source: the same, open, with index and labels.
        faces: the faces store.
        variants: variant to its thermal store.
        timings: time by rule.
        lineage: what was made from what.
        sections: what the other modules of this package gathered, by the names that the template has for them.

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
        source_name=" + ".join(os.path.basename(path) for path in archive),
        source_sha256=source.index.attrs["source_sha256"],
        faces=faces,
        variants=variants,
        stores=stores,
        verified_files=sum(store.verified_files for store in stores),
        verified_bytes=sum(store.verified_bytes for store in stores),
        statuses=_count_statuses(faces),
        bad=_bad_samples(source.index),
        unfound=_unfound_faces(source),
        listed=_LISTED,
        prior_pull=prior_pull(config),
        timings=timings,
        cpu_seconds=sum(step.cpu_seconds for step in timings if not math.isnan(step.cpu_seconds)),
        lineage=describe_lineage(lineage),
        lineage_drawing=draw_lineage(lineage),
        version=tfake.__version__,
        built=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        **sections,
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
            "fraction": count / faces.rows,
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


def _unfound_faces(source: FaceSource) -> list[str]:
    """Ids of the usable samples that have no 478 points."""
    status = pd.Series(source.labels["landmarks_478_status"][:], index=source.index.index)
    return source.index["image_id"][status.isin((MeshStatus.REJECTED, MeshStatus.NOT_FOUND))].tolist()
