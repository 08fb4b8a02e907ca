"""A finished store of tiny sequences: two people, two expressions, four frames of 64 pixels."""

from pathlib import Path
from typing import Any

import yaml

from recipes import ROOT
from sequences.render_sequence import render_sequence
from stores.create_store import create_store
from tfake.config.plan_sequences import SequencePlan
from tfake.store.sealing import seal_store
from tfake.variants.kinds import KINDS

FRAMES = 4


def sequence_plan(**changes: Any) -> SequencePlan:
    """The plan of the default config with some keys of ``sequences`` changed."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    config["sequences"] |= changes
    return SequencePlan(config)


def write_sequences(results: Path, plan: SequencePlan, made: int | None = None) -> Path:
    """Make the store of a plan in ``results``; only the first ``made`` sequences, unsealed, where a number is given.

    Returns:
        The folder that holds the store.
    """
    folder = results / "sequences"
    store = folder / "sequences.zarr"
    given = {"recipe": 1, "settings": plan.settings, "sequences": plan.sequences}
    create_store(str(store), KINDS["sequences"], plan.frames, given)
    (folder / "manifests").mkdir()
    numbers = range(len(plan.sequences) if made is None else made)
    manifests = [folder / f"manifests/{shard}.json" for shard in numbers]
    for shard in numbers:
        rows = (shard * plan.frames, (shard + 1) * plan.frames)
        render_sequence(str(manifests[shard]), str(store), shard, rows, plan.sequences[shard], plan.settings)
    if made is None:
        seal_store(folder / "SHA256SUMS", folder / "summary.json", store, manifests, plan.rows)
    return folder
