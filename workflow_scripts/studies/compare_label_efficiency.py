"""Draw error against the number of labels, and tell how many labels each method needs."""

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from tfake.core.files import write_text_whole, write_whole
from tfake.studies.label_curves import build_curves
from tfake.studies.label_efficiency_page import render_label_efficiency


def compare_label_efficiency(
    page: str,
    curves: str,
    scores: str,
    pretraining: Sequence[str],
    pretrained: Sequence[str],
    reference: str,
    failure_above: float,
    ambient_celsius: float,
) -> None:
    """Write the curves and their page.

    Args:
        page: the HTML to write.
        curves: the CSV to write (:func:`tfake.studies.label_efficiency.build_curves`).
        scores: the CSV of ``score_finetuned``.
        pretraining: provenance of the encoders that methods begin with.
        pretrained: the methods that do.
        reference: the method that the others are compared with.
        failure_above: error above which a face counts as failed.
        ambient_celsius: room of the other people.
    """
    table = build_curves(pd.read_csv(scores))
    records = [json.loads(Path(path).read_text()) for path in pretraining]
    html = render_label_efficiency(table, records, pretrained, reference, failure_above, ambient_celsius)
    write_whole(curves, lambda part: table.to_csv(part, index=False, float_format="%.6g"))
    write_text_whole(page, html)


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    compare_label_efficiency(
        page=snakemake.output.page,
        curves=snakemake.output.curves,
        scores=snakemake.input.scores,
        pretraining=list(snakemake.input.pretraining),
        pretrained=snakemake.params.pretrained,
        reference=snakemake.params.reference,
        failure_above=snakemake.params.failure_above,
        ambient_celsius=snakemake.params.ambient_celsius,
    )
