"""Compare every set of faces with every real one."""

import json
from collections.abc import Sequence

from tfake.core.files import write_text_whole
from tfake.studies.realism import measure_realism as measure
from tfake.studies.realism_faces import FaceSet


def measure_realism(figures: str, made: Sequence[str], real: Sequence[str], seed: int) -> None:
    """Write the figures.

    Args:
        figures: the JSON to write (:func:`tfake.studies.realism.measure_realism`).
        made: faces of variants and other synthetic sets.
        real: faces of real sets.
        seed: of halves, folds and noise.
    """
    found = measure([FaceSet.load(path) for path in made], [FaceSet.load(path) for path in real], seed)
    write_text_whole(figures, json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    measure_realism(
        figures=snakemake.output.figures,
        made=[*snakemake.input.variants, *snakemake.input.reference],
        real=list(snakemake.input.real),
        seed=snakemake.params.seed,
    )
