"""Find FaceMesh's points in every frame of a film that drives stills."""

from tfake.core.files import write_whole
from tfake.labels.detection import LabelSettings
from tfake.labels.labelling import open_backend
from tfake.retargeting.driver import find_meshes, read_film


def track_driver(meshes: str, film: str, min_detection_confidence: float) -> None:
    """Write the meshes of a film's face.

    Args:
        meshes: the ``.npz`` to write: ``meshes`` (T, 478, 3) pixels, and ``seconds`` (T,).
        film: a film of one face in visible light.
        min_detection_confidence: 0..1, threshold of the face detector.

    Raises:
        ThermalFileError: the film cannot be read, or ends early.
        ValueError: no frame shows a face.
    """
    settings = LabelSettings("facemesh", None, min_detection_confidence, min_detection_confidence, 1.0, 1.0, False)
    with open_backend(settings) as backend:
        try:
            found = find_meshes(read_film(film), backend)
        except ValueError as error:
            raise ValueError(f"{film}: {error}") from error
    write_whole(meshes, found.save)


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    track_driver(
        meshes=snakemake.output.meshes,
        film=snakemake.input.film,
        min_detection_confidence=snakemake.params.min_detection_confidence,
    )
