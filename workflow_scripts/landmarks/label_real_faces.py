"""Label the faces of a folder of real thermal pictures, as far as a teacher is sure of them."""

import json
import logging
from collections.abc import Mapping
from typing import Any

import numpy as np

from tfake.core.files import write_text_whole, write_whole
from tfake.labels.facemesh import FaceMesh
from tfake.labels.teacher import MIN_CONFIDENCE, TeacherSettings
from tfake.landmarks.real_faces import REAL, RealFace, save_real_faces
from tfake.landmarks.real_labelling import RealFolder, label_folder
from tfake.landmarks.scoring import center_crops
from tfake.training.curves import plot_predictions

_DRAWN = 24
_DRAWN_PIXELS = 192


def label_real_faces(
    faces: str,
    summary: str,
    figure: str,
    name: str,
    folder: Mapping[str, Any],
    teacher: Mapping[str, float],
) -> None:
    """Write what a folder's faces look like and where their points are.

    Args:
        faces: the npz to write (:func:`tfake.landmarks.real_faces.save_real_faces`).
        summary: the JSON to write: what came of how many pictures and faces.
        figure: the PNG to write: some of the faces with their points, for looking at.
        name: of the folder.
        folder: fields of :class:`tfake.landmarks.real_labelling.RealFolder`.
        teacher: fields of :class:`tfake.labels.teacher.TeacherSettings`.

    Raises:
        FileNotFoundError: no such folder or file of boxes.
        ValueError: the folder cannot be used, or holds not one face that the teacher is sure of.
    """
    with FaceMesh(MIN_CONFIDENCE, MIN_CONFIDENCE) as backend:
        found, counts = label_folder(RealFolder(**folder), backend, TeacherSettings(**teacher))
    said = ", ".join(f"{key} {value}" for key, value in counts.items())
    logging.info("%s: %s", name, said)
    if not found:
        raise ValueError(f"landmarks.real.{name}: {folder['path']} holds no face that the teacher is sure of: {said}")
    subjects = len({face.subject for face in found})
    save_real_faces(faces, found)
    write_whole(figure, lambda part: _draw(part, found, f"{name}: {len(found)} faces of {subjects} subjects"))
    write_text_whole(summary, json.dumps({"name": name, **counts, "subjects": subjects}, indent=1) + "\n")


def _draw(path: str, found: list[RealFace], title: str) -> None:
    chosen = [found[place] for place in np.unique(np.linspace(0, len(found) - 1, _DRAWN).astype(int))]
    images, points, _ = center_crops([face.to_learn_from(478) for face in chosen], REAL, _DRAWN_PIXELS, 1.6)
    size = np.sqrt(np.ptp(points, axis=1).prod(axis=1))
    crops = [
        (f"{face.disagreement:.3f}", image, np.column_stack((places, np.full(len(places), face.disagreement * edge))))
        for face, image, places, edge in zip(chosen, images, points, size, strict=True)
    ]
    plot_predictions(path, crops, f"{title}; the disagreement of the teacher's answers")


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    label_real_faces(
        faces=snakemake.output.faces,
        summary=snakemake.output.summary,
        figure=snakemake.output.figure,
        name=snakemake.wildcards.real,
        folder=snakemake.params.folder,
        teacher=snakemake.params.teacher,
    )
