"""The plan of the LoRAs: what they learn from, what is a param of their rules, and what is refused before any job."""

import pytest
import torch
import yaml
from diffusers import FluxTransformer2DModel

from planned import DEFAULTS, plan_of, wildcards
from recipes import ROOT
from tfake.config.checks import find_conflicts
from tfake.config.faults import ConfigError
from tfake.config.models_diffusion import Diffusion
from tfake.diffusion.generation import GenerationSettings
from tfake.diffusion.lora_network import find_targets
from tfake.diffusion.lora_settings import LoraSettings

PRESET = yaml.safe_load((ROOT / "config/presets/thermvision2025.yaml").read_text())["diffusion"]


@pytest.mark.parametrize("block", [{}, PRESET], ids=["default", "thermvision2025"])
def test_settings_are_taken_by_the_training(block):
    plan = plan_of(diffusion=block).diffusion
    settings = LoraSettings.from_mapping(plan.settings)
    assert (settings.rank, settings.alpha, settings.guidance) == (64, 64.0, 3.0)
    assert (settings.learning_rate, settings.steps, settings.t5_attention_mask) == (4e-4, 3000, True)
    assert {"checkpoint_every", "compile", "gradient_checkpointing"}.isdisjoint(plan.settings)
    assert GenerationSettings.from_mapping(plan.generation).guidance == 3.0
    assert list(plan.settings) == sorted(plan.settings)


def test_the_first_variant_that_no_camera_recorded_is_learnt_or_the_one_that_is_named():
    first = next(iter(DEFAULTS["variants"]))
    assert plan_of().diffusion.variant == first
    named = plan_of(diffusion={"variant": "cold"})
    assert named.diffusion.source["ambient_celsius"] == named.ambient("cold")
    config = dict(named.config)
    config["diffusion"] = config["diffusion"] | {"variant": "colder"}
    (fault,) = find_conflicts(config)
    assert "is 'colder'; the variants are" in str(fault)


def test_procedural_people_are_described_and_others_by_a_table():
    assert plan_of().diffusion.attributes == ["results/diffusion/attributes.csv"]
    assert plan_of(source={"archive": ["faces.zip"]}).diffusion.attributes == []
    assert plan_of(diffusion={"attributes": "mine.csv"}).diffusion.attributes == ["mine.csv"]


def test_a_model_is_named_there_and_licensed(tmp_path):
    with pytest.raises(ConfigError, match=r"diffusion\.model is null; name the folder of a FLUX model"):
        plan_of().diffusion.model(wildcards(lora="text"))
    named = {"model": str(tmp_path), "license": "Apache-2.0"}
    plan = plan_of(diffusion=named).diffusion
    plan.check_files()
    assert plan.model(wildcards(lora="text")) == named
    with pytest.raises(ConfigError, match=r"diffusion\.attributes: there is no "):
        plan_of(diffusion=named | {"attributes": "nowhere.csv"}).diffusion.check_files()
    for change, message in (
        ({"model": "m"}, "expected the model's licence"),
        ({"ema_decay": 0.5}, "expected 0: a LoRA has no average"),
        ({"precision": "float16"}, "FLUX overflows in float16"),
        ({"image_pixels": 100}, "multiple of 16"),
    ):
        with pytest.raises(ValueError, match=message):
            Diffusion.model_validate(DEFAULTS["diffusion"] | change)


def test_the_documents_figures_of_memory_are_those_of_flux():
    with torch.device("meta"):
        transformer = FluxTransformer2DModel(guidance_embeds=True)
    text = (ROOT / "docs/diffusion.md").read_text()
    count = sum(value.numel() for value in transformer.parameters())
    assert f"| {count / 1e9:.1f} billion | bfloat16 | {2 * count / 1e9:.1f} |" in text
    layers = dict(transformer.named_modules())
    for targets in ("blocks", "attention"):
        names = find_targets(transformer, targets, has_control=False)
        count = 64 * sum(layers[name].in_features + layers[name].out_features for name in names)
        # The weights, their gradient and two moments, 4 bytes each.
        assert f"| {count / 1e6:.1f} million | float32 | {16 * count / 1e9:.1f} |" in text
