"""Thermalizers: one network a condition, from RGB to degrees Celsius; trained here, or elsewhere.

NEEDS  the source archive and its index; pairs of RGB and thermal images (conditions.*.pairs, or the lab set);
       thermal images without a partner (conditions.*.bank, or those of the pairs), unless its kind is diffusion
       for a pretrained encoder (thermalizer.encoder_weights, landmarks.pretrained) a connection to the host of its weights
       for networks with a heat field (heat_field of thermalizer or diffusion_thermalizer) results/faces/faces.zarr, which has the sources' points
       for a condition that is not trained thermalizers.{condition}: a path or a URL, and the file's SHA-256
MAKES  resources/encoders/{network}.pt      read by every process of a training, which then needs no connection
       results/thermalizers/{condition}/patches.npz
       results/thermalizers/{condition}/weights.pt, provenance.json, losses.csv, losses.png, samples.png
                                           of the network that conditions.{condition}.kind names
       resources/weights/{condition}.pt     weights that were trained elsewhere and have a URL
"""


rule fetch_encoder_weights:
    """Fetch the pretrained weights of the encoder that a training starts from."""
    output:
        weights="resources/encoders/{network}.pt",
    log:
        "logs/fetch_encoder_weights/{network}.log",
    benchmark:
        "benchmarks/fetch_encoder_weights/{network}.tsv"
    wildcard_constraints:
        network=one_of(PLAN.thermalizers.encoder_settings),
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
        settings=lookup(dpath="{network}", within=PLAN.thermalizers.encoder_settings),
    message:
        "Fetching the pretrained encoder of the {wildcards.network}."
    script:
        "../workflow_scripts/thermalizers/fetch_encoder_weights.py"


rule sample_patches:
    """Sample the bank of real thermal patches of one condition."""
    input:
        images=branch(
            lookup(dpath="conditions/{condition}/bank/path", within=config),
            then=lookup(dpath="conditions/{condition}/bank/path", within=config),
            otherwise=branch(
                lookup(dpath="conditions/{condition}/pairs/path", within=config),
                then=lookup(dpath="conditions/{condition}/pairs/path", within=config),
                otherwise=rules.render_lab.output.pairs,
            ),
        ),
    output:
        patches="results/thermalizers/{condition}/patches.npz",
    log:
        "logs/sample_patches/{condition}.log",
    benchmark:
        "benchmarks/sample_patches/{condition}.tsv"
    conda:
        f"{REPOSITORY}/envs/thermalizer.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(2000),
        runtime=minutes(60),
    params:
        **PLAN.thermalizers.bank_settings,
        recipe=1,
        bank_path=lookup(dpath="conditions/{condition}/bank/path", within=config),
        bank_values=lookup(dpath="conditions/{condition}/bank/values", within=config),
        pair_values=lookup(dpath="conditions/{condition}/pairs/values", within=config),
        pair_layout=lookup(dpath="conditions/{condition}/pairs/layout", within=config),
    message:
        "Sampling {params.bank_patches} thermal patches a scale for {wildcards.condition}."
    script:
        f"{REPOSITORY}/workflow_scripts/thermalizers/sample_patches.py"


rule train_thermalizer:
    """Train the thermalizer of one condition."""
    input:
        archive=PLAN.source.undecoded,
        images=PLAN.stores.all_decoded,
        index=rules.index_archive.output.index,
        pairs=branch(
            lookup(dpath="conditions/{condition}/pairs/path", within=config),
            then=lookup(dpath="conditions/{condition}/pairs/path", within=config),
            otherwise=rules.render_lab.output.pairs,
        ),
        patches=PLAN.thermalizers.patches,
        encoder=PLAN.thermalizers.pretrained,
        faces=PLAN.thermalizers.faces,
    output:
        weights="results/thermalizers/{condition}/weights.pt",
        provenance="results/thermalizers/{condition}/provenance.json",
        losses="results/thermalizers/{condition}/losses.csv",
        loss_figure=report(
            "results/thermalizers/{condition}/losses.png",
            caption="../docs/captions/losses.rst",
            category="Thermalizers",
            labels={"condition": "{condition}", "figure": "loss terms"},
        ),
        sample_figure=report(
            "results/thermalizers/{condition}/samples.png",
            caption="../docs/captions/samples.rst",
            category="Thermalizers",
            labels={"condition": "{condition}", "figure": "samples"},
        ),
    log:
        "logs/train_thermalizer/{condition}.log",
    benchmark:
        "benchmarks/train_thermalizer/{condition}.tsv"
    wildcard_constraints:
        condition=one_of(PLAN.trained),
    conda:
        branch(
            PLAN.thermalizers.is_diffusion,
            then=f"{REPOSITORY}/envs/diffusion.yaml",
            otherwise=f"{REPOSITORY}/envs/thermalizer.yaml",
        )
    threads: NETWORK_THREADS
    resources:
        **NETWORK_DEVICE,
        mem_mb=memory_mb(8000),
        runtime=minutes(720),
    params:
        recipe=3,
        name="{condition}",
        image_pixels=lookup(dpath="source/image_pixels", within=config),
        condition=PLAN.thermalizers.condition,
        rooms=PLAN.thermalizers.ambient_range,
        settings=PLAN.thermalizers.training_settings,
    message:
        "Training the thermalizer for {wildcards.condition}."
    script:
        f"{REPOSITORY}/workflow_scripts/thermalizers/train_thermalizer.py"


rule download_weights:
    """Download a trained thermalizer and hold it to its SHA-256."""
    output:
        weights="resources/weights/{condition}.pt",
    log:
        "logs/download_weights/{condition}.log",
    benchmark:
        "benchmarks/download_weights/{condition}.tsv"
    wildcard_constraints:
        condition=one_of(PLAN.released),
    retries: 2
    localrule: True
    conda:
        "../envs/acquisition.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(500),
        runtime=minutes(60),
    params:
        recipe=1,
        url=lookup(dpath="thermalizers/{condition}/weights", within=config),
        sha256=lookup(dpath="thermalizers/{condition}/sha256", within=config),
    message:
        "Downloading the thermalizer for {wildcards.condition}."
    script:
        "../workflow_scripts/thermalizers/download_weights.py"


rule import_thermalizer:
    """Turn weights that were trained elsewhere into this workflow's own file."""
    input:
        weights=PLAN.thermalizers.released_weights,
    output:
        weights="results/thermalizers/{condition}/weights.pt",
        provenance="results/thermalizers/{condition}/provenance.json",
    log:
        "logs/import_thermalizer/{condition}.log",
    benchmark:
        "benchmarks/import_thermalizer/{condition}.tsv"
    wildcard_constraints:
        condition=one_of(PLAN.released),
    conda:
        branch(
            PLAN.thermalizers.is_diffusion,
            then="../envs/diffusion.yaml",
            otherwise="../envs/thermalizer.yaml",
        )
    threads: 1
    resources:
        mem_mb=memory_mb(3000),
        runtime=minutes(10),
    params:
        recipe=1,
        sha256=lookup(dpath="thermalizers/{condition}/sha256", within=config),
    message:
        "Taking the thermalizer for {wildcards.condition} from {input.weights}."
    script:
        "../workflow_scripts/thermalizers/import_thermalizer.py"
