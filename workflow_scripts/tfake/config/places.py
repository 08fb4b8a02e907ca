"""Places in a config by pattern, where ``*`` stands for every name."""

from collections.abc import Iterator
from typing import Any

from tfake.config.faults import Path


def find_values(config: Any, pattern: tuple[str, ...], path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """The values at a pattern's places, with their places; a key that is not there has none.

    Args:
        config: a config, or the part of one that the pattern begins at.
        pattern: keys from there, such as ``("conditions", "*", "bank", "path")``.
        path: the place of ``config``.
    """
    if not pattern:
        yield path, config
        return
    names = config if pattern[0] == "*" else [pattern[0]] if pattern[0] in config else []
    for name in names:
        yield from find_values(config[name], pattern[1:], (*path, name))
