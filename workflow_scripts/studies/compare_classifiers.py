"""Lay the classifiers and the baselines side by side, with intervals over people."""

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from tfake.core.files import write_text_whole, write_whole
from tfake.studies.class_scores import score_answers, summarise_scores, tabulate_scores
from tfake.studies.classification_page import render_classification


def compare_classifiers(
    table: str,
    summary: str,
    page: str,
    answers: Sequence[str],
    provenance: Sequence[str],
    attributes: Sequence[str],
    draws: int,
) -> None:
    """Write the scores, and their page.

    Args:
        table: the CSV to write, a row a method and set.
        summary: the JSON to write: the same with confusion matrices, and how people are divided.
        page: the HTML to write.
        answers: the CSV of ``score_classifiers`` of each attribute.
        provenance: the JSON of every network.
        attributes: what is classified.
        draws: how often people are drawn for the intervals.
    """
    records = [json.loads(Path(path).read_text()) for path in provenance]
    classes = {record["attribute"]: tuple(record["classes"]) for record in records}
    scores = {
        name: score_answers(pd.read_csv(path), classes[name], draws)
        for name, path in zip(attributes, answers, strict=True)
    }
    rows = pd.DataFrame([row for name, found in scores.items() for row in tabulate_scores(name, found)])
    html = render_classification(rows, scores, classes, records, draws)
    write_whole(table, lambda part: rows.to_csv(part, index=False, float_format="%.6g"))
    write_text_whole(summary, json.dumps(summarise_scores(scores, classes, records), indent=1) + "\n")
    write_text_whole(page, html)


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    compare_classifiers(
        table=snakemake.output.table,
        summary=snakemake.output.summary,
        page=snakemake.output.page,
        answers=list(snakemake.input.answers),
        provenance=list(snakemake.input.provenance),
        attributes=snakemake.params.attributes,
        draws=snakemake.params.draws,
    )
