"""The source: an archive in FaceSynthetics' layout, and the table of its samples.

NEEDS  nothing for the procedural source; otherwise source.archive: the name of a release, or paths and URLs; and
       source.accept_license for whatever comes from a server
MAKES  results/source/faces.zip             procedural faces (only without source.archive)
       results/source/lab/{condition}.zip   procedural training pairs, RGB and °C
       resources/archives/{file}            each published file, whole (source.download: whole), with the terms beside it
       resources/checksums.tsv              its length and SHA-256, recorded at the first download, then enforced
       results/source/first_samples.zip     the first published samples alone (source.download: first_samples)
       results/source/index.parquet         one row a sample: its members' places and its status

The rendering jobs use every core. They have priority, or they would wait until the one-core jobs leave all cores free.
Downloads run where Snakemake runs: the nodes of a cluster often have no way out.
"""

ABSENT = PLAN.source.find_absent() if workflow.is_main_process and workflow.output_settings.dryrun else []

# A dry run plans as if the archive were there.
if ABSENT:

    rule provide_archive:
        output:
            ABSENT,
        message:
            "To be put there by you: {output}."


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
        f"{REPOSITORY}/envs/render.yaml"
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
        f"{REPOSITORY}/workflow_scripts/source/render_faces.py"


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
        f"{REPOSITORY}/envs/render.yaml"
    threads: 16
    resources:
        mem_mb=memory_mb(8000),
        runtime=minutes(60),
    params:
        recipe=2,
        seed=lookup(dpath="procedural/seed", within=config),
        lab_pairs=lookup(dpath="procedural/lab_pairs", within=config),
        image_pixels=lookup(dpath="source/image_pixels", within=config),
        rooms=PLAN.thermalizers.lab_ambient_range,
    message:
        "Rendering {params.lab_pairs} lab pairs at {params.rooms} °C for {wildcards.condition}."
    script:
        f"{REPOSITORY}/workflow_scripts/source/render_lab.py"


rule download_archive:
    """Download one file of a published archive; a cut download goes on where it was cut."""
    output:
        file="resources/archives/{file}",
    log:
        "logs/download_archive/{file}.log",
    benchmark:
        "benchmarks/download_archive/{file}.tsv"
    wildcard_constraints:
        file=one_of(PLAN.source.urls),
    retries: 2
    localrule: True
    conda:
        "../envs/acquisition.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(500),
        runtime=minutes(1440),
    params:
        recipe=1,
        url=PLAN.source.url,
        all_urls=list(PLAN.source.urls.values()),
        source_license=lookup(dpath="source/license", within=config),
        registry="resources/checksums.tsv",
    message:
        "Downloading {wildcards.file}."
    script:
        "../workflow_scripts/source/download_archive.py"


rule fetch_members:
    """Fetch the first samples of a remote archive, without the rest of it."""
    output:
        archive="results/source/first_samples.zip",
    log:
        "logs/fetch_members.log",
    benchmark:
        "benchmarks/fetch_members.tsv"
    retries: 2
    localrule: True
    conda:
        "../envs/acquisition.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(240),
    params:
        recipe=1,
        urls=list(PLAN.source.urls.values()),
        images=lookup(dpath="source/images", within=config),
        source_license=lookup(dpath="source/license", within=config),
    message:
        "Fetching the first {params.images} samples of the published archive."
    script:
        "../workflow_scripts/source/fetch_members.py"


rule index_archive:
    """List the archive's samples, check every byte of them, and give each a status."""
    input:
        archive=PLAN.source.archive,
    output:
        index="results/source/index.parquet",
    log:
        "logs/index_archive.log",
    benchmark:
        "benchmarks/index_archive.tsv"
    conda:
        f"{REPOSITORY}/envs/store.yaml"
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
        f"{REPOSITORY}/workflow_scripts/source/index_archive.py"
