"""What is wrong with a config: every fault has a place, in the config and in the file where it was written."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath

import yaml

_MOST_SHOWN = 8
_MERGE_KEY = "<<"

Path = tuple[str | int, ...]


class ConfigError(ValueError):
    """The config cannot be used; the message names every key that is at fault, and where it was written."""


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        path: the key's place in the config, from the top.
        text: what is wrong, as a sentence that goes on from the key's name.
    """

    path: Path
    text: str


def dotted(path: Path) -> str:
    """A key's place as people write it: ``conditions.warm.bank.path``, ``seeds[2]``."""
    words = ""
    for part in path:
        words += f"[{part}]" if isinstance(part, int) else f".{part}" if words else str(part)
    return words


def stop_at(faults: Sequence[Fault], locate: Callable[[Path], str | None] = lambda path: None) -> None:
    """Raise one error for all faults.

    Args:
        faults: what was found; none is no error.
        locate: tells where a key was written, such as ``mine.yaml, line 3``; None where nobody knows.

    Raises:
        ConfigError: there are faults.
    """
    if not faults:
        return
    lines = [_describe(fault, locate(fault.path)) for fault in faults[:_MOST_SHOWN]]
    if len(faults) > _MOST_SHOWN:
        lines.append(f"and {len(faults) - _MOST_SHOWN} more")
    raise ConfigError("\n".join(f"config: {line}" for line in lines))


def _describe(fault: Fault, place: str | None) -> str:
    return f"{dotted(fault.path) or 'it'} {fault.text}" + (f" ({place})" if place else "")


class ConfigFiles:
    """The files that a user gave, in that order: on which line a key is, and which keys are there twice.

    Snakemake gives the merged mapping alone, in which the first of two blocks of the same name is gone without a word.
    """

    def __init__(self, names: Sequence[str | FilePath]) -> None:
        """Read them; what is no YAML is passed over, for Snakemake has read it in its own way.

        Args:
            names: the files.
        """
        self._roots = {FilePath(name): root for name in names if (root := _compose(FilePath(name))) is not None}

    def locate(self, path: Path) -> str | None:
        """Where a key was written: ``mine.yaml, line 3``; None where no file has it, as after ``--config``.

        Args:
            path: the key's place in the config.
        """
        for file, root in reversed(self._roots.items()):
            node = _find(root, path)
            if node is not None:
                return f"{file.name}, line {node.start_mark.line + 1}"
        return None

    def find_repeated(self) -> list[Fault]:
        """Keys that are in one block twice: the second would silently replace the first."""
        return [
            Fault(path, f"is there twice, in lines {first} and {second} of {file.name}: the second hides the first")
            for file, root in self._roots.items()
            for path, first, second in _repeated(root, ())
        ]


def _compose(file: FilePath) -> yaml.Node | None:
    try:
        return yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None


def _find(node: yaml.Node, path: Path) -> yaml.Node | None:
    """The node of a path's last key, or of its list's item."""
    found = None
    for part in path:
        if isinstance(node, yaml.MappingNode):
            pairs = [(key, value) for key, value in node.value if key.value == str(part)]
            if not pairs:
                return None
            found, node = pairs[-1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            found = node = node.value[part]
        else:
            return None
    return found


def _repeated(node: yaml.Node, path: Path) -> Iterator[tuple[Path, int, int]]:
    if isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            yield from _repeated(item, (*path, position))
    if not isinstance(node, yaml.MappingNode):
        return
    seen: dict[str, int] = {}
    for key, value in node.value:
        line, name = key.start_mark.line + 1, str(key.value)
        if name in seen and name != _MERGE_KEY:
            yield (*path, name), seen[name], line
        seen[name] = line
        yield from _repeated(value, (*path, name))
