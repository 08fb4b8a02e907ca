"""``ro-crate-metadata.json``: how the data was made, as a Workflow Run RO-Crate (profile 0.5)."""

import json
import shutil
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

from tfake.products.publication.facts import Publication, software

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
_LANGUAGE = "https://w3id.org/workflowhub/workflow-ro-crate#snakemake"
_LICENSE = "https://spdx.org/licenses/Apache-2.0"


def write_provenance(folder: Path, facts: Publication, workflow: str | Path, made: str) -> None:
    """Write the crate's metadata, and the files in ``provenance/`` that it names.

    Args:
        folder: the published folder, complete but for ``ro-crate-metadata.json`` and ``SHA256SUMS``.
        facts: what is published.
        workflow: the folder of the workflow's Snakefile.
        made: when the variant was complete, ISO 8601 with its zone.
    """
    _write_files(folder, facts, Path(workflow))
    versions = json.loads((folder / "provenance/versions.json").read_text())
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if _is_part(folder, path))
    results = [{"@id": "faces/"}, {"@id": f"variants/{facts.variant}/"}]
    parts = [*({"@id": name} for name in files), *results]
    terms = {"@id": "LICENSE.txt"}
    creators = [
        {"@id": f"#creator-{number}", "@type": "Organization", "name": name}
        for number, name in enumerate(facts.creators)
    ]
    graph: list[dict[str, Any]] = [
        {
            "@id": "ro-crate-metadata.json",
            "@type": "CreativeWork",
            "about": {"@id": "./"},
            "conformsTo": [
                {"@id": "https://w3id.org/ro/crate/1.1"},
                {"@id": "https://w3id.org/workflowhub/workflow-ro-crate/1.0"},
            ],
        },
        {
            "@id": "./",
            "@type": "Dataset",
            "name": facts.title,
            "description": facts.description,
            "version": facts.version,
            "datePublished": facts.date,
            "license": terms,
            "creator": [{"@id": creator["@id"]} for creator in creators],
            "conformsTo": [{"@id": profile} for profile in _PROFILES],
            "mainEntity": {"@id": _WORKFLOW},
            "mentions": {"@id": "#run"},
            "hasPart": parts,
        },
        *(
            {"@id": profile, "@type": "CreativeWork", "name": name, "version": version}
            for profile, (name, version) in _PROFILES.items()
        ),
        *creators,
        _workflow(facts),
        {
            "@id": _LANGUAGE,
            "@type": "ComputerLanguage",
            "name": "Snakemake",
            "identifier": {"@id": "https://snakemake.github.io"},
            "url": {"@id": "https://snakemake.github.io"},
            "version": versions.get("snakemake", "unknown"),
        },
        {"@id": _LICENSE, "@type": "CreativeWork", "name": "Apache License 2.0", "identifier": "Apache-2.0"},
        _run(facts, results, creators, made),
        {
            "@id": "#weights",
            "@type": "CreativeWork",
            "name": f"Weights of the thermalizer for {facts.attributes['condition']}",
            "sha256": facts.attributes["thermalizer_sha256"],
            "description": "Recorded in provenance/thermalizer.json; not part of this crate.",
        },
        {
            "@id": "#source",
            "@type": "CreativeWork",
            "name": "The source's samples",
            "sha256": facts.attributes["source_sha256"],
            "license": terms,
            "description": "SHA-256 over names, lengths and CRCs of the samples; not part of this crate.",
        },
        {
            "@id": "faces/",
            "@type": "Dataset",
            "name": "Faces store",
            "description": "Zarr v3: ids, statuses, class maps, landmarks, head pose.",
            "license": terms,
        },
        {
            "@id": f"variants/{facts.variant}/",
            "@type": "Dataset",
            "name": f"Thermal store {facts.variant}",
            "description": facts.description,
            "license": terms,
        },
        *(_file(folder, name) for name in files if name != _WORKFLOW),
    ]
    crate = {"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": graph}
    (folder / "ro-crate-metadata.json").write_text(json.dumps(crate, indent=1, ensure_ascii=False) + "\n")


def _write_files(folder: Path, facts: Publication, workflow: Path) -> None:
    target = folder / "provenance"
    for pattern in _WORKFLOW_FILES:
        for path in sorted(workflow.glob(pattern)):
            copy = target / "workflow" / path.relative_to(workflow)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
    (target / "config.yaml").write_text(yaml.safe_dump(facts.config, sort_keys=True, allow_unicode=True))
    _write_json(target / "thermalizer.json", facts.attributes["thermalizer"])
    installed = {name: _version(name) for name in _PACKAGES}
    _write_json(
        target / "versions.json",
        {"tfake-workflow": software().split()[1], "commit": facts.commit}
        | {name: version for name, version in installed.items() if version},
    )


def _is_part(folder: Path, path: Path) -> bool:
    # The stores are datasets of the crate as a whole: their files are in SHA256SUMS.
    return path.is_file() and path.relative_to(folder).parts[0] not in ("faces", "variants")


def _workflow(facts: Publication) -> dict[str, Any]:
    return {
        "@id": _WORKFLOW,
        "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
        "name": "From RGB faces with labels to radiometric thermal faces with labels",
        "description": f"{software()}, commit {facts.commit or 'unknown'}; its rules lie beside it.",
        "programmingLanguage": {"@id": _LANGUAGE},
        "license": {"@id": _LICENSE},
        **({"version": facts.commit} if facts.commit else {}),
    }


def _run(facts: Publication, results: list, creators: list, made: str) -> dict[str, Any]:
    return {
        "@id": "#run",
        "@type": "CreateAction",
        "name": f"Run of the workflow that made variant {facts.variant}",
        "description": "Thermalization of the source's faces with the configuration in provenance/config.yaml.",
        "instrument": {"@id": _WORKFLOW},
        "object": [{"@id": "provenance/config.yaml"}, {"@id": "#source"}, {"@id": "#weights"}],
        "result": [*results, {"@id": "rows.parquet"}],
        "agent": [{"@id": creator["@id"]} for creator in creators],
        "endTime": made,
        "actionStatus": {"@id": "http://schema.org/CompletedActionStatus"},
    }


def _file(folder: Path, name: str) -> dict[str, Any]:
    kinds = {
        ".json": "application/json",
        ".parquet": "application/x-parquet",
        ".md": "text/markdown",
        ".png": "image/png",
    }
    return {
        "@id": name,
        "@type": "File",
        "name": name,
        "contentSize": str((folder / name).stat().st_size),
        "encodingFormat": kinds.get(Path(name).suffix, "text/plain"),
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")
