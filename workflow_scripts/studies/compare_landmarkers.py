"""Lay the landmark networks of the study side by side."""

import json
from pathlib import Path

import numpy as np

from tfake.core.files import write_text_whole, write_whole
from tfake.studies.landmark_page import compare, gather, render_study


def compare_landmarkers(
    table: str,
    summary: str,
    page: str,
    scores: list[str],
    points: list[str],
    figures: list[str],
    findings: list[str],
    picture_figures: list[str],
    ambient_celsius: float,
) -> None:
    """Write the networks' table, what it says in figures, and their page.

    Args:
        table: the CSV to write, a row a network and set.
        summary: the JSON to write (:func:`tfake.studies.landmark_page.compare`).
        page: the HTML to write.
        scores: a JSON a network, from ``evaluate_landmarker``.
        points: its NPZ.
        figures: its PNG.
        findings: a JSON a network, from ``search_pictures``; none where there are no pictures.
        picture_figures: its PNG.
        ambient_celsius: room of the other people.
    """
    records = [json.loads(Path(path).read_text()) for path in scores]
    rows = gather(records)
    found = compare(rows)
    arrays = {record["task"]: np.load(path) for record, path in zip(records, points, strict=True)}
    pictures = {record["task"]: path for record, path in zip(records, figures, strict=True)}
    searched = {
        record["task"]: (json.loads(Path(counts).read_text()), figure)
        for record, counts, figure in zip(records if findings else [], findings, picture_figures, strict=True)
    }
    html = render_study(rows, found, records, arrays, pictures, searched, ambient_celsius)
    write_whole(table, lambda part: rows.to_csv(part, index=False, float_format="%.6g"))
    write_text_whole(summary, json.dumps(found, indent=1) + "\n")
    write_text_whole(page, html)


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    compare_landmarkers(
        table=snakemake.output.table,
        summary=snakemake.output.summary,
        page=snakemake.output.page,
        scores=list(snakemake.input.scores),
        points=list(snakemake.input.points),
        figures=list(snakemake.input.figures),
        findings=list(snakemake.input.findings),
        picture_figures=list(snakemake.input.picture_figures),
        ambient_celsius=snakemake.params.ambient_celsius,
    )
