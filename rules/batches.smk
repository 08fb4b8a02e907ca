"""Which shards a thermalizing job writes: one, or a batch of them, so that the network is not loaded for each.

A batch has its outputs by name, so each is a rule of its own; all come of one text (rules/variants.smk).
"""

import itertools

# Loading the network takes a GPU as long as some thousand images: less than a twentieth of a job of so many.
IMAGES_A_GPU_JOB = 60_000
SHARDS_PER_JOB = config["store"]["shards_per_job"]
if SHARDS_PER_JOB == "auto":
    SHARDS_PER_JOB = math.ceil(len(SHARDS) / max(1, IMAGES // IMAGES_A_GPU_JOB)) if USES_GPU else 1

# Rule to the shards of its jobs and the variants that it is for.
BATCHES = {}
if SHARDS_PER_JOB == 1:
    BATCHES["thermalize_faces"] = (["{shard}"], THERMALIZED)
else:
    _variants = {}
    for _variant in THERMALIZED:
        for _, _batch in itertools.groupby(PLAN.shards(_variant), lambda shard: shard // SHARDS_PER_JOB):
            _variants.setdefault(tuple(_batch), []).append(_variant)
    for _number, _batch in enumerate(sorted(_variants)):
        BATCHES[f"thermalize_faces_{_number + 1}" if _number else "thermalize_faces"] = _batch, _variants[_batch]
