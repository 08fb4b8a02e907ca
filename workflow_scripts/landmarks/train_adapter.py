"""Train a label adapter from one landmark set to another."""

import json
import logging
from collections.abc import Mapping
from typing import Any

from tfake.core.devices import limit_threads
from tfake.core.files import write_text_whole
from tfake.landmarks.adapter_training import AdapterSettings, pairs_of_stores
from tfake.landmarks.adapter_training import train_adapter as train
from tfake.landmarks.adapters import save_adapter
from tfake.studies.landmark_errors import finite


def train_adapter(
    weights: str, errors: str, adapter: str, results: str, settings: Mapping[str, Any], threads: int
) -> None:
    """Write an adapter and its errors on held-out faces.

    Args:
        weights: the file to write (:func:`tfake.landmarks.adapters.save_adapter`).
        errors: the JSON to write (:func:`tfake.landmarks.adapter_training.adaptation_errors`).
        adapter: ``SOURCE_to_TARGET``, names of landmark sets.
        results: the folder that holds ``faces``.
        settings: keys of :class:`tfake.landmarks.adapter_training.AdapterSettings`.
        threads: CPU threads.

    Raises:
        ValueError: there is no such landmark set, or the faces store does not tell it.
    """
    limit_threads(threads)
    source, _, target = adapter.partition("_to_")
    pairs = pairs_of_stores(results, source, target)
    trained, measured = train(pairs, AdapterSettings(**settings))
    save_adapter(weights, trained)
    text = json.dumps(finite(measured), indent=1) + "\n"
    write_text_whole(errors, text)
    logging.info("%s: %s", adapter, measured)


if __name__ == "__main__":
    from pathlib import Path

    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    train_adapter(
        weights=snakemake.output.weights,
        errors=snakemake.output.errors,
        adapter=snakemake.params.adapter,
        results=str(Path(snakemake.input.faces).parents[1]),
        settings=snakemake.params.settings,
        threads=snakemake.threads,
    )
