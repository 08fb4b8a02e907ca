"""The terms of the thermalizer's objective: everything that tells one from another is one entry of ``TERMS``.

Table of losses, figures, reports, weights in the settings and measured costs read this list. It imports no torch, so
that a report can be built without; a term's value is a module that is imported when an objective is built.
"""

import pkgutil
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class LossTerm:
    """One term, a mean square in K^2.

    Attributes:
        name: its column in the table of losses.
        label: its name in figures and reports.
        module: ``package.module:Class`` of an ``nn.Module`` with a classmethod ``build(settings, data)`` and a
            ``forward(step)`` from :class:`tfake.thermalizer.objective.StepOutput` to a () tensor in K^2.
        default_weight: its weight where the settings do not say.
        is_weighted: whether the settings weigh it, as ``weight_key``; 0 there leaves it out.
        colour: of its running mean in the figure of the losses.
    """

    name: str
    label: str
    module: str
    default_weight: float = 1.0
    is_weighted: bool = True
    colour: str = "#c2410c"

    @property
    def weight_key(self) -> str:
        """The key of the settings that weighs it."""
        return f"weight_{self.name}"

    def build(self, settings: Any, data: Any) -> Any:
        """Its module for a run's ``TrainingSettings`` and ``TrainingData``.

        Raises:
            ValueError: settings and data do not fit together.
        """
        return pkgutil.resolve_name(self.module).build(settings, data)


_ALL = (
    LossTerm("supervised", "supervised: pairs", "tfake.thermalizer.supervised:SupervisedLoss", is_weighted=False),
    LossTerm("wasserstein", "patch Wasserstein", "tfake.thermalizer.patch_wasserstein:PatchWasserstein", 0.1),
    LossTerm("prior", "temperature prior", "tfake.thermalizer.temperature_prior:TemperaturePrior", 0.3),
)
#: Name to term, in the order in which they are summed, tabulated and drawn.
TERMS: dict[str, LossTerm] = {term.name: term for term in _ALL}


def weight_defaults() -> dict[str, float]:
    """Key of the settings to default weight, of every term that the settings weigh."""
    return {term.weight_key: term.default_weight for term in TERMS.values() if term.is_weighted}


def column_labels() -> dict[str, str]:
    """Column of the table of losses to label: the total, then every term."""
    return {"total": "total (weighted sum)", **{name: term.label for name, term in TERMS.items()}}
