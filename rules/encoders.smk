"""Pretrained encoders: fetched once, before any training, which then needs no network.

NEEDS  thermalizer.encoder_weights or landmarks.pretrained; a connection to the host of the weights
MAKES  resources/encoders/{network}.pt      read by every process of a training
"""

# What the encoder of either kind of network depends on.
ENCODER_SETTINGS = {
    "thermalizer": {key: config["thermalizer"][key] for key in ("decoder_channels", "encoder", "encoder_weights")},
    "landmarks": {key: config["landmarks"][key] for key in ("backbone", "head", "pretrained")},
}
# A training's own file, or nothing where it starts from random weights.
ENCODERS = {
    "thermalizer": ["resources/encoders/thermalizer.pt"] if config["thermalizer"]["encoder_weights"] else [],
    "landmarks": ["resources/encoders/landmarks.pt"] if config["landmarks"]["pretrained"] else [],
}


rule fetch_encoder_weights:
    """Fetch the pretrained weights of the encoder that a training starts from."""
    output:
        weights="resources/encoders/{network}.pt",
    log:
        "logs/fetch_encoder_weights/{network}.log",
    benchmark:
        "benchmarks/fetch_encoder_weights/{network}.tsv"
    wildcard_constraints:
        network="|".join(ENCODER_SETTINGS),
    retries: 2
    localrule: True
    conda:
        "../envs/thermalizer.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(2000),
        runtime=minutes(60),
    params:
        recipe=1,
        settings=lambda wildcards: ENCODER_SETTINGS[wildcards.network],
    message:
        "Fetching the pretrained encoder of the {wildcards.network}."
    script:
        "../workflow_scripts/thermalizers/fetch_encoder_weights.py"
