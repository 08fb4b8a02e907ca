"""Put published synthetic faces on the mesh."""

import logging

from tfake.core.files import write_whole
from tfake.studies.realism_sets import read_reference_faces


def collect_reference_faces(faces: str, folder: str, results: str) -> None:
    """Write the published faces.

    Args:
        faces: the ``.npz`` to write.
        folder: holds ``{id}_thermal.png``.
        results: the folder that holds ``faces``.

    Raises:
        ValueError: a file is no 8-bit image.
    """
    found = read_reference_faces(folder, results)
    logging.info("reference: %d faces; left out: %s", len(found), found.left_out)
    write_whole(faces, found.save)


if __name__ == "__main__":
    from pathlib import Path

    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    collect_reference_faces(
        faces=snakemake.output.faces,
        folder=str(snakemake.input.folder),
        results=str(Path(snakemake.input.faces).parents[1]),
    )
