"""Lay the arms of distillation and the routes to small students side by side."""

import json
from pathlib import Path

import pandas as pd

from tfake.core.files import write_text_whole, write_whole
from tfake.studies.distillation_page import render_distillation
from tfake.studies.distillation_scores import Run, gather_scores, summarise


def compare_students(
    table: str,
    summary: str,
    page: str,
    runs: list[list],
    scores: list[str],
    provenance: list[str],
    losses: list[str],
    sets: list[str],
    set_scores: list[str],
    teacher: str,
    baseline: str,
    ambient_celsius: float,
) -> None:
    """Write the students' table, what it says in figures, and their page.

    Args:
        table: the CSV to write, a row a student and set (:func:`tfake.studies.distillation_scores.gather_scores`).
        summary: the JSON to write (:func:`tfake.studies.distillation_scores.summarise`).
        page: the HTML to write.
        runs: student, route, arm and seed of each training.
        scores: of each, the JSON of ``evaluate_landmarker``.
        provenance: of each, what was written beside its weights.
        losses: of each, its table of losses.
        sets: annotated sets.
        set_scores: of each set, the JSON of ``evaluate_test_set`` of each training.
        teacher: the teacher's provenance.
        baseline: the arm that the others are compared with.
        ambient_celsius: room of the other people.
    """
    known = [Run(*run) for run in runs]
    records, made = ([json.loads(Path(path).read_text()) for path in paths] for paths in (scores, provenance))
    on_sets = [json.loads(Path(path).read_text()) for path in set_scores]
    annotated = {name: on_sets[place * len(known) : (place + 1) * len(known)] for place, name in enumerate(sets)}
    rows = gather_scores(known, records, made, annotated)
    found = summarise(rows, baseline)
    curves = {run: pd.read_csv(path) for run, path in zip(known, losses, strict=True)}
    html = render_distillation(rows, found, curves, json.loads(Path(teacher).read_text()), baseline, ambient_celsius)
    write_whole(table, lambda part: rows.to_csv(part, index=False, float_format="%.6g"))
    write_text_whole(summary, found.to_json(orient="records", indent=1) + "\n")
    write_text_whole(page, html)


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    compare_students(
        table=snakemake.output.table,
        summary=snakemake.output.summary,
        page=snakemake.output.page,
        runs=list(snakemake.params.runs),
        scores=list(snakemake.input.scores),
        provenance=list(snakemake.input.provenance),
        losses=list(snakemake.input.losses),
        sets=list(snakemake.params.sets),
        set_scores=list(snakemake.input.set_scores),
        teacher=snakemake.input.teacher,
        baseline=snakemake.params.baseline,
        ambient_celsius=snakemake.params.ambient_celsius,
    )
