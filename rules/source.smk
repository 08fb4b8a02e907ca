"""The source: an archive in FaceSynthetics' layout, and the table of its samples.

NEEDS  nothing for the procedural source; otherwise the archive named by source.archive
MAKES  results/source/faces.zip        procedural faces (only without source.archive)
       results/source/lab/{condition}.zip    procedural training pairs, RGB and °C
       results/source/truth/{variant}.zip    procedural thermal truth, for evaluation only
       results/source/index.parquet    one row a sample: its members' places and its status

The rendering jobs use every core. They have priority, or they would wait until the one-core jobs leave all cores free.
"""


rule render_faces:
    """Render procedural heads with exact labels, in FaceSynthetics' layout."""
    output:
        faces="results/source/faces.zip",
    log:
        "logs/render_faces.log",
    benchmark:
        "benchmarks/render_faces.tsv"
    priority: 1
    conda:
        "../envs/render.yaml"
    threads: 16
    resources:
        mem_mb=memory_mb(8000),
        runtime=minutes(240),
    params:
        recipe=2,
        seed=lookup(dpath="procedural/seed", within=config),
        images=lookup(dpath="source/images", within=config),
        image_pixels=lookup(dpath="source/image_pixels", within=config),
    message:
        "Rendering {params.images} procedural faces."
    script:
        "../workflow_scripts/source/render_faces.py"


rule render_lab:
    """Render the lab set: frontal heads, RGB with registered temperatures."""
    output:
        pairs="results/source/lab/{condition}.zip",
    log:
        "logs/render_lab/{condition}.log",
    benchmark:
        "benchmarks/render_lab/{condition}.tsv"
    priority: 1
    conda:
        "../envs/render.yaml"
    threads: 16
    resources:
        mem_mb=memory_mb(8000),
        runtime=minutes(60),
    params:
        recipe=2,
        seed=lookup(dpath="procedural/seed", within=config),
        lab_pairs=lookup(dpath="procedural/lab_pairs", within=config),
        image_pixels=lookup(dpath="source/image_pixels", within=config),
        rooms=get_lab_rooms,
    message:
        "Rendering {params.lab_pairs} lab pairs at {params.rooms} °C for {wildcards.condition}."
    script:
        "../workflow_scripts/source/render_lab.py"


rule render_truth:
    """Render the true temperatures of the procedural faces; no training reads them."""
    output:
        truth="results/source/truth/{variant}.zip",
    log:
        "logs/render_truth/{variant}.log",
    benchmark:
        "benchmarks/render_truth/{variant}.tsv"
    priority: 1
    conda:
        "../envs/render.yaml"
    threads: 16
    resources:
        mem_mb=memory_mb(8000),
        runtime=minutes(240),
    params:
        recipe=1,
        seed=lookup(dpath="procedural/seed", within=config),
        images=lookup(dpath="source/images", within=config),
        image_pixels=lookup(dpath="source/image_pixels", within=config),
        ambient_celsius=get_ambient,
    message:
        "Rendering the true temperatures at {params.ambient_celsius} °C for {wildcards.variant}."
    script:
        "../workflow_scripts/variants/render_truth.py"


rule index_archive:
    """List the archive's samples, check every byte of them, and give each a status."""
    input:
        archive=ARCHIVE,
    output:
        index="results/source/index.parquet",
    log:
        "logs/index_archive.log",
    benchmark:
        "benchmarks/index_archive.tsv"
    conda:
        "../envs/store.yaml"
    threads: 8
    resources:
        mem_mb=memory_mb(2000),
        runtime=minutes(60),
    params:
        recipe=1,
        images=lookup(dpath="source/images", within=config),
        image_pixels=lookup(dpath="source/image_pixels", within=config),
    message:
        "Indexing and checking {input.archive}."
    script:
        "../workflow_scripts/source/index_archive.py"
