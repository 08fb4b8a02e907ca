"""Score the fine-tuned networks on people, rooms and cameras that none of them was trained on."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from tfake.archive.index import read_index
from tfake.core.devices import limit_threads, resolve_device
from tfake.core.files import write_whole
from tfake.landmarks.landmark_job import StoredFaces, open_faces
from tfake.landmarks.landmarker_file import load_landmark_weights
from tfake.landmarks.scoring import center_crops
from tfake.studies.label_efficiency import score_annotated, score_crops
from tfake.studies.landmark_study import read_people
from tfake.test_sets.catalogue import KINDS

_CAMERA_SEED = 1


def score_finetuned(
    scores: str,
    runs: Sequence[Mapping[str, Any]],
    stored: StoredFaces,
    people: tuple[str, str, str],
    image_pixels: int,
    ambient_celsius: float,
    failure_above: float,
    sets: Mapping[str, Mapping[str, Any]],
    device: str = "auto",
    threads: int = 1,
) -> None:
    """Write the scores of every run on every set.

    Args:
        scores: the CSV to write: a run's own words, ``images`` (how many are labelled), and the columns of
            :func:`tfake.studies.label_efficiency.score_crops`.
        runs: each with ``weights`` and what tells it from the others.
        stored: the stores, of whose test part every thermal variant is looked at.
        people: other people's archive, index and thermal truth.
        image_pixels: height and width of the images.
        ambient_celsius: room of the other people.
        failure_above: error over sqrt(w h) above which a face counts as failed.
        sets: kind, path and values of annotated sets, by name.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        threads: threads for torch on the CPU.
    """
    limit_threads(threads)
    where = resolve_device(device)
    test = open_faces(stored, "test")
    held = [test[place] for place in range(len(test))]
    archive, index, truth = people
    others = read_people(archive, read_index(index), truth, image_pixels, ambient_celsius, _CAMERA_SEED)
    annotated = {name: KINDS[about["kind"]].load(about["path"], about["values"]) for name, about in sets.items()}
    crops, rows = {}, []
    for run in runs:
        network, _ = load_landmark_weights(run["weights"])
        pixels = network.architecture.image_pixels
        if not crops:
            crops = {variant: center_crops(held, variant, pixels) for variant in stored.variants}
            crops |= {name: center_crops(others, name, pixels) for name in ("other_room", "other_camera")}
        record = json.loads(Path(run["weights"]).with_name("provenance.json").read_text())
        about = {key: value for key, value in run.items() if key != "weights"} | {"images": record["faces"]}
        found = score_crops(network.to(where), crops, failure_above, where)
        found += score_annotated(run["weights"], annotated, failure_above, str(where))
        rows += [about | row for row in found]
    table = pd.DataFrame(rows)
    write_whole(scores, lambda part: table.to_csv(part, index=False, float_format="%.6g"))


if __name__ == "__main__":
    from tfake.core.gpu_claims import claim_device
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    score_finetuned(
        scores=snakemake.output.scores,
        runs=snakemake.params.runs,
        stored=StoredFaces.of_files(
            faces=snakemake.input.faces,
            archive=snakemake.input.archive,
            index=snakemake.input.index,
            images=snakemake.input.images,
            landmarks=70,
            variants=snakemake.params.variants,
        ),
        people=(snakemake.input.people, snakemake.input.people_index, snakemake.input.people_truth),
        image_pixels=snakemake.params.image_pixels,
        ambient_celsius=snakemake.params.ambient_celsius,
        failure_above=snakemake.params.failure_above,
        sets=snakemake.params.sets,
        device=claim_device(snakemake.config["device"]),
        threads=snakemake.threads,
    )
