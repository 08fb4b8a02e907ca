"""Look for faces in pictures without labels."""

import json
from dataclasses import asdict

from tfake.core.devices import limit_threads
from tfake.core.files import write_text_whole, write_whole
from tfake.landmarks.landmarker import ThermalLandmarker
from tfake.studies.landmark_study import search_folder
from tfake.training.curves import plot_image_grids

_PICTURES = 24


def search_pictures(
    findings: str,
    figure: str,
    weights: str,
    folders: dict[str, str],
    task: str,
    device: str = "auto",
    threads: int = 1,
) -> None:
    """Search some pictures of every folder, and draw what was found.

    Args:
        findings: the JSON to write, folder's name to :class:`tfake.studies.landmark_study.Findings`.
        figure: the PNG to write.
        weights: the network.
        folders: name to folder.
        task: the network's name.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        threads: threads for torch on the CPU.

    Raises:
        ValueError: a folder holds no picture.
    """
    limit_threads(threads)
    landmarker = ThermalLandmarker(weights, device)
    found = {name: search_folder(landmarker, folder, _PICTURES) for name, folder in folders.items()}
    counts = {name: asdict(each) for name, (each, _) in found.items()}
    drawn = {name: pictures for name, (_, pictures) in found.items()}
    write_whole(figure, lambda part: plot_image_grids(part, drawn, f"landmarks {task}: pictures without labels"))
    write_text_whole(findings, json.dumps(counts, indent=1) + "\n")


if __name__ == "__main__":
    from tfake.core.gpu_claims import claim_device
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    search_pictures(
        findings=snakemake.output.findings,
        figure=snakemake.output.figure,
        weights=snakemake.input.weights,
        folders=dict(snakemake.params.folders),
        task=snakemake.wildcards.task,
        device=claim_device(snakemake.config["device"]),
        threads=snakemake.threads,
    )
