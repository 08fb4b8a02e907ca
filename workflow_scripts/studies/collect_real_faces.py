"""Put the faces of a folder of real images on the mesh."""

import logging
from collections.abc import Mapping
from typing import Any

from tfake.core.files import write_whole
from tfake.studies.realism_sets import RealSettings, read_real_faces


def collect_real_faces(faces: str, name: str, settings: Mapping[str, Any], most_faces: int | None) -> None:
    """Write the faces of a real set.

    Args:
        faces: the ``.npz`` to write.
        name: of the set.
        settings: of :class:`tfake.studies.realism_sets.RealSettings`.
        most_faces: images at most, spread evenly; None: all.

    Raises:
        ValueError: the folder cannot be read as declared.
    """
    found = read_real_faces(name, RealSettings(**settings), most_faces)
    logging.info("%s: %d faces; left out: %s", name, len(found), found.left_out)
    write_whole(faces, found.save)


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    collect_real_faces(
        faces=snakemake.output.faces,
        name=snakemake.wildcards.realset,
        settings=snakemake.params.settings,
        most_faces=snakemake.params.most_faces,
    )
