"""Write the page of the realism study."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tfake.core.files import write_text_whole, write_whole
from tfake.studies.realism import figure_rows
from tfake.studies.realism_faces import FaceSet
from tfake.studies.realism_page import render_realism


def compare_realism(
    page: str, table: str, figures: str, faces: Sequence[str], scores: Sequence[str], missing: Sequence[str], tstr: bool
) -> None:
    """Write the page and the table.

    Args:
        page: the HTML to write.
        table: the CSV to write, rows of :func:`tfake.studies.realism.figure_rows`.
        figures: the JSON of :func:`tfake.studies.realism.measure_realism`.
        faces: the faces of every set in it.
        scores: ``…/{variant}/{testset}/scores.json`` of the networks trained on one variant each.
        missing: annotated test sets that are not there.
        tstr: whether such networks are wanted.
    """
    found = json.loads(Path(figures).read_text(encoding="utf-8"))
    trained: dict[str, dict[str, Mapping[str, Any]]] = {}
    for path in map(Path, scores):
        methods = json.loads(path.read_text(encoding="utf-8"))["methods"]
        trained.setdefault(path.parts[-3], {})[path.parts[-2]] = methods
    html = render_realism(found, [FaceSet.load(path) for path in faces], trained, missing, tstr)
    write_text_whole(page, html)
    rows = figure_rows(found, trained)
    write_whole(table, lambda part: rows.to_csv(part, index=False, float_format="%.6g"))


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    compare_realism(
        page=snakemake.output.page,
        table=snakemake.output.table,
        figures=snakemake.input.figures,
        faces=list(snakemake.input.faces),
        scores=list(snakemake.input.scores),
        missing=list(snakemake.params.missing),
        tstr=snakemake.params.tstr,
    )
