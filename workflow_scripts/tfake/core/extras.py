"""Packages that the core of this library does without: each belongs to an extra of the installation."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def needs_extra(extra: str, what: str) -> Iterator[None]:
    """Say how to install what an import inside lacks.

    Args:
        extra: that brings it.
        what: needs it.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if not error.name or error.name.partition(".")[0] == "tfake":
            raise
        raise ModuleNotFoundError(
            f"{what} needs the package {error.name}, which is not installed: pip install 'tfake-workflow[{extra}]'",
            name=error.name,
        ) from error
