"""The settings that no result depends on. They are no params of a rule, or changing one would make everything anew.

Rounding aside, a network's weights and temperatures are the same on every device and with compiled kernels.
"""

from collections.abc import Mapping
from typing import Any

#: Keys of every block of training settings that the weights do not depend on.
NEUTRAL_SETTINGS = ("checkpoint_every", "compile")
#: Keys at the top of the config of which the same holds; scripts read them there.
NEUTRAL_KEYS = ("device",)


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
    return {**settings, **{key: block[key] for key in NEUTRAL_SETTINGS}}
