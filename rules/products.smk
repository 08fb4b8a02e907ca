"""What is made of finished stores: the report, verification and repair, publication, exports, comparison, forecast.

NEEDS  every store, sealed and verified; the thermalizers' loss curves; the truth comparison where there is one
       compare: two folders of results or published datasets, which are read as they are
       for a forecast the first shard of each store, unless forecast.runs names runs that have been made
MAKES  results/config.yaml                     the effective configuration
       results/report/index.html               the page, self-contained but for the faces that it opens
       results/report/faces/{row}[.{v}].js     the data of those faces, beside it
       results/report/files/                   copies of the configuration and of the checksum lists
       results/report/figures/….svg            its figures as files of their own
       results/verified.json                   what was read; and logs/verify_stores.csv, every file and its state
       results/checked.csv                     the same, and what was done about it; repair makes again what it took away
       results/publication/{variant}-{publication.version}/   stores, card, terms, citation, Croissant, RO-Crate, SHA256SUMS
       results/exports/{variant}/{format}/     coco, png, tfake or webdataset; terms, SHA256SUMS
       results/comparison.md                   what two datasets differ in, as `python -m tfake.compare A B` prints it
       results/forecast.md                     a table by stage: jobs, CPU time, wall time on the given cores, disk

Of these, `snakemake all` makes the report alone; the rest has targets of its own. The moment at which verification, repair
and forecast are asked is among their params: each command looks anew.
"""


rule save_config:
    """Save the effective configuration."""
    output:
        config="results/config.yaml",
    log:
        "logs/save_config.log",
    benchmark:
        "benchmarks/save_config.tsv"
    localrule: True
    conda:
        "../envs/store.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(500),
        runtime=minutes(5),
    params:
        recipe=1,
        config=in_key_order(config),
    message:
        "Saving the effective configuration."
    script:
        "../workflow_scripts/products/save_config.py"


rule build_report:
    """Build the report: one folder with the page, its viewer's data and its figures."""
    input:
        archive=PLAN.source.archive,
        index=rules.index_archive.output.index,
        config=rules.save_config.output.config,
        faces=rules.verify_faces.output.report,
        faces_root=rules.create_faces_store.output.root,
        faces_sums=rules.seal_faces.output.sums,
        faces_summary=rules.seal_faces.output.summary,
        thermal=collect(rules.verify_thermal.output.report, variant=PLAN.variants),
        thermal_roots=collect("results/variants/{variant}/thermal.zarr/zarr.json", variant=PLAN.variants),
        thermal_sums=collect(rules.seal_thermal.output.sums, variant=PLAN.variants),
        thermal_summaries=collect(rules.seal_thermal.output.summary, variant=PLAN.variants),
        losses=collect(rules.train_thermalizer.output.losses, condition=PLAN.awaited),
        evaluations=collect(
            rules.evaluate_thermal.output.table,
            variant=PLAN.generated if PLAN.source.is_procedural else (),
        ),
    output:
        page=report(
            "results/report/index.html",
            caption="../docs/captions/page.rst",
            category="Overview",
            labels={"figure": "the report"},
        ),
        viewer=directory("results/report/faces"),
        files=directory("results/report/files"),
        temperatures=report(
            "results/report/figures/temperatures.svg",
            caption="../docs/captions/temperatures.rst",
            category="Overview",
            labels={"figure": "temperatures by class"},
        ),
        labels=report(
            "results/report/figures/labels.svg",
            caption="../docs/captions/labels.rst",
            category="Overview",
            labels={"figure": "errors of the dense labels"},
        ),
        lineage=report(
            "results/report/figures/lineage.svg",
            caption="../docs/captions/lineage.rst",
            category="Overview",
            labels={"figure": "lineage"},
        ),
    log:
        "logs/build_report.log",
    benchmark:
        "benchmarks/build_report.tsv"
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(3000),
        runtime=minutes(30),
    params:
        recipe=5,
        config=in_key_order(config),
        ambients=PLAN.ambients,
        benchmarks="benchmarks",
        sequences=PLAN.products.sequence_page,
    message:
        "Building the report."
    script:
        "../workflow_scripts/products/build_report.py"


rule verify_stores:
    """Reread every byte of every sealed store."""
    output:
        report="results/verified.json",
    log:
        "logs/verify_stores.log",
        table="logs/verify_stores.csv",
    benchmark:
        "benchmarks/verify_stores.tsv"
    conda:
        "../envs/store.yaml"
    threads: 8
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(60),
    params:
        recipe=1,
        folders=PLAN.products.stores,
        asked=PLAN.products.moment,
    message:
        "Verifying every store."
    script:
        "../workflow_scripts/products/verify_stores.py"


# A checkpoint: what is to be made again is known when it has looked.
checkpoint repair_stores:
    """Reread every byte of every sealed store, and take away what is damaged."""
    output:
        table="results/checked.csv",
    log:
        "logs/repair_stores.log",
    benchmark:
        "benchmarks/repair_stores.tsv"
    conda:
        "../envs/store.yaml"
    threads: 8
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(60),
    params:
        recipe=1,
        folders=PLAN.products.stores,
        batched=collect(
            "results/variants/{variant}", variant=PLAN.thermalized if PLAN.stores.shards_per_job(USES_GPU) > 1 else ()
        ),
        asked=PLAN.products.moment,
    message:
        "Looking for damage in every store."
    script:
        "../workflow_scripts/products/repair_stores.py"


rule publish_variant:
    """Publish a variant: stores, terms, card, metadata and provenance in one versioned folder."""
    input:
        faces=rules.verify_faces.output.report,
        faces_sums=rules.seal_faces.output.sums,
        thermal=rules.verify_thermal.output.report,
        thermal_sums=rules.seal_thermal.output.sums,
    output:
        sums=f"results/publication/{{variant}}-{PLAN.products.version}/SHA256SUMS",
    log:
        f"logs/publish_variant/{{variant}}-{PLAN.products.version}.log",
    benchmark:
        f"benchmarks/publish_variant/{{variant}}-{PLAN.products.version}.tsv"
    wildcard_constraints:
        variant=one_of(PLAN.products.own),
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
        archive=PLAN.source.undecoded if PLAN.products.exports_rgb else [],
        images=rules.verify_images.output.report if PLAN.products.exports_rgb and PLAN.stores.keeps_images else [],
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
        rgb=PLAN.products.rgb,
    message:
        "Exporting {wildcards.variant} as {wildcards.format}."
    script:
        "../workflow_scripts/products/export_variant.py"


rule compare_datasets:
    """Write down what two datasets differ in."""
    output:
        page="results/comparison.md",
    log:
        "logs/compare_datasets.log",
    benchmark:
        "benchmarks/compare_datasets.tsv"
    localrule: True
    conda:
        "../envs/store.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(10),
    params:
        recipe=1,
        folders=PLAN.products.compared,
        seals=PLAN.products.compared_seals,
    message:
        "Comparing {params.folders}."
    script:
        "../workflow_scripts/products/compare_datasets.py"


rule forecast_run:
    """Forecast what is left of the run, from what was measured."""
    input:
        PLAN.products.first_shards,
    output:
        page="results/forecast.md",
    log:
        "logs/forecast_run.log",
    benchmark:
        "benchmarks/forecast_run.tsv"
    localrule: True
    conda:
        "../envs/store.yaml"
    # All that are given: it is for them that it tells.
    threads: 10000
    resources:
        mem_mb=memory_mb(500),
        runtime=minutes(10),
    params:
        recipe=1,
        rule_threads=lambda wildcards: plan_rules.fixed_threads(workflow.rules),
        gpu_rules=lambda wildcards: plan_rules.gpu_rules(workflow.rules),
        asked=PLAN.products.moment,
    message:
        "Forecasting what the run will cost."
    script:
        "../workflow_scripts/products/forecast_run.py"


rule verify:
    input:
        rules.verify_stores.output.report,
    message:
        "Every byte of every store is what was sealed."


rule repair:
    input:
        lambda wildcards: [checkpoints.repair_stores.get().output.table, *PLAN.products.find_verdicts()],
    message:
        "Every store is whole again; results/checked.csv says what was at fault."


rule publish:
    input:
        collect(rules.publish_variant.output.sums, variant=PLAN.products.published),
    message:
        "Each variant has its published folder: {input}."


rule exports:
    input:
        collect(
            rules.export_variant.output.sums,
            variant=PLAN.products.published,
            format=lookup(dpath="publication/formats", within=config),
        ),
    message:
        "The variants are exported."


rule compare:
    input:
        rules.compare_datasets.output.page,
    message:
        "The two datasets are compared in {input}."


rule forecast:
    input:
        rules.forecast_run.output.page,
    message:
        "What the run will cost is in results/forecast.md."
