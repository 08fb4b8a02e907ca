"""Landmark networks: points with their own uncertainty, learnt from RGB and thermal faces; and label adapters.

On the way of `snakemake landmarks` and of the studies alone.

NEEDS  the source archive and its index, the faces store, the sealed thermal stores of landmarks.variants,
       folders of real thermal pictures where landmarks.real names some, of unlabelled ones where pretraining.folders does
MAKES  results/real_faces/{real}/faces.npz, summary.json, faces.png    crops of a folder's faces, with a teacher's points
       results/pretraining/{pretext}/encoder.pt, provenance.json, losses.csv, losses.png    a backbone that learnt without points
       results/landmarks/{task}/weights.pt, provenance.json, losses.csv, losses.png, samples.png
       results/landmarker/landmarker.pt, provenance.json    the network for both landmark sets, packed to be shipped
       results/detector/weights.pt, provenance.json, losses.csv, losses.png, samples.png    finds faces in a picture
       results/adapters/{adapter}/weights.pt    a network from one landmark set to another, for tfake.landmarks.adapters
       results/adapters/{adapter}/errors.json   its error on held-out faces, beside that of the plain mapping
"""


wildcard_constraints:
    task=one_of(PLAN.landmarks.tasks),
    adapter=one_of(PLAN.landmarks.adapters),
    real=one_of(PLAN.landmarks.real),
    pretext=one_of(PLAN.pretraining.names),


rule label_real_faces:
    """Label the faces of a folder of real thermal pictures, as far as a teacher is sure of them."""
    input:
        pictures=PLAN.landmarks.real_files,
    output:
        faces="results/real_faces/{real}/faces.npz",
        summary="results/real_faces/{real}/summary.json",
        figure=report(
            "results/real_faces/{real}/faces.png",
            category="Landmarks",
            labels={"real": "{real}", "figure": "labelled faces"},
        ),
    log:
        "logs/label_real_faces/{real}.log",
    benchmark:
        "benchmarks/label_real_faces/{real}.tsv"
    conda:
        "../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(3200),
        runtime=minutes(120),
    params:
        recipe=1,
        folder=PLAN.landmarks.real_folder,
        teacher=PLAN.landmarks.teacher,
    message:
        "Labelling the real faces of {wildcards.real}."
    script:
        "../workflow_scripts/landmarks/label_real_faces.py"


rule pretrain_encoder:
    """Pretrain the backbone of landmark networks on thermal images without points."""
    input:
        archive=PLAN.source.undecoded if PLAN.pretraining.takes_stores else [],
        images=PLAN.stores.all_decoded if PLAN.pretraining.takes_stores else [],
        index=rules.index_archive.output.index if PLAN.pretraining.takes_stores else [],
        faces=rules.seal_faces.output.sums if PLAN.pretraining.takes_stores else [],
        variants=collect(rules.seal_thermal.output.sums, variant=PLAN.pretraining.variants),
        folders=PLAN.pretraining.folder_paths,
    output:
        encoder="results/pretraining/{pretext}/encoder.pt",
        provenance="results/pretraining/{pretext}/provenance.json",
        losses="results/pretraining/{pretext}/losses.csv",
        loss_figure=report(
            "results/pretraining/{pretext}/losses.png",
            category="Pretraining",
            labels={"pretext": "{pretext}", "figure": "loss"},
        ),
    log:
        "logs/pretrain_encoder/{pretext}.log",
    benchmark:
        "benchmarks/pretrain_encoder/{pretext}.tsv"
    conda:
        "../envs/thermalizer.yaml"
    threads: NETWORK_THREADS
    resources:
        **NETWORK_DEVICE,
        mem_mb=memory_mb(8000),
        runtime=minutes(720),
    params:
        recipe=1,
        variants=PLAN.pretraining.variants,
        settings=PLAN.pretraining.settings,
        folders=PLAN.pretraining.folders,
        validation_share=PLAN.pretraining.validation_share,
    message:
        "Pretraining the encoder {wildcards.pretext}."
    script:
        "../workflow_scripts/landmarks/pretrain_encoder.py"


rule train_landmarker:
    """Train the landmark network of one task."""
    input:
        archive=PLAN.source.undecoded,
        images=PLAN.stores.all_decoded,
        index=rules.index_archive.output.index,
        faces=rules.seal_faces.output.sums,
        variants=collect(rules.seal_thermal.output.sums, variant=PLAN.landmarks.variants),
        encoder=PLAN.landmarks.encoder,
        real=lambda wildcards: collect(rules.label_real_faces.output.faces, real=PLAN.landmarks.real_of(wildcards)),
        others=PLAN.landmarks.other_sums,
        initial=PLAN.landmarks.initial,
    output:
        weights="results/landmarks/{task}/weights.pt",
        provenance="results/landmarks/{task}/provenance.json",
        losses="results/landmarks/{task}/losses.csv",
        loss_figure=report(
            "results/landmarks/{task}/losses.png",
            category="Landmarks",
            labels={"task": "{task}", "figure": "loss"},
        ),
        sample_figure=report(
            "results/landmarks/{task}/samples.png",
            category="Landmarks",
            labels={"task": "{task}", "figure": "validation faces"},
        ),
    log:
        "logs/train_landmarker/{task}.log",
    benchmark:
        "benchmarks/train_landmarker/{task}.tsv"
    conda:
        f"{REPOSITORY}/envs/thermalizer.yaml"
    threads: NETWORK_THREADS
    resources:
        **NETWORK_DEVICE,
        mem_mb=memory_mb(8000),
        runtime=minutes(720),
    params:
        recipe=3,
        landmarks=PLAN.landmarks.points,
        variants=lookup(dpath="landmarks/variants", within=config),
        settings=PLAN.landmarks.settings,
        others=PLAN.landmarks.others,
        real=PLAN.landmarks.real_of,
        real_validation_share=lookup(dpath="landmarks/real_validation_share", within=config),
    message:
        "Training the landmark network {wildcards.task}."
    script:
        f"{REPOSITORY}/workflow_scripts/landmarks/train_landmarker.py"


rule train_detector:
    """Train the face detector on scenes made of the same people."""
    input:
        archive=PLAN.source.undecoded,
        images=PLAN.stores.all_decoded,
        index=rules.index_archive.output.index,
        faces=rules.seal_faces.output.sums,
        variants=collect(rules.seal_thermal.output.sums, variant=PLAN.landmarks.variants),
        real=collect(rules.label_real_faces.output.faces, real=PLAN.landmarks.real),
        start=PLAN.landmarks.detector_start,
    output:
        weights="results/detector/weights.pt",
        provenance="results/detector/provenance.json",
        losses="results/detector/losses.csv",
        loss_figure=report(
            "results/detector/losses.png",
            category="Landmarks",
            labels={"task": "detector", "figure": "loss"},
        ),
        sample_figure=report(
            "results/detector/samples.png",
            category="Landmarks",
            labels={"task": "detector", "figure": "scenes of held-out people"},
        ),
    log:
        "logs/train_detector.log",
    benchmark:
        "benchmarks/train_detector.tsv"
    conda:
        f"{REPOSITORY}/envs/thermalizer.yaml"
    threads: NETWORK_THREADS
    resources:
        **NETWORK_DEVICE,
        mem_mb=memory_mb(8000),
        runtime=minutes(720),
    params:
        recipe=1,
        variants=lookup(dpath="landmarks/variants", within=config),
        settings=PLAN.landmarks.detector_settings,
        real=list(PLAN.landmarks.real),
    message:
        "Training the face detector."
    script:
        f"{REPOSITORY}/workflow_scripts/landmarks/train_detector.py"


rule train_adapter:
    """Train a label adapter from one landmark set to another."""
    input:
        faces=rules.verify_faces.output.report,
    output:
        weights="results/adapters/{adapter}/weights.pt",
        errors="results/adapters/{adapter}/errors.json",
    log:
        "logs/train_adapter/{adapter}.log",
    benchmark:
        "benchmarks/train_adapter/{adapter}.tsv"
    conda:
        "../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(4000),
        runtime=minutes(60),
    params:
        recipe=1,
        adapter="{adapter}",
        settings=PLAN.landmarks.adapter_settings,
    message:
        "Training the label adapter {wildcards.adapter}."
    script:
        "../workflow_scripts/landmarks/train_adapter.py"


rule pack_landmarker:
    """Pack the network for both landmark sets and the face detector into one small file."""
    input:
        weights="results/landmarks/joint_548/weights.pt",
        provenance="results/landmarks/joint_548/provenance.json",
        detector=rules.train_detector.output.weights,
        detector_provenance=rules.train_detector.output.provenance,
    output:
        landmarker="results/landmarker/landmarker.pt",
        provenance="results/landmarker/provenance.json",
    log:
        "logs/pack_landmarker.log",
    benchmark:
        "benchmarks/pack_landmarker.tsv"
    conda:
        "../envs/thermalizer.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(2000),
        runtime=minutes(10),
    params:
        recipe=2,
        sigma_factor=lookup(dpath="landmarks/sigma_factor", within=config),
    message:
        "Packing the landmarker."
    script:
        "../workflow_scripts/landmarks/pack_landmarker.py"


rule detector:
    input:
        rules.train_detector.output.weights,
    message:
        "The face detector is trained."


rule pretraining:
    input:
        collect(rules.pretrain_encoder.output.encoder, pretext=PLAN.pretraining.names),
    message:
        "The encoders are pretrained."


rule landmarks:
    input:
        collect(rules.train_landmarker.output.weights, task=("joint_70", "joint_478")),
    message:
        "The landmark networks for 70 and 478 points are trained."


rule landmarker_release:
    input:
        rules.pack_landmarker.output,
    message:
        "The landmarker is at {input[0]}: tfake.ThermalLandmarker({input[0]!r})."
