"""The settings that the default config and every preset train with; random weights in place of downloaded ones."""

from dataclasses import replace

import yaml

from recipes import ROOT
from tfake.config.plan_studies import NO_TRAINING_SETTINGS
from tfake.landmarks.landmark_settings import LandmarkSettings
from tfake.thermalizer.thermalizer_settings import TrainingSettings

_DEFAULT = yaml.safe_load((ROOT / "config.yaml").read_text())
_PRESETS = {path.stem: yaml.safe_load(path.read_text()) for path in sorted((ROOT / "config/presets").glob("*.yaml"))}


def _merged(block):
    """Name to block: the default's, and what each preset makes of it, if it says anything."""
    return {"default": _DEFAULT[block]} | {
        name: _DEFAULT[block] | preset[block] for name, preset in _PRESETS.items() if block in preset
    }


def _landmark_settings(block):
    settings = LandmarkSettings.from_mapping(
        {key: value for key, value in block.items() if key not in NO_TRAINING_SETTINGS}
    )
    return replace(settings, pretrained=False)


def _distinct(settings):
    """Without those that only train for longer than another one."""
    seen = {replace(each, steps=1, validate_every=0, patience=0): name for name, each in reversed(settings.items())}
    return {name: settings[name] for name in reversed(seen.values())}


THERMALIZERS = _distinct(
    {
        name: replace(TrainingSettings.from_mapping(block), encoder_weights=None)
        for name, block in _merged("thermalizer").items()
    }
)
LANDMARKERS = _distinct({name: _landmark_settings(block) for name, block in _merged("landmarks").items()})
