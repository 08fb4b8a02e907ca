"""Put the faces of a variant on the mesh."""

import logging

from tfake.core.files import write_whole
from tfake.studies.realism_sets import read_variant_faces


def collect_variant_faces(faces: str, results: str, variant: str, most_faces: int | None) -> None:
    """Write the faces of a variant.

    Args:
        faces: the ``.npz`` to write.
        results: the folder that holds ``faces`` and ``variants``.
        variant: its name.
        most_faces: images at most, spread evenly; None: all.

    Raises:
        ValueError: its images are no temperatures.
    """
    found = read_variant_faces(results, variant, most_faces)
    logging.info("%s: %d faces; left out: %s", variant, len(found), found.left_out)
    write_whole(faces, found.save)


if __name__ == "__main__":
    from pathlib import Path

    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    collect_variant_faces(
        faces=snakemake.output.faces,
        results=str(Path(snakemake.input.faces).parents[1]),
        variant=snakemake.wildcards.variant,
        most_faces=snakemake.params.most_faces,
    )
