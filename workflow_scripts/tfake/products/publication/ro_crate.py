"""``ro-crate-metadata.json``: how the data was made, as a Workflow Run RO-Crate (profile 0.5)."""

import json
import shutil
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml
from rocrate.model import ContextEntity
from rocrate.rocrate import ROCrate

import tfake
from tfake.products.publication.facts import Publication

#: What the crate is held to: the three profiles that a workflow run crate conforms to.
_PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
_WORKFLOW = "provenance/workflow/Snakefile"
#: What of the workflow a reader needs to see which steps were run with what.
_WORKFLOW_FILES = ("Snakefile", "config.yaml", "rules/**/*.smk", "schemas/*.yaml", "envs/*.yaml", "LICENSE")
_PACKAGES = ("numpy", "opencv-contrib-python", "scipy", "mediapipe", "torch", "zarr", "zarrs", "snakemake")
_MEDIA_TYPES = {
    ".json": "application/json",
    ".parquet": "application/x-parquet",
    ".md": "text/markdown",
    ".png": "image/png",
}


def write_provenance(folder: Path, facts: Publication, workflow: str | Path, made: str) -> None:
    """Write the crate's metadata, and the files in ``provenance/`` that it names.

    Args:
        folder: the published folder, complete but for ``ro-crate-metadata.json`` and ``SHA256SUMS``.
        facts: what is published.
        workflow: the folder of the workflow's Snakefile.
        made: when the variant was complete, ISO 8601 with its zone.
    """
    versions = _write_files(folder, facts, Path(workflow))
    crate = ROCrate(version="1.1")

    def add(name: str, kind: str, /, **properties: Any) -> ContextEntity:
        return crate.add(ContextEntity(crate, name, {"@type": kind, **properties}))

    # The stores are datasets of the crate as a whole: their files are in SHA256SUMS.
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    files = {
        name: crate.add_file(folder / name, name, properties=_describe_file(folder, name))
        for name in names
        if name != _WORKFLOW and not name.startswith(("faces/", "variants/"))
    }
    terms = files["LICENSE.txt"]
    stores = [
        crate.add_dataset(
            dest_path="faces/",
            properties={
                "name": "Faces store",
                "description": "Zarr v3: ids, statuses, class maps, landmarks, head pose.",
                "license": terms,
            },
        ),
        crate.add_dataset(
            dest_path=f"variants/{facts.variant}/",
            properties={
                "name": f"Thermal store {facts.variant}",
                "description": facts.description,
                "license": terms,
            },
        ),
    ]
    main = crate.add_workflow(
        folder / _WORKFLOW,
        _WORKFLOW,
        main=True,
        lang="snakemake",
        lang_version=versions.get("snakemake", "unknown"),
        properties={
            "name": "From RGB faces with labels to radiometric thermal faces with labels",
            "description": f"tfake-workflow {tfake.__version__}, commit {facts.commit or 'unknown'}; "
            "its rules lie beside it.",
            "license": add(
                "https://spdx.org/licenses/Apache-2.0",
                "CreativeWork",
                name="Apache License 2.0",
                identifier="Apache-2.0",
            ),
            **({"version": facts.commit} if facts.commit else {}),
        },
    )
    creators = [add(f"#creator-{number}", "Organization", name=name) for number, name in enumerate(facts.creators)]
    maker = add("#maker", "CreativeWork", **_describe_maker(facts))
    source = add(
        "#source",
        "CreativeWork",
        name="The source's samples",
        sha256=facts.attributes["source_sha256"],
        license=terms,
        description="SHA-256 over names, lengths and CRCs of the samples; not part of this crate.",
    )
    run = crate.add_action(
        main,
        "#run",
        object=[files["provenance/config.yaml"], source, maker],
        result=[*stores, files["rows.parquet"]],
        properties={
            "name": f"Run of the workflow that made variant {facts.variant}",
            "description": "Thermal images of the source's faces with the configuration in provenance/config.yaml.",
            "agent": creators,
            "endTime": made,
            "actionStatus": {"@id": "http://schema.org/CompletedActionStatus"},
        },
    )
    profiles = [
        add(profile, "CreativeWork", name=name, version=version) for profile, (name, version) in _PROFILES.items()
    ]
    root = {
        "name": facts.title,
        "description": facts.description,
        "version": facts.version,
        "datePublished": facts.date,
        "license": terms,
        "creator": creators,
        "conformsTo": profiles,
        "mentions": run,
    }
    for name, value in root.items():
        crate.root_dataset[name] = value
    # The metadata alone: the files lie in the folder already.
    crate.metadata.write(folder)


def _write_files(folder: Path, facts: Publication, workflow: Path) -> dict[str, str | None]:
    """Write ``provenance/``; returns the versions of what published, by name."""
    target = folder / "provenance"
    for pattern in _WORKFLOW_FILES:
        for path in sorted(workflow.glob(pattern)):
            copy = target / "workflow" / path.relative_to(workflow)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
    versions = {"tfake-workflow": tfake.__version__, "commit": facts.commit}
    for name in _PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    (target / "config.yaml").write_text(yaml.safe_dump(facts.config, sort_keys=True, allow_unicode=True))
    for name, content in ((facts.maker, facts.attributes[facts.maker]), ("versions", versions)):
        (target / f"{name}.json").write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")
    return versions


def _describe_maker(facts: Publication) -> dict[str, str]:
    """What turned faces into temperatures: a network's weights, or the temperature model's tables."""
    made = facts.attributes
    if facts.maker == "modelled":
        model = made["modelled"]
        name, sha256 = f"Tables of the temperature model, {model['tables']}", model["tables_sha256"]
    else:
        name, sha256 = f"Weights of the thermalizer for {made['condition']}", made["thermalizer_sha256"]
    recorded = f"Recorded in provenance/{facts.maker}.json; not part of this crate."
    return {"name": name, "sha256": sha256, "description": recorded}


def _describe_file(folder: Path, name: str) -> dict[str, str]:
    return {
        "name": name,
        "contentSize": str((folder / name).stat().st_size),
        "encodingFormat": _MEDIA_TYPES.get(Path(name).suffix, "text/plain"),
    }
