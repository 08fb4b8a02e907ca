"""What NVIDIA's driver says of this machine's cards, asked without touching them: no CUDA is started here.

A process reads ``CUDA_VISIBLE_DEVICES`` when it starts CUDA and never again; whoever chooses cards has to know them
before.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

#: The oldest Linux driver that runs programs of a CUDA major version (NVIDIA, "CUDA minor version compatibility").
OLDEST_DRIVER = {11: "450.80.02", 12: "525.60.13", 13: "580.65.06"}

_GPU = re.compile(r"^GPU \d+: (?P<model>.*) \(UUID: (?P<uuid>GPU-[^)]+)\)")
_INSTANCE = re.compile(r"^\s+MIG .*\(UUID: (?P<uuid>MIG-[^)]+)\)")
_VERSION = re.compile(r"\b\d{3}\.\d+(?:\.\d+)?\b")
_DRIVER_FILE = Path("/proc/driver/nvidia/version")
_NODES = Path("/dev")
_SECONDS = 30


@dataclass(frozen=True)
class Gpu:
    """A card.

    Attributes:
        model: as NVIDIA calls it.
        uuid: ``GPU-...``, the same in every process and after every start.
        instances: UUIDs ``MIG-...`` of its instances; where there are any, the card itself cannot be computed on.
    """

    model: str
    uuid: str
    instances: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What of it a process can compute on."""
        return self.instances or (self.uuid,)


def list_gpus() -> tuple[Gpu, ...]:
    """The cards that ``nvidia-smi`` lists, in its order; none where there is no nvidia-smi or it cannot say."""
    return parse_listing(_ask("-L"))


def parse_listing(text: str) -> tuple[Gpu, ...]:
    """Read what ``nvidia-smi -L`` prints.

    Args:
        text: a line a card, and below it an indented line for each of its MIG instances.
    """
    gpus: list[Gpu] = []
    for line in text.splitlines():
        if found := _GPU.match(line):
            gpus.append(Gpu(found["model"], found["uuid"]))
        elif gpus and (found := _INSTANCE.match(line)):
            gpus[-1] = Gpu(gpus[-1].model, gpus[-1].uuid, (*gpus[-1].instances, found["uuid"]))
    return tuple(gpus)


def visible_names(gpus: Sequence[Gpu], visible: str | None) -> tuple[str, ...]:
    """The cards and MIG instances that a process may compute on, by names that are the same in every process.

    Args:
        gpus: the machine's cards.
        visible: ``CUDA_VISIBLE_DEVICES``: numbers in nvidia-smi's order, UUIDs or their beginnings, or MIG names of
            either spelling (``MIG-<uuid>``, ``MIG-GPU-<uuid>/<instance>/<slice>``); None: not set, all of them.

    Returns:
        The names, each once. As CUDA does, whatever follows an entry that stands for no card is left out. Without a
        list of cards the entries are taken as they are.
    """
    if visible is None:
        return tuple(name for gpu in gpus for name in gpu.names)
    names: list[str] = []
    for entry in (text.strip() for text in visible.split(",")):
        found = _names_of(entry, gpus)
        if not found:
            break
        names += found
    return tuple(dict.fromkeys(names))


def _names_of(entry: str, gpus: Sequence[Gpu]) -> tuple[str, ...]:
    if entry.isdigit():
        if not gpus:
            return (entry,)
        return gpus[int(entry)].names if int(entry) < len(gpus) else ()
    if not entry.startswith(("GPU-", "MIG-")):
        return ()
    for gpu in gpus:
        if gpu.uuid.startswith(entry):
            return gpu.names
        for name in gpu.instances:
            if name.startswith(entry):
                return (name,)
    # nvidia-smi does not list the older spelling of an instance.
    return () if gpus and not entry.startswith("MIG-GPU-") else (entry,)


def find_card() -> str | None:
    """A card that this process may open, by its model or its device node; None where there is none.

    A container without cards still shows the host's ``/proc/driver/nvidia``, and a Slurm job without any the nodes of
    the others: what counts is whether nvidia-smi lists it, or whether its node can be opened.
    """
    if gpus := list_gpus():
        return gpus[0].model
    for node in sorted(_NODES.glob("nvidia[0-9]*")):
        try:
            os.close(os.open(node, os.O_RDWR))
        except OSError:
            continue
        return str(node)
    return None


def find_driver() -> str | None:
    """Version of the driver; None where there is none."""
    try:
        text = _DRIVER_FILE.read_text()
    except OSError:
        text = _ask("--query-gpu=driver_version", "--format=csv,noheader")
    found = _VERSION.search(text)
    return found[0] if found else None


def _ask(*arguments: str) -> str:
    program = shutil.which("nvidia-smi")
    if program is None:
        return ""
    try:
        done = subprocess.run(
            [program, *arguments], capture_output=True, text=True, timeout=_SECONDS, check=False, errors="replace"
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
