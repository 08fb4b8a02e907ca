"""Jobs that write several shards: another number makes nothing anew, and repair makes no more again than before."""

import pytest
import yaml
from test_damage import damage

from runs import TINY, succeed, sums

SHARD = "results/variants/warm/thermal.zarr/thermal/c/1/0/0"


@pytest.mark.slow
def test_batches_of_shards(finished, copy):
    settings = yaml.safe_load(TINY.read_text())
    settings["store"]["shards_per_job"] = 2
    settings["variants"] = {"cold": {"images": [2, 5]}}
    config = copy / "batches.yaml"
    config.write_text(yaml.safe_dump(settings))
    planned = succeed(copy, "--dry-run", "results/variants/warm/verified.json", config=config)
    assert "Nothing to be done" in planned

    damage(copy / SHARD)
    succeed(copy, "repair_stores", config=config)
    output = succeed(copy, "variant_warm", config=config)
    assert "1 of 2 shards are there already" in (copy / "logs/thermalize_faces/warm/0.log").read_text()
    assert "thermalize_faces_2" not in output
    assert sums(copy)["results/variants/warm/SHA256SUMS"] == sums(finished)["results/variants/warm/SHA256SUMS"]
    assert not (copy / "results/variants/warm/unfinished").exists()

    # A slice leaves nothing of what it does not have, and ends within a batch.
    succeed(copy, "variant_cold", config=config)
    assert {path.name for path in (copy / "results/variants/cold/manifests").iterdir()} == {"1.json", "2.json"}
    planned = succeed(copy, "--dry-run", "--forceall", "variants", config=config)
    batches = {line.split()[0]: int(line.split()[1]) for line in planned.splitlines() if line.startswith("thermalize_")}
    assert batches == {"thermalize_faces": 1, "thermalize_faces_2": 1, "thermalize_faces_3": 2}
    everything = {**settings, "variants": {}}
    config.write_text(yaml.safe_dump(everything))
    succeed(copy, "--forcerun", "thermalize_faces", "thermalize_faces_2", "--", "variants", config=config)
    assert sums(copy) == sums(finished)
