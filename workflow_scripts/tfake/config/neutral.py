"""The keys that no result depends on. They are no params of a rule, or changing one would make everything anew.

Rounding aside, a network's weights and temperatures are the same on every device and with compiled kernels. Which keys
these are is declared in the models (``key(..., neutral=True)``); ``neutral_keys.txt`` is made from them
(:mod:`tfake.config.generated`), for jobs run in environments without pydantic.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: Keys that no result depends on, from the top: ``device``, ``thermalizer.compile``.
NEUTRAL_KEYS = tuple(Path(__file__).with_name("neutral_keys.txt").read_text(encoding="utf-8").split())
#: Those of a block of training settings.
NEUTRAL_SETTINGS = frozenset(
    key.split(".")[1] for key in NEUTRAL_KEYS if key.startswith(("thermalizer.", "landmarks."))
)


def without_neutral(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Training settings that a result depends on: what is a rule's param, and what tells one run from another.

    Args:
        settings: a block of training settings.
    """
    return {key: value for key, value in settings.items() if key not in NEUTRAL_SETTINGS}


def with_neutral(settings: Mapping[str, Any], block: Mapping[str, Any]) -> dict[str, Any]:
    """The same with the neutral ones again, as the config now has them.

    Args:
        settings: a rule's param, made by :func:`without_neutral`.
        block: the config's block.
    """
    return {**settings, **{key: block[key] for key in block if key in NEUTRAL_SETTINGS}}
