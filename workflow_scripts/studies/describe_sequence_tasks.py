"""Put what came of the sequences and scenes into tables, totals and a page."""

import json
from pathlib import Path

from tfake.core.files import write_text_whole, write_whole
from tfake.studies.landmark_errors import finite
from tfake.studies.sequence_scores import Bootstrap, breathing_table, scene_table, sequence_table, summarise
from tfake.studies.sequence_tasks_page import render_tasks


def describe_sequence_tasks(
    folder: str, page: str, summary: str, records: list[str], scenes: list[str], draws: int, seed: int, weights: str
) -> None:
    """Write ``sequences.csv``, ``scenes.csv`` and ``breathing.csv``, the totals and the page.

    Args:
        folder: of the tables.
        page: the HTML to write.
        summary: the JSON to write (:func:`tfake.studies.sequence_scores.summarise`).
        records: of each person, the JSON of ``follow_sequences``.
        scenes: the JSON of ``follow_scenes``; none where there are no scenes.
        draws: of the intervals.
        seed: of the draws.
        weights: what was measured.
    """
    found = [record for path in records for record in json.loads(Path(path).read_text())]
    crossed = [record for path in scenes for record in json.loads(Path(path).read_text())]
    tables = {
        "sequences": sequence_table(found),
        "scenes": scene_table(crossed),
        "breathing": breathing_table(found),
    }
    totals = summarise(found, crossed, Bootstrap(draws, seed)) | {"interval_draws": draws}
    html = render_tasks(totals, *tables.values(), weights)
    for name, table in tables.items():
        write_whole(f"{folder}/{name}.csv", lambda part, own=table: own.to_csv(part, index=False, float_format="%.6g"))
    write_text_whole(summary, json.dumps(finite(totals), indent=1) + "\n")
    write_text_whole(page, html)


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    describe_sequence_tasks(
        folder=str(Path(snakemake.output.page).parent),
        page=snakemake.output.page,
        summary=snakemake.output.summary,
        records=list(snakemake.input.records),
        scenes=list(snakemake.input.scenes),
        draws=snakemake.params.draws,
        seed=snakemake.params.seed,
        weights=snakemake.params.weights,
    )
