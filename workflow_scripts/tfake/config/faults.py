"""What is wrong with a config: every fault has a place, and all of them make one message."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

_MOST_SHOWN = 8

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
