"""Look at the sequences of one person, frame by frame and as videos."""

import json

from tqdm import tqdm

from tfake.core.devices import limit_threads
from tfake.core.files import write_text_whole
from tfake.reader.sequences import open_sequences
from tfake.studies.landmark_errors import finite
from tfake.studies.sequence_tasks import measure_sequence, open_landmarker


def follow_sequences(records: str, results: str, subject: str, weights: str, device: str, threads: int) -> None:
    """Write what came of each sequence (:func:`tfake.studies.sequence_tasks.measure_sequence`).

    Args:
        records: the JSON to write.
        results: the folder that holds ``sequences/sequences.zarr``.
        subject: whose sequences.
        weights: of the landmarker, or ``package``.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        threads: CPU threads.

    Raises:
        ValueError: the store has no sequence of this person.
    """
    limit_threads(threads)
    sequences = open_sequences(results)
    own = sequences.where(subjects=[subject])
    if not len(own):
        raise ValueError(
            f"expected sequences of {subject}, found those of {', '.join(sorted(set(sequences.subject_ids)))}"
        )
    landmarker = open_landmarker(weights, device)
    found = [
        measure_sequence(landmarker, sequence, sequences.frames_per_second)
        for sequence in tqdm(own, total=len(own), desc="sequences", disable=None)
    ]
    write_text_whole(records, json.dumps(finite(found), indent=1) + "\n")


if __name__ == "__main__":
    from pathlib import Path

    from tfake.core.gpu_claims import claim_device
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    follow_sequences(
        records=snakemake.output.records,
        results=str(Path(snakemake.input.report).parents[1]),
        subject=snakemake.wildcards.person,
        weights=snakemake.params.weights,
        device=claim_device(snakemake.config["device"]),
        threads=snakemake.threads,
    )
