"""Fetch the pretrained weights of the encoder that a training starts from."""

import logging
from collections.abc import Mapping
from typing import Any

from tfake.landmarks.landmark_network import LandmarkNetwork
from tfake.landmarks.landmark_settings import LandmarkSettings
from tfake.thermalizer.thermal_unet import ThermalUNet
from tfake.thermalizer.thermalizer_settings import TrainingSettings
from tfake.training.weights_file import save_encoder


def fetch_encoder_weights(weights: str, network: str, settings: Mapping[str, Any]) -> None:
    """Let timm or segmentation_models_pytorch fetch an encoder's weights, and write them to a file of their own.

    Args:
        weights: the file to write (:func:`tfake.training.weights_file.save_encoder`); a training reads it offline.
        network: ``thermalizer`` or ``landmarks``.
        settings: of that block of the config, as far as the encoder depends on them.

    Raises:
        ValueError: there is no such encoder, or none with such weights.
        RuntimeError: the weights cannot be fetched.
    """
    if network == "thermalizer":
        of_thermalizer = TrainingSettings.from_mapping(settings)
        name = of_thermalizer.encoder
        built = ThermalUNet(of_thermalizer.architecture((0.0, 0.0)), of_thermalizer.encoder_weights).body.encoder
    else:
        of_landmarks = LandmarkSettings.from_mapping(settings)
        name = of_landmarks.backbone
        built = LandmarkNetwork(of_landmarks.architecture(70), of_landmarks.pretrained).body.backbone
    logging.info("%s: SHA-256 of the file %s", name, save_encoder(weights, name, built))


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    fetch_encoder_weights(
        weights=snakemake.output.weights,
        network=snakemake.wildcards.network,
        settings=snakemake.params.settings,
    )
