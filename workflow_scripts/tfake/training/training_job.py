"""What every training job reads, writes and is told, and how it is stopped and goes on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from tfake.core.devices import explain_full_memory
from tfake.core.files import stopping_on_sigterm
from tfake.training.distributed import prepare_process, rank_zero_only
from tfake.training.loop import RunControl
from tfake.training.training_settings import LoopSettings, precisions_to_resume
from tfake.training.weights_file import find_checkpoint

_Settings = TypeVar("_Settings", bound=LoopSettings)


@dataclass(frozen=True, kw_only=True)
class TrainingJob:
    """What every training reads, writes and is told; plain values, so that it can be sent to other processes.

    Attributes:
        provenance: the JSON to write beside the weights.
        losses: the CSV to write, one row a step.
        loss_figure: the PNG of the loss curves to write.
        checkpoint: where the run's state is kept until it is finished.
        settings: the config's block: fields of the run's settings.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        threads: of the whole job; :func:`tfake.core.processes.share_threads` divides them.
    """

    provenance: str
    losses: str
    loss_figure: str
    checkpoint: str
    settings: Mapping[str, Any]
    device: str
    threads: int

    def prepare(self) -> RunControl:
        """Set this process up: its device, and its part of the threads."""
        device, workers = prepare_process(self.device, self.threads)
        return RunControl(device, workers=workers)

    @contextmanager
    def controlled(
        self,
        prepared: RunControl,
        settings: _Settings,
        digest: Callable[[_Settings], str],
        memory_keys: Sequence[str],
        section: str,
    ) -> Iterator[tuple[_Settings, RunControl]]:
        """Run a training and write what it made: SIGTERM stops it, and its checkpoint goes when all is written.

        Args:
            prepared: what ``prepare`` gave.
            settings: of the run.
            digest: stands for everything that the weights depend on; of the settings with the run's number format.
            memory_keys: settings that take the memory of a GPU.
            section: the config's block that these are of.

        Yields:
            The settings in the number format that the run goes on in, and its control.

        Raises:
            RuntimeError: a GPU's memory is full; which keys to lower.
        """
        checkpoint, precision = find_checkpoint(
            self.checkpoint,
            precisions_to_resume(settings.precision, prepared.device),
            lambda number: digest(replace(settings, precision=number)),
        )
        with (
            stopping_on_sigterm() as is_stopping,
            explain_full_memory(prepared.device, f"{section}.", settings, memory_keys),
        ):
            yield (
                replace(settings, precision=precision),
                replace(prepared, checkpoint=checkpoint, is_stopping=is_stopping),
            )
        with rank_zero_only() as writes:
            if writes:
                checkpoint.remove()
