"""The study of few labels: which networks are trained, with which labels, from what."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tfake.config.faults import ConfigError
from tfake.config.plan_pretraining import check_initial_file, initial_file
from tfake.config.plan_rules import Wildcards, in_key_order

if TYPE_CHECKING:
    from tfake.config.plan import Plan

#: Begins at random.
RANDOM = "random"
#: Steps of a tuned run, at most, over those of an equal one; validations within an equal one; and the patience.
_LONGER, _VALIDATIONS, _PATIENCE = 4, 4, 4


class LabelEfficiencyPlan:
    """Runs: a method, a mode and a budget, labels, a draw and a seed."""

    def __init__(self, plan: "Plan") -> None:
        """Take a plan."""
        self._plan = plan
        self._block = plan.config["label_efficiency"]
        #: The landmark network.
        self.task: str = self._block["task"]
        self.methods = tuple(self._block["methods"])
        self.modes, self.budgets = tuple(self._block["modes"]), tuple(self._block["budgets"])
        fractions = dict.fromkeys((*self._block["fractions"], 1.0))
        #: Labels by their name in paths.
        self.labels = {f"{100 * share:g}pc": {"fraction": share} for share in fractions} | {
            f"{count}n": {"count": count} for count in self._block["counts"]
        }
        #: Annotated sets that networks are scored on, too.
        self.sets = tuple(self._block["sets"])

    @property
    def runs(self) -> list[dict[str, Any]]:
        """Every run by its wildcards, and the path of its ``weights``."""
        return list(self._runs())

    @property
    def weights(self) -> list[str]:
        """The weights of every run."""
        return [run["weights"] for run in self._runs()]

    def _runs(self) -> Iterator[dict[str, Any]]:
        for method in self.methods:
            for mode in self.modes:
                # At random, there is nothing to keep frozen.
                if mode == "frozen" and self._block["methods"][method] == RANDOM:
                    continue
                for budget in self.budgets:
                    for labels, chosen in self.labels.items():
                        # All labels are the same ones in every draw.
                        draws = 1 if chosen.get("fraction") == 1 else self._block["draws"]
                        for draw in range(draws):
                            for seed in self._block["seeds"]:
                                folder = f"{method}/{mode}_{budget}/{labels}/draw{draw}_seed{seed}/{self.task}"
                                yield {
                                    "method": method,
                                    "mode": mode,
                                    "budget": budget,
                                    "labels": labels,
                                    "draw": draw,
                                    "seed": seed,
                                    "weights": f"results/label_efficiency/runs/{folder}/weights.pt",
                                }

    def initial(self, wildcards: Wildcards) -> list[str]:
        """The file that a method begins with; none at random."""
        name = self._block["methods"][wildcards.method]
        return initial_file(self._plan.config, None if name == RANDOM else name)

    def labelled(self, wildcards: Wildcards) -> dict[str, Any]:
        """Which faces are labelled (:func:`tfake.landmarks.few_labels.choose_labelled`)."""
        return in_key_order({**self.labels[wildcards.labels], "draw": int(wildcards.draw)})

    def is_frozen(self, wildcards: Wildcards) -> bool:
        """Whether the backbone stays as it begins."""
        return wildcards.mode == "frozen"

    def settings(self, wildcards: Wildcards) -> dict[str, Any]:
        """The training settings of a run."""
        steps = self._block["steps"]
        changes = {"steps": steps, "validate_every": steps, "patience": 0}
        if wildcards.budget == "tuned":
            changes = {
                "steps": _LONGER * steps,
                "validate_every": max(1, steps // _VALIDATIONS),
                "patience": _PATIENCE,
                "schedule": "constant",
            }
        changes |= {"learning_rate": self._block["learning_rate"], "seed": int(wildcards.seed), "pretrained": False}
        return in_key_order({**self._plan.landmarks.settings(wildcards), **changes})

    def set_settings(self, wildcards: Wildcards) -> dict[str, Any]:
        """Kind, path and values of the annotated sets that networks are scored on, by name."""
        known = self._plan.config["evaluation"]["sets"]
        return in_key_order(
            {name: {key: known[name].get(key, "celsius") for key in ("kind", "path", "values")} for name in self.sets}
        )

    @property
    def pretrained(self) -> list[str]:
        """The methods that begin with an encoder that is pretrained here."""
        return [method for method, name in self._block["methods"].items() if name in self._plan.pretraining.names]

    @property
    def pretraining(self) -> list[str]:
        """What became of these encoders."""
        named = dict.fromkeys(self._block["methods"][method] for method in self.pretrained)
        return [f"results/pretraining/{name}/provenance.json" for name in named]

    @property
    def set_paths(self) -> list[str]:
        """Their folders."""
        return [self._plan.config["evaluation"]["sets"][name]["path"] for name in self.sets]

    def check_files(self) -> None:
        """Look for the methods' files and the annotated sets.

        Raises:
            ConfigError: one is not there.
        """
        for method, name in self._block["methods"].items():
            if name != RANDOM:
                check_initial_file(self._plan.config, f"label_efficiency.methods.{method}", name)
        for name in self.sets:
            known = self._plan.test_sets.foreign
            if name not in known or not self._plan.test_sets.is_there(name):
                raise ConfigError(
                    f"config: label_efficiency.sets: expected annotated sets of evaluation.sets whose folder is there, "
                    f"of {', '.join(known)}; found {name}"
                )
