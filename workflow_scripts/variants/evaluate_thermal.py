"""Compare a variant of the procedural faces with their thermal truth."""

import logging
from functools import partial

import pandas as pd
from tqdm import tqdm

from tfake.core.files import write_whole
from tfake.thermalizer.evaluation import EVALUATION_COLUMNS, FACE_ROW, compare_with_truth


def evaluate_thermal(table: str, store: str, faces_store: str, truth: str) -> None:
    """Write the errors of a variant by class, in kelvin.

    Args:
        table: the CSV to write (columns and rows: :meth:`tfake.thermalizer.evaluation.ErrorSums.rows`).
        store: the variant's ``thermal.zarr``.
        faces_store: the ``faces.zarr`` of the same source.
        truth: the zip with the source's thermal truth for this variant's condition.

    Raises:
        TruthError: the truth lacks a member, or one does not fit; it is named.
    """
    rows = compare_with_truth(store, faces_store, truth, partial(tqdm, desc="compare with truth"))
    write_whole(table, lambda part: pd.DataFrame(rows, columns=EVALUATION_COLUMNS).to_csv(part, index=False))
    for row in rows:
        if row["class"] == FACE_ROW:
            logging.info("face: %.3f K mean absolute error, %.3f K bias", row["mae_expected"], row["bias_expected"])


if __name__ == "__main__":
    from pathlib import Path

    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    evaluate_thermal(
        table=snakemake.output.table,
        store=str(Path(snakemake.input.root).parent),
        faces_store=str(Path(snakemake.input.faces_root).parent),
        truth=snakemake.input.truth,
    )
