"""Two processes of one group: they agree, and train one network together."""

import json
from pathlib import Path

import pytest
import torch
import torch.distributed

from presets import LANDMARKERS, THERMALIZERS
from tfake.landmarks.landmark_network import LandmarkNetwork
from tfake.thermalizer.thermal_unet import ThermalUNet
from tfake.training import distributed
from tfake.training.distributed import all_reduce_sum, any_process, current_shard, rank_zero_only, run_distributed
from tfake.training.rng import SINGLE_PROCESS
from tiny_training import run


def train_in_group(folder: str) -> None:
    """What each process does; at module level, so that it can be sent."""
    torch.set_num_threads(1)
    shard = current_shard()
    trained = run(batch_pairs=2, batch_sources=4)
    weights = torch.cat([p.flatten() for p in trained.network.parameters()])
    gathered = [torch.empty_like(weights) for _ in range(shard.world_size)]
    torch.distributed.all_gather(gathered, weights.contiguous())
    validation = torch.tensor(trained.losses["validation"].dropna().to_numpy())
    validations = [torch.empty_like(validation) for _ in range(shard.world_size)]
    torch.distributed.all_gather(validations, validation)
    sums = all_reduce_sum([shard.rank + 0.5, 1])
    one_says_yes, none_does = any_process(shard.rank == 1), any_process(False)
    with rank_zero_only() as writes:
        if writes:
            found = {
                "processes": shard.world_size,
                "equal": torch.equal(gathered[0], gathered[1]),
                "moved": bool(trained.losses["total"].iloc[-1] < trained.losses["total"].iloc[0]),
                "agree": [one_says_yes, none_does],
                "sums": sums,
                "validated alike": all(torch.equal(one, validation) for one in validations),
            }
            (Path(folder) / "found.json").write_text(json.dumps(found))


def fail_in_group() -> None:
    raise ArithmeticError("this process cannot")


def test_processes_train_one_network(tmp_path):
    run_distributed(train_in_group, {"folder": str(tmp_path)}, processes=2, gpus=False)
    found = json.loads((tmp_path / "found.json").read_text())
    alike = {"sums": [2.0, 2.0], "validated alike": True}
    assert found == {"processes": 2, "equal": True, "moved": True, "agree": [True, False], **alike}


@pytest.mark.slow
def test_a_failing_process_fails_the_group():
    with pytest.raises(Exception, match="this process cannot"):
        run_distributed(fail_in_group, {}, processes=2, gpus=False)


def test_outside_a_group_one_process_does_all():
    assert current_shard() == SINGLE_PROCESS
    assert any_process(True)
    assert not any_process(False)
    assert all_reduce_sum([1.5, 2]) == [1.5, 2]
    with rank_zero_only() as writes:
        assert writes


def networks():
    for name, settings in THERMALIZERS.items():
        image = torch.randint(0, 256, (1, 3, 64, 64), dtype=torch.uint8)
        yield (
            f"thermalizer-{name}",
            lambda settings=settings: ThermalUNet(settings.architecture((20.0, 26.0))),
            (
                image,
                torch.randint(0, 19, (1, 64, 64), dtype=torch.uint8),
                torch.tensor([22.0]),
            ),
        )
    for name, settings in LANDMARKERS.items():
        yield (
            f"landmarks-{name}",
            lambda settings=settings: LandmarkNetwork(settings.architecture(70)),
            (torch.rand(1, 3, 64, 64),),
        )


NETWORKS = {name: (build, inputs) for name, build, inputs in networks()}


@pytest.mark.parametrize("name", NETWORKS)
def test_normalisation_over_the_group_is_the_same_network(name, monkeypatch):
    """What `wrap_distributed` trains on several GPUs gives what the network alone gives."""
    build, inputs = NETWORKS[name]
    torch.manual_seed(0)
    network = build().eval()
    with torch.inference_mode():
        alone = network(*inputs)
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(distributed, "DistributedDataParallel", lambda module, **options: module)
    wrapped = distributed.wrap_distributed(network, torch.device("cuda"))
    assert any(isinstance(module, torch.nn.SyncBatchNorm) for module in wrapped.modules())
    with torch.inference_mode():
        assert torch.equal(wrapped(*inputs), alone)


@pytest.mark.parametrize("name", THERMALIZERS)
def test_the_layout_of_memory_changes_nothing_but_rounding(name):
    build, inputs = NETWORKS[f"thermalizer-{name}"]
    torch.manual_seed(0)
    network = build().eval()
    with torch.inference_mode():
        last = network(*inputs)
        network.set_channels_last(False)
        assert torch.allclose(network(*inputs), last, atol=1e-3)
