"""Let the classifiers of an attribute and the baselines answer for people whom they have not seen."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from tfake.classification.classifier_network import load_classifier
from tfake.classification.clip_sources import ClipSources
from tfake.core.devices import limit_threads, resolve_device
from tfake.core.ethics_note import require_accepted
from tfake.core.files import write_whole
from tfake.studies.class_predictions import answers_of_baselines, answers_of_network, find_test_sets, tabulate


def score_classifiers(
    answers: str,
    runs: Sequence[Mapping[str, Any]],
    regimes: Sequence[str],
    sources: ClipSources,
    elsewhere: Mapping[str, str],
    accepts_ethics_note: bool,
    device: str = "auto",
    threads: int = 1,
) -> None:
    """Write what every network and baseline answers for every clip of every test set.

    Args:
        answers: the CSV to write (:data:`tfake.studies.class_scores.COLUMNS`).
        runs: ``method``, ``regime``, ``seed`` and ``weights`` of each network.
        regimes: what they learnt from.
        sources: where clips come from.
        elsewhere: folders of other runs with sequences of other people, by name.
        accepts_ethics_note: whether the configuration accepts the note (:mod:`tfake.core.ethics_note`).
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        threads: threads for torch on the CPU.

    Raises:
        EthicsNoteError: of apparent sex, and the note is not accepted.
        FileNotFoundError: a labelled set is not there; the message says where to ask for it.
        ValueError: a network of other classes, or a set that cannot be used.
    """
    require_accepted(sources.attribute, accepts_ethics_note)
    limit_threads(threads)
    where = resolve_device(device)
    sets = find_test_sets(sources, elsewhere)
    tables = [answers_of_baselines(sources, regimes, sets)]
    for run in runs:
        network = load_classifier(run["weights"])
        if network.architecture.classes != sources.classes:
            found = ", ".join(network.architecture.classes)
            raise ValueError(f"{run['weights']}: expected the classes {', '.join(sources.classes)}; found {found}")
        about = {key: run[key] for key in ("method", "regime", "seed")}
        found = answers_of_network(network.to(where), sets, where)
        tables.append(pd.DataFrame(tabulate(about, found, sets, sources.classes)))
    table = pd.concat(tables, ignore_index=True)
    write_whole(answers, lambda part: table.to_csv(part, index=False))


if __name__ == "__main__":
    from pathlib import Path

    from tfake.core.gpu_claims import claim_device
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    score_classifiers(
        answers=snakemake.output.answers,
        runs=snakemake.params.runs,
        regimes=snakemake.params.regimes,
        sources=ClipSources(sequences=str(Path(snakemake.input.sequences).parents[1]), **snakemake.params.division),
        elsewhere=snakemake.params.elsewhere,
        accepts_ethics_note=snakemake.config["face_classification"]["accept_ethics_note"],
        device=claim_device(snakemake.config["device"]),
        threads=snakemake.threads,
    )
