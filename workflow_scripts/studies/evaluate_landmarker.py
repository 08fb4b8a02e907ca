"""Score a landmark network on faces that it was not trained on."""

import json
from dataclasses import asdict

import numpy as np

from tfake.archive.index import read_index
from tfake.core.devices import limit_threads, resolve_device
from tfake.core.files import write_whole
from tfake.landmarks.landmark_job import StoredFaces, open_faces
from tfake.landmarks.landmarker_file import load_landmark_weights
from tfake.landmarks.scoring import predict_samples
from tfake.studies.landmark_study import read_people, score_sets
from tfake.training.curves import plot_predictions

_DRAWN = 3
_CAMERA_SEED = 1


def evaluate_landmarker(
    scores: str,
    points: str,
    figure: str,
    weights: str,
    stored: StoredFaces,
    people: tuple[str, str, str],
    image_pixels: int,
    ambient_celsius: float,
    task: str,
    device: str = "auto",
    threads: int = 1,
) -> None:
    """Score a network.

    Args:
        scores: the JSON to write (:func:`tfake.studies.landmark_study.score_sets`).
        points: the NPZ to write: errors and standard deviations of every face.
        figure: the PNG to write, some faces of every set.
        weights: the network.
        stored: the stores, of which the test part is taken.
        people: other people's archive, index and thermal truth; they have 70 points.
        image_pixels: height and width of the images.
        ambient_celsius: room of the other people.
        task: the network's name.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        threads: threads for torch on the CPU.
    """
    limit_threads(threads)
    where = resolve_device(device)
    network, calibration = load_landmark_weights(weights)
    network.to(where)
    test = open_faces(stored, "test")
    held = [test[place] for place in range(len(test))]
    sets = {variant or "rgb": (held, variant) for variant in (None, *stored.variants)}
    if stored.landmarks == 70:
        archive, index, truth = people
        others = read_people(archive, read_index(index), truth, image_pixels, ambient_celsius, _CAMERA_SEED)
        sets |= {"other_people_rgb": (others, None)}
        sets |= {name: (others, name) for name in ("other_room", "other_camera")}
    rows, arrays = score_sets(network, calibration, sets, where)
    record = {"task": task, "landmarks": stored.landmarks, "calibration": asdict(calibration), "sets": rows}
    samples = [
        drawn
        for name, (faces, variant) in sets.items()
        for drawn in predict_samples(network, faces[:_DRAWN], variant, name, where)
    ]
    write_whole(
        figure, lambda part: plot_predictions(part, samples, f"landmarks {task}: faces of nobody it was trained on")
    )
    with open(points, "wb") as file:
        np.savez_compressed(file, **arrays)
    with open(scores, "w", encoding="utf-8") as file:
        json.dump(record, file, indent=1)


if __name__ == "__main__":
    from tfake.core.gpu_claims import claim_device
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    evaluate_landmarker(
        scores=snakemake.output.scores,
        points=snakemake.output.points,
        figure=snakemake.output.figure,
        weights=snakemake.input.weights,
        stored=StoredFaces.of_files(
            faces=snakemake.input.faces,
            archive=snakemake.input.archive,
            index=snakemake.input.index,
            images=snakemake.input.images,
            landmarks=snakemake.params.landmarks,
            variants=snakemake.params.variants,
        ),
        people=(snakemake.input.people, snakemake.input.people_index, snakemake.input.people_truth),
        image_pixels=snakemake.params.image_pixels,
        ambient_celsius=snakemake.params.ambient_celsius,
        task=snakemake.wildcards.task,
        device=claim_device(snakemake.config["device"]),
        threads=snakemake.threads,
    )
