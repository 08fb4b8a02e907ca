"""Write what the procedural people are: the table of attributes that captions are filled from."""

import csv
import io

from heads.description import describe_people
from tfake.core.files import write_text_whole


def describe_faces(attributes: str, seed: int, images: int) -> None:
    """Describe faces 0 .. images - 1.

    Args:
        attributes: CSV to write: ``image_id``, ``person``, ``expression``.
        seed: the source's seed.
        images: number of faces.
    """
    text = io.StringIO()
    table = csv.DictWriter(text, ("image_id", "person", "expression"), lineterminator="\n")
    table.writeheader()
    table.writerows(describe_people(seed, images))
    write_text_whole(attributes, text.getvalue())


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    describe_faces(
        attributes=snakemake.output.attributes,
        seed=snakemake.params.seed,
        images=snakemake.params.images,
    )
