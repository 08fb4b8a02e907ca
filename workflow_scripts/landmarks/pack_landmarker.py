"""Pack the network for both landmark sets and the face detector into one small file."""

import json
from pathlib import Path

from tfake.core.files import write_text_whole
from tfake.detector.detector_file import load_detector
from tfake.landmarks.landmark_network import Calibration
from tfake.landmarks.landmarker_file import load_landmark_weights
from tfake.landmarks.release import save_release


def pack_landmarker(
    weights: str,
    provenance: str,
    detector: str,
    detector_provenance: str,
    landmarker: str,
    record: str,
    sigma_factor: float = 1.0,
) -> None:
    """Pack trained networks into a landmarker's file, with the record of where they come from beside it.

    Args:
        weights: a file of the landmark training.
        provenance: the JSON beside it.
        detector: a file of the detector's training.
        detector_provenance: the JSON beside it.
        landmarker: the file to write.
        record: the JSON to write: those of both trainings, and the packed file's SHA-256 and size.
        sigma_factor: on the standard deviations of the points, and so on the threshold on their mean.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: the weights are no landmark network, or no detector, of this workflow.
    """
    network, calibration = load_landmark_weights(weights)
    network.scale_sigma(sigma_factor)
    calibration = Calibration(calibration.temperature * sigma_factor, calibration.threshold * sigma_factor)
    digest = save_release(landmarker, network, calibration, load_detector(detector))
    parts = {"landmarks": provenance, "detector": detector_provenance}
    made = {name: json.loads(Path(path).read_text(encoding="utf-8")) for name, path in parts.items()}
    made |= {"sigma_factor": sigma_factor, "sha256": digest, "bytes": Path(landmarker).stat().st_size}
    write_text_whole(record, json.dumps(made, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    pack_landmarker(
        weights=snakemake.input.weights,
        provenance=snakemake.input.provenance,
        detector=snakemake.input.detector,
        detector_provenance=snakemake.input.detector_provenance,
        landmarker=snakemake.output.landmarker,
        record=snakemake.output.provenance,
        sigma_factor=snakemake.params.sigma_factor,
    )
