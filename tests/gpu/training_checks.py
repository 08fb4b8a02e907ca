"""Trainings on a card: beside the CPU's, killed and resumed, moved, in a group, and how long each preset's takes."""

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
import torch
import torch.distributed
from sizes import Size

from presets import LANDMARKERS, THERMALIZERS
from tfake.core.devices import synchronise
from tfake.landmarks.crop_sampling import FaceSampler
from tfake.landmarks.landmark_training import LandmarkTrainState, train_landmarks
from tfake.thermalizer.thermalizer_training import ThermalizerTrainState, step_batches, train
from tfake.training.distributed import current_shard, run_distributed
from tfake.training.loop import RunControl, run_steps
from tfake.training.training_settings import resolve_precision
from tfake.training.weights_file import CheckpointFile
from tiny_landmarks import make_faces
from tiny_training import make_bank, make_data

CPU = torch.device("cpu")
#: Largest relative difference of a loss from the CPU's, in the mean over the steps: kernels round differently, and a
#: training answers to it.
TOLERANCE = 0.05


class _KilledError(Exception):
    pass


def compare_losses(size: Size, device: torch.device, folder: Path) -> dict:
    """Both kinds of training with workers in float32, and what they say beside the CPU's without."""
    found = {}
    for name, run in (("thermalizer", _thermalizer), ("landmarks", _landmarks)):
        controls = RunControl(CPU), RunControl(device, workers=max(1, size.workers))
        losses = {control.device: run(size, control) for control in controls}
        found[f"{name}: mean relative difference"] = _difference(losses[CPU], losses[device])
        found[f"{name}: last loss"] = round(float(losses[device]["total"].iloc[-1]), 4)
    assert max(v for key, v in found.items() if "difference" in key) <= TOLERANCE, found
    return {"steps": size.steps, **found}


def check_resuming(size: Size, device: torch.device, folder: Path) -> dict:
    """A training that dies behind a checkpoint and is started again, beside one that was left alone."""
    whole = _thermalizer(size, RunControl(device))
    resumed = _interrupted(size, folder, device, device)
    return {"mean relative difference": _require_alike(whole, resumed)}


def check_moves(size: Size, device: torch.device, folder: Path) -> dict:
    """A training that is stopped on the CPU and goes on on the card, and the other way round."""
    whole = _thermalizer(size, RunControl(CPU))
    there, back = _interrupted(size, folder, CPU, device), _interrupted(size, folder, device, CPU)
    return {"to the card": _require_alike(whole, there), "to the CPU": _require_alike(whole, back)}


def check_groups(size: Size, device: torch.device, folder: Path) -> dict:
    """Two processes with a card each, that must end with the same weights."""
    if device.type == "cuda" and torch.cuda.device_count() < 2:
        return {"skipped": "one card"}
    path = folder / "group.json"
    run_distributed(_train_in_group, {"size": size, "path": str(path)}, 2, gpus=device.type == "cuda")
    found = json.loads(path.read_text())
    assert found["largest difference of weights"] == 0, found
    return found


def time_presets(size: Size, device: torch.device, folder: Path) -> dict:
    """Seconds a step of each preset with its own batches, memory at the most, and how long its training would be."""
    found = {}
    precision = resolve_precision("auto", device)
    for name, preset in THERMALIZERS.items():
        settings = size.thermalizer(preset)
        data = make_data(bank=make_bank(settings.patch_scales))
        run = ThermalizerTrainState(settings, data, precision, device)
        make = step_batches(settings, data, data.pairs)
        found[f"thermalizer {name}"] = _time_steps(run, settings, make, size, device, preset.steps)
    for name, preset in LANDMARKERS.items():
        settings = size.landmarks(preset)
        run = LandmarkTrainState(settings, 70, precision, device)
        sampler = FaceSampler(make_faces(4), 70, settings)
        make = lambda step, sampler=sampler: (sampler.batch(step),)  # noqa: E731
        found[f"landmarks {name}"] = _time_steps(run, settings, make, size, device, preset.steps)
    return found


def _time_steps(run, settings, make, size: Size, device: torch.device, steps: int) -> str:
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    seconds = []
    for stop in (size.preset_steps, 2 * size.preset_steps):
        synchronise(device)
        began = perf_counter()
        run_steps(run, replace(settings, steps=stop), make, None, RunControl(device, workers=size.workers))
        synchronise(device)
        seconds.append((perf_counter() - began) / size.preset_steps)
    memory = torch.cuda.max_memory_allocated(device) / 2**30 if device.type == "cuda" else 0.0
    return f"{seconds[-1]:.3f} s a step, {memory:.1f} GiB; {steps} steps in {steps * seconds[-1] / 60:.0f} min"


def _thermalizer(size: Size, control: RunControl) -> pd.DataFrame:
    settings = size.default_thermalizer(steps=size.steps, precision="float32")
    settings = replace(settings, checkpoint_every=1 if control.checkpoint else 0)
    data = make_data(bank=make_bank(settings.patch_scales))
    return train(settings, data, control).losses


def _landmarks(size: Size, control: RunControl) -> pd.DataFrame:
    settings = size.default_landmarks(steps=size.steps, precision="float32")
    return train_landmarks(settings, make_faces(6), make_faces(2), 70, control).losses


def _interrupted(size: Size, folder: Path, first: torch.device, then: torch.device) -> pd.DataFrame:
    file = CheckpointFile(folder / "checkpoint.pt", "this check's")
    file.remove()

    def die() -> bool:
        if file.path.exists():
            raise _KilledError
        return False

    with suppress(_KilledError):
        _thermalizer(size, RunControl(first, file, die))
    assert file.load() is not None, "no checkpoint was written"
    losses = _thermalizer(size, RunControl(then, file))
    file.remove()
    return losses


def _require_alike(whole: pd.DataFrame, other: pd.DataFrame) -> float:
    difference = _difference(whole, other)
    assert difference <= TOLERANCE, f"mean relative difference {difference}"
    return difference


def _difference(expected: pd.DataFrame, found: pd.DataFrame) -> float:
    assert len(expected) == len(found)
    assert np.isfinite(found["total"]).all()
    return round(float((found["total"] / expected["total"] - 1).abs().mean()), 6)


def _train_in_group(size: Size, path: str) -> None:
    shard = current_shard()
    device = torch.device("cuda", torch.cuda.current_device()) if torch.cuda.is_available() else CPU
    settings = size.default_thermalizer(steps=3)
    network = train(settings, make_data(bank=make_bank(settings.patch_scales)), RunControl(device)).network
    mine = torch.cat([parameter.detach().flatten() for parameter in network.parameters()])
    all_of_them = [torch.empty_like(mine) for _ in range(shard.world_size)]
    torch.distributed.all_gather(all_of_them, mine)
    if shard.rank == 0:
        difference = max(float((other - mine).abs().max()) for other in all_of_them)
        Path(path).write_text(json.dumps({"processes": shard.world_size, "largest difference of weights": difference}))
