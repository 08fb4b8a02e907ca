"""A published folder: stores copied and checked, everything that is said of them, and the checksums of it all."""

import datetime
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tqdm import tqdm

from tfake.products.publication.card import write_card, write_citation, write_row_table
from tfake.products.publication.croissant import write_croissant
from tfake.products.publication.facts import SUMS, gather_facts, write_checksums, write_terms
from tfake.products.publication.ro_crate import write_provenance
from tfake.reader.dataset import open_dataset
from tfake.store.manifest import file_sha256, read_sums
from tfake.store.shards import StoreError


def publish(
    folder: Path, variant: str, faces: Path, thermal: Path, config: Mapping[str, Any], workflow: Path, day: str
) -> None:
    """Make the published folder of a variant; ``SHA256SUMS``, written last, makes it count.

    Args:
        folder: the folder to make; what it holds is replaced.
        variant: the variant's name.
        faces: the folder of the sealed faces store.
        thermal: the folder of the variant's sealed store.
        config: the effective configuration.
        workflow: the folder of the workflow's Snakefile.
        day: day of publication, ISO 8601.

    Raises:
        StoreError: a file of a store is not what was sealed.
    """
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    sums = _copy_sealed(faces, folder / "faces") | _copy_sealed(thermal, folder / "variants" / variant)
    facts = gather_facts(variant, thermal, config, day, find_commit(workflow))
    dataset = open_dataset(folder, [variant], statuses=None, fields=("thermal", "segmentation"))
    table = write_row_table(folder / "rows.parquet", dataset)
    write_terms(folder, facts.terms)
    cite_as = write_citation(folder, facts, workflow / "CITATION.cff")
    write_croissant(folder, facts, cite_as)
    write_card(folder, facts, table, cite_as)
    made = datetime.datetime.fromtimestamp((thermal / SUMS).stat().st_mtime, datetime.UTC)
    write_provenance(folder, facts, workflow, made.isoformat(timespec="seconds"))
    write_checksums(folder, sums)


def find_commit(workflow: Path) -> str | None:
    """The commit of the workflow's checkout, ``+`` behind it where files differ from it; None outside a checkout."""
    commands = (["rev-parse", "HEAD"], ["status", "--porcelain", "--untracked-files=no"])
    try:
        commit, changes = (
            subprocess.run(["git", "-C", workflow, *command], capture_output=True, text=True, check=True).stdout.strip()
            for command in commands
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return commit + ("+" if changes else "")


def _copy_sealed(source: Path, target: Path) -> dict[Path, str]:
    """Copy a sealed store with its checksum list and summary; returns the SHA-256 of the store's files."""
    copied = {}
    for name, digest in tqdm(read_sums(source / SUMS).items(), f"copy {source.name}"):
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, path)
        # Of the copy: what is published is what was sealed, whatever the disks did in between.
        if file_sha256(path) != digest:
            raise StoreError(f"{source / name} is not what was sealed; run the workflow's verification")
        copied[path] = digest
    for name in (SUMS, "summary.json"):
        shutil.copyfile(source / name, target / name)
    return copied
