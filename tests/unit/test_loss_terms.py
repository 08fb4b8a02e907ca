"""A term of the objective is one entry, by which alone a new one is trained, tabulated, drawn, timed and reported."""

import subprocess
import sys
from dataclasses import replace

import pandas as pd
import pytest
import torch
import yaml
from torch import nn

from recipes import ROOT, SCRIPTS, sources_of
from tfake.products.report.temperatures import draw_losses
from tfake.studies.costs import measure_costs
from tfake.thermalizer.objective import StepOutput, ThermalObjective
from tfake.thermalizer.terms import TERMS, LossTerm, weight_defaults
from tfake.thermalizer.thermalizer_job import _loss_curves
from tfake.thermalizer.thermalizer_kinds import KINDS
from tfake.thermalizer.thermalizer_settings import TrainingSettings
from tfake.thermalizer.thermalizer_training import step_batches
from tfake.training import curves
from tiny_training import CPU, TINY, make_bank, make_data, run

pytestmark = pytest.mark.usefixtures("one_thread")


class Smoothness(nn.Module):
    """Squared difference of neighbours in the source images."""

    @classmethod
    def build(cls, settings, data):
        return cls()

    def forward(self, step: StepOutput):
        return step.unpaired.diff(dim=-1).square().mean()


@pytest.fixture
def toy(monkeypatch):
    """A fourth term, as one line of the registry would add it."""
    term = LossTerm("smoothness", "smoothness of sources", f"{__name__}:Smoothness", default_weight=0.5)
    monkeypatch.setitem(TERMS, term.name, term)
    return term


def test_a_new_term_is_trained_tabulated_drawn_and_reported(toy, tmp_path, monkeypatch):
    known = run().losses.drop(columns=toy.name)
    losses = run(weight_smoothness=2.0).losses
    assert losses.columns.tolist() == [
        *("step", "total", "supervised", "wasserstein", "prior", "smoothness"),
        *("gradient_norm", "learning_rate", "validation"),
    ]
    assert (losses["smoothness"] > 0).all()
    weighted = losses["supervised"] + 0.1 * losses["wasserstein"] + 0.3 * losses["prior"] + 2.0 * losses["smoothness"]
    pd.testing.assert_series_equal(losses["total"], weighted, check_names=False, rtol=1e-5)
    assert losses["gradient_norm"].tolist() != known["gradient_norm"].tolist()
    drawn = []
    monkeypatch.setattr(curves.Figure, "savefig", lambda figure, *_, **__: drawn.append(figure))
    curves.plot_loss_terms(tmp_path / "losses.png", losses, _loss_curves(KINDS["unet"]), "toy")
    assert [axes.get_title() for axes in drawn[0].axes][-1] == "smoothness of sources, K²"


def test_the_report_draws_a_new_term(toy):
    losses = pd.DataFrame({"step": [0, 1], "total": [2.0, 1.0], "smoothness": [2.0, 1.0], "validation": [1.0, 0.5]})
    assert "smoothness of sources" in draw_losses({"warm": losses}).wide


def test_a_new_term_is_timed(toy):
    settings = TrainingSettings.from_mapping(TINY | {"image_pixels": 32, "patch_scales": [1]})
    costs = measure_costs(settings, make_data(bank=make_bank((1,))), CPU, 1)
    assert costs["smoothness_share"] > 0


def test_a_new_term_has_a_key_of_its_own(toy):
    settings = TrainingSettings.from_mapping(TINY | {"weight_smoothness": 3.0})
    assert settings.as_mapping()["weight_smoothness"] == 3.0
    assert TrainingSettings.from_mapping(settings.as_mapping()) == settings
    assert replace(settings, steps=9).weights == settings.weights
    assert TrainingSettings().weights["weight_smoothness"] == 0.5
    with pytest.raises(ValueError, match="weight_smoothness must be at least 0; found -1"):
        TrainingSettings.from_mapping({"weight_smoothness": -1})


def test_an_unknown_weight_is_refused():
    with pytest.raises(ValueError, match=r"unknown training settings: weight_smoothness; known: .*weight_prior"):
        TrainingSettings.from_mapping({"weight_smoothness": 1.0})
    with pytest.raises(ValueError, match="unknown training settings: weights"):
        TrainingSettings.from_mapping({"weights": {}})


def test_the_config_weighs_every_term():
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    assert weight_defaults().items() <= config["thermalizer"].items()
    for arm in config["ablation"]["arms"].values():
        assert set(weight_defaults()) <= set(arm)


def test_terms_are_known_without_torch():
    code = "import sys; from tfake.thermalizer.terms import column_labels; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_term_s_gradient_reaches_only_what_it_compares():
    """Of the paired term the paired images, of the others the source images."""
    settings, data = TrainingSettings.from_mapping(TINY), make_data()
    objective = ThermalObjective(settings, data)
    pairs, sources, draws = step_batches(settings, data, data.pairs)(0)
    paired = torch.full((2, 1, 64, 64), 30.0).requires_grad_()
    unpaired = (torch.arange(64.0).expand(2, 1, 64, 64) / 8 + 28).requires_grad_()
    step = StepOutput(paired, unpaired, pairs, sources, draws)
    for name, term in objective.terms.items():
        found = torch.autograd.grad(term(step), (paired, unpaired), allow_unused=True)
        reached = [gradient is not None and bool(gradient.any()) for gradient in found]
        assert reached == [name == "supervised", name != "supervised"], name


def test_a_term_s_module_counts_to_the_training_and_not_to_the_report():
    modules = {f"{term.module.split(':')[0].rsplit('.')[-1]}.py" for term in TERMS.values()}
    assert modules <= {path.name for path in sources_of(SCRIPTS["train_thermalizer"])}
    assert not modules & {path.name for path in sources_of(SCRIPTS["build_report"])}
