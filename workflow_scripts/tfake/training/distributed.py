"""One training over several GPUs: each process makes its own part of every batch, and gradients are averaged.

Processes are started through torchrun's own launcher (``torch.distributed.launcher``), so that a script behaves alike
whether it starts them itself or is started by ``torchrun``.
"""

import os
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import torch
import torch.distributed
from timm.layers import convert_sync_batchnorm
from torch import nn
from torch.distributed.launcher.api import LaunchConfig, elastic_launch
from torch.nn.parallel import DistributedDataParallel

from tfake.core.devices import limit_threads, resolve_device
from tfake.core.processes import keep_freed_memory, share_threads
from tfake.training.rng import SINGLE_PROCESS, ProcessShard


def run_distributed(function: Callable[..., None], arguments: dict[str, Any], processes: int, gpus: bool) -> None:
    """Call a function in several processes that form one group; returns when all are done.

    Args:
        function: a module-level function; it knows its part by ``current_shard``.
        arguments: its keyword arguments, picklable.
        processes: how many; with one or none the function is called here, without a group.
        gpus: whether each computes on a GPU of its own (nccl) or all on the CPU (gloo).

    Raises:
        torch.distributed.elastic.multiprocessing.errors.ChildFailedError: one of them failed; its message has the
            process's own.
    """
    if processes <= 1:
        function(**arguments)
        return
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        run_id=uuid4().hex,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
    )
    elastic_launch(config, _in_group)(function, arguments, gpus)


def _in_group(function: Callable[..., None], arguments: dict[str, Any], gpus: bool) -> None:
    if gpus:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    # Everybody has joined before anybody works: a process that fails at once would break its neighbours' joining, and
    # their message could hide its own. By the store, since no process has claimed its GPU yet.
    os.environ["TORCH_DIST_INIT_BARRIER"] = "1"
    # Votes go over the CPU: they must not wait for a GPU's work.
    torch.distributed.init_process_group("cpu:gloo,cuda:nccl" if gpus else "gloo")
    try:
        function(**arguments)
    finally:
        torch.distributed.destroy_process_group()


def prepare_process(device: str, threads: int) -> tuple[torch.device, int]:
    """Set this process up for a training: its memory, its device and its part of the job's threads.

    Args:
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        threads: of the whole job (:func:`tfake.core.processes.share_threads`).

    Returns:
        The device, and how many threads make batches beside it.
    """
    keep_freed_memory()
    found = resolve_device(device)
    computing, workers = share_threads(threads, current_shard().world_size, beside_gpu=found.type == "cuda")
    limit_threads(computing)
    return found, workers


def current_shard() -> ProcessShard:
    """This process's part of every batch: all of it outside a group."""
    if not torch.distributed.is_initialized():
        return SINGLE_PROCESS
    return ProcessShard(torch.distributed.get_rank(), torch.distributed.get_world_size())


def shard_of_batch(batch: int) -> ProcessShard:
    """This process's part of batches of so many items.

    Raises:
        ValueError: they cannot be split evenly.
    """
    shard = current_shard()
    if batch % shard.world_size:
        raise ValueError(f"batch {batch} must be a multiple of the {shard.world_size} processes")
    return shard


def wrap_distributed(network: nn.Module, device: torch.device) -> nn.Module:
    """The network as one process of a group trains it; outside a group the network itself."""
    if not torch.distributed.is_initialized():
        return network
    if device.type == "cuda":
        # timm's own: torch's loses the activation that is part of timm's BatchNormAct2d.
        network = convert_sync_batchnorm(network)
    # On a CPU there is no synchronised normalisation: the buffers of the first process count. A decoder of less depth
    # than its encoder leaves the encoder's last stages without a gradient.
    gpus = [torch.cuda.current_device()] if device.type == "cuda" else None
    return DistributedDataParallel(network, device_ids=gpus, find_unused_parameters=True)


def any_process(decision: bool) -> bool:
    """Whether the decision is true in any process of the group, so that all leave their loop at the same step."""
    if not torch.distributed.is_initialized():
        return decision
    vote = torch.tensor(float(decision))
    torch.distributed.all_reduce(vote, torch.distributed.ReduceOp.MAX)
    return bool(vote.item())


def all_reduce_sum(values: Sequence[float]) -> list[float]:
    """Each value summed over the processes of the group, the same in all of them."""
    if not torch.distributed.is_initialized():
        return list(values)
    device = "cuda" if torch.distributed.get_backend() == "nccl" else "cpu"
    total = torch.tensor(values, dtype=torch.float64, device=device)
    torch.distributed.all_reduce(total)
    return total.tolist()


@contextmanager
def rank_zero_only():
    """Whether this process writes for the group; the others wait until it has."""
    shard = current_shard()
    yield shard.rank == 0
    if shard.world_size > 1:
        torch.distributed.barrier()
