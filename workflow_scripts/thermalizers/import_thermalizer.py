"""Take a thermalizer that was trained elsewhere."""

import json
import logging

from tfake.core.files import write_text_whole
from tfake.store.manifest import file_sha256
from tfake.thermalizer.thermalizer_file import import_weights
from tfake.training.weights_file import read_weights


def import_thermalizer(weights: str, provenance: str, released: str, sha256: str | None, condition: str) -> None:
    """Check a trained thermalizer and write it as this workflow's own, with its origin beside it.

    Args:
        weights: the weights to write.
        provenance: the JSON to write beside them.
        released: the file that was trained elsewhere (:func:`tfake.thermalizer.thermalizer_file.import_weights`).
        sha256: what that file must be; None takes any.
        condition: the condition's name.

    Raises:
        ValueError: another file than configured, or no thermalizer.
    """
    found = file_sha256(released)
    if sha256 is not None and found != sha256:
        raise ValueError(f"{released}: its SHA-256 is {found}, thermalizers.{condition}.sha256 is {sha256}")
    digest, origin = import_weights(weights, released, condition)
    own_format = read_weights(weights, "thermalizer")["format"]
    record = {"format": own_format, "weights_sha256": digest, "condition": condition}
    record["imported"] = {"sha256": found, **origin}
    write_text_whole(provenance, json.dumps(record, indent=2, sort_keys=True) + "\n")
    logging.info("%s: %s, SHA-256 %s", released, origin["kind"], found)


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    import_thermalizer(
        weights=snakemake.output.weights,
        provenance=snakemake.output.provenance,
        released=str(snakemake.input.weights),
        sha256=snakemake.params.sha256,
        condition=snakemake.wildcards.condition,
    )
