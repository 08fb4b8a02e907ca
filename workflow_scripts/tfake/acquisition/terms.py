"""The terms of published data: known by name, shown when the data first comes, and kept beside it."""

import logging
from pathlib import Path

_LICENSES = Path(__file__).parent / "licenses"


def show_terms(name: str, folder: str | Path) -> None:
    """Log the terms and leave them in a folder, unless they are there already.

    Args:
        name: a name of ``source.license``; terms whose text does not come with this project are left to their source.
        folder: where the data lies.
    """
    text = license_text(name)
    if text is None:
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    try:
        with open(Path(folder, f"{name}.txt"), "x") as file:
            file.write(text)
    except FileExistsError:
        return
    logging.info("source.accept_license is set: you have agreed to these terms.\n\n%s", text)


def license_text(name: str) -> str | None:
    """The text of the terms of this name; None where it does not come with this project."""
    path = _LICENSES / f"{name}.txt"
    return path.read_text() if path.exists() else None
