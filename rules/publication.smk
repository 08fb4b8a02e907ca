"""What is handed to others: a published folder a variant, and exports to other formats; both on demand.

NEEDS  the verified faces store, results/variants/{variant}/, verified
MAKES  results/publication/{variant}-{publication.version}/   stores, card, terms, citation, Croissant, RO-Crate, SHA256SUMS
       results/exports/{variant}/{format}/                    coco, png, tfake or webdataset; terms, SHA256SUMS
       publish, exports: targets for all of publication.variants, in all of publication.formats
"""

VERSION = config["publication"]["version"]
PUBLISHED = config["publication"]["variants"] or THERMALIZED + RECORDED
EXPORTS_RGB = config["publication"]["rgb"]


rule publish_variant:
    """Publish a variant: stores, terms, card, metadata and provenance in one versioned folder."""
    input:
        faces=rules.verify_faces.output.report,
        faces_sums=rules.seal_faces.output.sums,
        thermal=rules.verify_thermal.output.report,
        thermal_sums=rules.seal_thermal.output.sums,
    output:
        sums=f"results/publication/{{variant}}-{VERSION}/SHA256SUMS",
    log:
        f"logs/publish_variant/{{variant}}-{VERSION}.log",
    benchmark:
        f"benchmarks/publish_variant/{{variant}}-{VERSION}.tsv"
    wildcard_constraints:
        variant=one_of(THERMALIZED + RECORDED),
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(3000),
        runtime=minutes(240),
    params:
        recipe=1,
        config=in_key_order(config),
        workflow=workflow.basedir,
        day=lookup(dpath="publication/date", within=config),
    message:
        "Publishing {wildcards.variant}."
    script:
        "../workflow_scripts/products/publish_variant.py"


rule export_variant:
    """Export a variant to another format."""
    input:
        faces=rules.verify_faces.output.report,
        faces_sums=rules.seal_faces.output.sums,
        thermal=rules.verify_thermal.output.report,
        thermal_sums=rules.seal_thermal.output.sums,
        archive=UNDECODED if EXPORTS_RGB else [],
        images=rules.verify_images.output.report if EXPORTS_RGB and KEEPS_IMAGES else [],
    output:
        sums="results/exports/{variant}/{format}/SHA256SUMS",
    log:
        "logs/export_variant/{variant}/{format}.log",
    benchmark:
        "benchmarks/export_variant/{variant}/{format}.tsv"
    wildcard_constraints:
        format="coco|png|tfake|webdataset",
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(3000),
        runtime=minutes(480),
    params:
        recipe=2,
        most_clipped=lookup(dpath="publication/most_clipped", within=config),
        # A camera of its own has a geometry of its own, which the source's images have not.
        rgb=lambda wildcards: EXPORTS_RGB and wildcards.variant not in RECORDED,
    message:
        "Exporting {wildcards.variant} as {wildcards.format}."
    script:
        "../workflow_scripts/products/export_variant.py"


rule publish:
    input:
        collect(rules.publish_variant.output.sums, variant=PUBLISHED),
    message:
        "Each variant has its published folder: {input}."


rule exports:
    input:
        collect(
            rules.export_variant.output.sums,
            variant=PUBLISHED,
            format=lookup(dpath="publication/formats", within=config),
        ),
    message:
        "The variants are exported."
