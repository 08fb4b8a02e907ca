"""Acquisition: published archives, fetched from their servers.

NEEDS  source.archive: the name of a release, or paths and URLs; source.accept_license for whatever comes from a server
MAKES  resources/archives/{file}            each file, whole (source.download: whole), with the terms beside it
       resources/checksums.tsv              its length and SHA-256, recorded at the first download, then enforced
       results/source/first_samples.zip     the first samples alone (source.download: first_samples)

Both rules run where Snakemake runs: the nodes of a cluster often have no way out.
"""

import csv
import os

from tfake.acquisition.registry import name_downloads

with open(workflow.source_path("../workflow_scripts/tfake/acquisition/releases.csv"), newline="") as _table:
    RELEASES = tuple(csv.DictReader(_table))

_wanted = config["source"]["archive"]
_release = [row for row in RELEASES if row["release"] == _wanted]
if isinstance(_wanted, str) and not _release:
    raise WorkflowError(
        f"config: source.archive is {_wanted!r}; the published releases are "
        f"{', '.join(dict.fromkeys(row['release'] for row in RELEASES))}; a file of your own goes into a list: [{_wanted}]"
    )
_places = [row["url"] for row in _release] or _wanted or []


_names = name_downloads([place for place in _places if "://" in place])
ARCHIVE_URLS = {name: url for url, name in _names.items()}
# The last name is the common place of all that this project renders itself.
ARCHIVE = [f"resources/archives/{_names[place]}" if place in _names else place for place in _places] or [
    "results/source/faces.zip"
]

if ARCHIVE_URLS:
    _license = config["source"]["license"]
    if _release and _license != _release[0]["license"]:
        raise WorkflowError(
            f"config: {_wanted} is published under {_release[0]['license']}; set source.license to that, found {_license}"
        )
    if not config["source"]["accept_license"]:
        raise WorkflowError(
            f"config: {', '.join(ARCHIVE_URLS)} would be downloaded under the terms {_license}. If you have read them "
            "and agree, set source.accept_license: true. FaceSynthetics' terms, R-UDA-1.0, are in "
            "workflow_scripts/tfake/acquisition/licenses: non-commercial research only, for what is made from it, too."
        )
    if config["source"]["download"] == "first_samples":
        if len(ARCHIVE_URLS) < len(_places):
            raise WorkflowError(
                "config: source.download: first_samples reads a remote archive; source.archive has local files, too"
            )
        ARCHIVE = ["results/source/first_samples.zip"]

_absent = [place for place in _places if "://" not in place and not os.path.exists(place)]
# Once it is indexed and everything is made, nobody needs it.
if _absent and workflow.is_main_process and not os.path.exists("results/source/index.parquet"):
    _said = f"config: source.archive: there is no {', '.join(_absent)} (seen from {os.getcwd()})"
    if not workflow.output_settings.dryrun:
        raise WorkflowError(
            f"{_said}. Put it there, or name a published release, which is downloaded; --dry-run plans without it."
        )
    logger.warning(f"{_said}; planned as if it were.")

    rule provide_archive:
        output:
            _absent,
        message:
            "To be put there by you: {output}."


# For those who read images alone: nothing, where they are kept decoded.
UNDECODED = [] if KEEPS_IMAGES else ARCHIVE

for _name, _settings in config["conditions"].items():
    if _settings["pairs"]["path"] is not None and not os.path.exists(_settings["pairs"]["path"]):
        raise WorkflowError(
            f"config: conditions.{_name}.pairs.path: there is no {_settings['pairs']['path']} (seen from {os.getcwd()}). "
            "Paired data with terms to be signed is never downloaded: docs/data.md says where to ask and where to put it."
        )


rule download_archive:
    """Download one file of a published archive; a cut download goes on where it was cut."""
    output:
        file="resources/archives/{file}",
    log:
        "logs/download_archive/{file}.log",
    benchmark:
        "benchmarks/download_archive/{file}.tsv"
    wildcard_constraints:
        file="|".join(map(re.escape, ARCHIVE_URLS)) or "(?!)",
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
        url=lambda wildcards: ARCHIVE_URLS[wildcards.file],
        all_urls=list(ARCHIVE_URLS.values()),
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
        urls=list(ARCHIVE_URLS.values()),
        images=lookup(dpath="source/images", within=config),
        source_license=lookup(dpath="source/license", within=config),
    message:
        "Fetching the first {params.images} samples of the published archive."
    script:
        "../workflow_scripts/source/fetch_members.py"
