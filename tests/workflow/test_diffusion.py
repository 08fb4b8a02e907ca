"""LoRAs through the workflow: from stores and a tiny FLUX model to pictures, which are imported as a variant."""

import json

import numpy as np
import pytest
import yaml

import tfake
from runs import TINY, configured, succeed
from tiny_flux import make_flux

TRAINING = {
    "steps": 2,
    "rank": 2,
    "alpha": 2.0,
    "image_pixels": 64,
    "text_tokens": 64,
    "variant": "heat",
    "generation": {"images": 2, "steps": 1, "part": "train"},
}


@pytest.mark.slow
def test_pictures_by_control_become_a_variant_with_the_labels(copy, tmp_path):
    model = {"model": str(make_flux(tmp_path / "flux")), "license": "none, made by tests"}
    config = configured(tmp_path, diffusion={**TRAINING, **model})
    output = succeed(copy, "thermal_generation", config=config)
    assert "Describing 5 procedural faces." in output
    folder = copy / "results/diffusion"
    manifests = {kind: json.loads((folder / kind / "generated/manifest.json").read_text()) for kind in KINDS}
    assert all(len(manifest["pictures"]) == 2 for manifest in manifests.values())
    assert manifests["text"]["pictures"][0]["prompt"].startswith("thermal infrared picture of the face of a ")
    assert not (folder / "text/checkpoint.pt").exists()
    # Nothing is made anew by a key that no result depends on.
    neutral = configured(tmp_path, diffusion={**TRAINING, **model, "gradient_checkpointing": False})
    assert "train_thermal_lora" not in succeed(copy, "--dry-run", "thermal_generation", config=neutral)

    made = {"files": str(folder / "control/generated/pictures"), "points": None, "license": "CC0-1.0"}
    variants = yaml.safe_load(TINY.read_text()).get("variants", {})
    variants |= {"diffused": {**made, "condition": "warm", "ambient_celsius": 26.0}}
    succeed(copy, "variant_diffused", config=configured(tmp_path, variants=variants))
    dataset = tfake.open_dataset(copy / "results", variants=("diffused",), rows="all").where(images=["diffused"])
    assert sorted(face.image_id for face in dataset) == sorted(
        entry["image_id"] for entry in manifests["control"]["pictures"]
    )
    assert all(np.isfinite(face.thermal["diffused"]).all() and face.landmarks_70 is not None for face in dataset)


KINDS = ("text", "control")
