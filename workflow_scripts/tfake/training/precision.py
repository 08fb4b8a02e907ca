"""The number format that a network's body computes in: which one a machine is good at, and how to ask for it."""

from contextlib import AbstractContextManager

import torch

PRECISIONS = ("auto", "float32", "bfloat16", "float16")


def resolve_precision(name: str, device: torch.device) -> str:
    """Turn the config's precision into the body's number format on this machine.

    Args:
        name: ``float32``, ``bfloat16``, ``float16`` (GPUs alone), or ``auto``: bfloat16 where the device computes in
            it, float32 otherwise.
        device: where the network runs.

    Returns:
        ``float32``, ``bfloat16`` or ``float16``.

    Raises:
        ValueError: none of these names, or float16 on a CPU (bfloat16 is as fast there, and has float32's range).
    """
    if name not in PRECISIONS:
        raise ValueError(f"precision must be one of {', '.join(PRECISIONS)}; found {name!r}")
    if name == "float16" and device.type != "cuda":
        raise ValueError(f"precision float16 needs a GPU; found the device {device.type!r}")
    if name != "auto":
        return name
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        native = torch.cpu._is_avx512_bf16_supported()
    return "bfloat16" if native else "float32"


def precisions_to_resume(name: str, device: torch.device) -> tuple[str, ...]:
    """The number formats that a run may go on in: the one that it would begin in here, then others.

    A run that chose its format by ``auto`` keeps it on a machine that would choose otherwise: every device computes in
    either, in bfloat16 slowly where it is emulated.

    Args:
        name: as in ``resolve_precision``.
        device: where the run goes on.
    """
    first = resolve_precision(name, device)
    return (first,) if name != "auto" else tuple(dict.fromkeys((first, "float32", "bfloat16")))


def autocast_body(precision: str, device: torch.device) -> AbstractContextManager:
    """The autocast region of a network's body.

    Args:
        precision: ``float32``, ``bfloat16`` or ``float16``, from ``resolve_precision``.
        device: where the network runs.
    """
    number = torch.float16 if precision == "float16" else torch.bfloat16
    return torch.autocast(device.type, number, enabled=precision != "float32")
