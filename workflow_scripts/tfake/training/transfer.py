"""From the host's memory to a GPU's without waiting: pinned, asynchronous, a step ahead of the one that computes."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor

Parts = tuple[Any, ...]


def send(values: Tensor, device: torch.device) -> Tensor:
    """A tensor of the host on a device; on a GPU nobody waits until it is there."""
    if device.type != "cuda" or values.device.type != "cpu":
        return values.to(device)
    return values.pin_memory().to(device, non_blocking=True)


def pinned(make: Callable[[int], Parts], device: torch.device) -> Callable[[int], Parts]:
    """Let the thread that makes a step's batches also lay them into memory that a GPU reads by itself.

    Args:
        make: gives the parts of a step, dataclasses of tensors.
        device: where they will go; on a CPU nothing is changed.
    """
    if device.type != "cuda":
        return make
    return lambda step: tuple(_pin(part) for part in make(step))


def sent_ahead(batches: Iterable[Parts], device: torch.device) -> Iterator[Parts]:
    """The parts of each step on a device; a GPU copies those of the next one while it computes.

    Args:
        batches: the parts of each step, with a method ``to(device)`` each.
        device: where to.
    """
    if device.type != "cuda":
        for parts in batches:
            yield tuple(part.to(device) for part in parts)
        return
    copying = torch.cuda.Stream(device)
    waiting: list[tuple[Parts, torch.cuda.Event]] = []
    for parts in batches:
        with torch.cuda.stream(copying):
            waiting.append((tuple(part.to(device) for part in parts), copying.record_event()))
        if len(waiting) > 1:
            yield _arrived(*waiting.pop(0), device)
    for parts, copied in waiting:
        yield _arrived(parts, copied, device)


def _arrived(parts: Parts, copied: torch.cuda.Event, device: torch.device) -> Parts:
    computing = torch.cuda.current_stream(device)
    computing.wait_event(copied)
    for part in parts:
        for tensor in vars(part).values():
            # The memory is the copying stream's: it must not be reused before this one has read it.
            tensor.record_stream(computing)
    return parts


def _pin(part: Any) -> Any:
    return type(part)(**{name: tensor.pin_memory() for name, tensor in vars(part).items()})


class HostValues:
    """Numbers of a step on their way to the host, for which a GPU's next step does not wait."""

    def __init__(self, values: Iterable[Tensor]) -> None:
        """Start the copy of () tensors."""
        stacked = torch.stack([value.detach().float() for value in values])
        self._event = None
        if stacked.device.type == "cuda":
            self._values = torch.empty(stacked.shape, pin_memory=True).copy_(stacked, non_blocking=True)
            self._event = torch.cuda.current_stream(stacked.device).record_event()
        else:
            self._values = stacked

    def tolist(self) -> list[float]:
        """Wait for the numbers."""
        if self._event is not None:
            self._event.synchronize()
        return self._values.tolist()
