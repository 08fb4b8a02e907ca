"""Lay the scores of all test sets side by side, with what was published."""

import json
from pathlib import Path

import pandas as pd

from tfake.core.files import write_text_whole, write_whole
from tfake.studies.test_set_page import render_evaluation, score_rows


def compare_test_sets(page: str, table: str, scores: list[str], faces: list[str], failure_above: float) -> None:
    """Write the page and the table.

    Args:
        page: the HTML to write.
        table: the CSV to write, a row a set, method and score.
        scores: each set's JSON.
        faces: each set's CSV, in the same order.
        failure_above: error up to which curves are drawn.
    """
    sets = [json.loads(Path(path).read_text(encoding="utf-8")) for path in scores]
    rows = [pd.read_csv(path, keep_default_na=True, dtype={"subject": str, "view": str}) for path in faces]
    html = render_evaluation(sets, rows, failure_above)
    write_text_whole(page, html)
    write_whole(table, lambda part: score_rows(sets).to_csv(part, index=False, float_format="%.6g"))


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    compare_test_sets(
        page=snakemake.output.page,
        table=snakemake.output.table,
        scores=list(snakemake.input.scores),
        faces=list(snakemake.input.faces),
        failure_above=snakemake.params.failure_above,
    )
