"""Compare the arms of the ablation in a table and a page."""

import json
from pathlib import Path

from tfake.core.files import write_text_whole, write_whole
from tfake.studies.ablation_page import gather_scores, render_ablation, summarise_arms


def compare_arms(
    table: str, page: str, scores: list[str], costs: str, baseline: str, pairs_ambient_celsius: float
) -> None:
    """Write the arms' table and their page.

    Args:
        table: the CSV to write, rows of :data:`tfake.studies.ablation_page.ARM_COLUMNS`.
        page: the HTML to write.
        scores: ``…/{faces}/{condition}/{arm}/{seed}.json``, each with a strip of pictures ``.png`` beside it.
        costs: the JSON of :func:`tfake.studies.costs.measure_costs`.
        baseline: the arm that the others are compared with.
        pairs_ambient_celsius: ambient temperature of the pairs.
    """
    gathered = gather_scores(scores)
    arms = summarise_arms(gathered)
    strips = {}
    for path in map(Path, scores):
        strips.setdefault(tuple(path.parts[-4:-1]), path.with_suffix(".png"))
    html = render_ablation(gathered, arms, strips, json.loads(Path(costs).read_text()), baseline, pairs_ambient_celsius)
    write_text_whole(page, html)
    write_whole(table, lambda part: arms.to_csv(part, index=False, float_format="%.6g"))


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    compare_arms(
        table=snakemake.output.table,
        page=snakemake.output.page,
        scores=list(snakemake.input.scores),
        costs=snakemake.input.costs,
        baseline=snakemake.params.baseline,
        pairs_ambient_celsius=snakemake.params.pairs_ambient_celsius,
    )
