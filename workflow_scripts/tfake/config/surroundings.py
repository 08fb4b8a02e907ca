"""Where a run stands: what Snakemake would stumble over later, with a message that names something else."""

import re
from collections.abc import Sequence
from pathlib import Path

from tfake.config.faults import ConfigError

_BRACES = re.compile(r"[{}]")


def check_folders(workflow: Path, run: Path) -> None:
    """Refuse folders that Snakemake cannot work in.

    Args:
        workflow: the folder of the workflow itself.
        run: the working directory.

    Raises:
        ConfigError: one of them has braces in its path, which Snakemake takes for wildcards.
    """
    for what, folder in (("workflow", workflow), ("run", run)):
        if _BRACES.search(str(folder)):
            raise ConfigError(
                f"the folder of the {what} is {folder}: Snakemake takes braces for wildcards; move it elsewhere, "
                "or link to it"
            )


def check_compared(folders: Sequence[str] | None) -> list[str]:
    """Refuse to compare what is not there.

    Args:
        folders: two folders of results or of a published dataset; None where none were named.

    Returns:
        The folders.

    Raises:
        ConfigError: there are not two, or one holds no sealed store.
    """
    if not folders:
        raise ConfigError("config: compare is empty; name two datasets: snakemake compare --config 'compare=[A, B]'")
    for place, folder in enumerate(map(Path, folders)):
        stores = ("faces/SHA256SUMS", "variants/*/SHA256SUMS")
        if not any(list(root.glob(store)) for root in (folder, folder / "results") for store in stores):
            found = "has no sealed store: no SHA256SUMS in faces/ or variants/NAME/, here or in results/"
            found = found if folder.is_dir() else "is no folder"
            raise ConfigError(f"config: compare[{place}] is {folder}, which {found} (seen from {Path.cwd()})")
    return list(folders)
