"""AdamW with its learning rate schedule, gradient clipping, loss scaling and an exponential moving average."""

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import ConstantLR, CosineAnnealingLR, LRScheduler, MultiStepLR, OneCycleLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from tfake.training.training_settings import LoopSettings

# The one-cycle schedule: a tenth of the steps to warm up, from a tenth of the peak.
_WARM_UP_FRACTION = 0.1
_START_DIVISOR = 10.0
# The step schedule: T-FAKE's 1e-4 after epoch index 3 of 10 (Flotho et al., CVPR 2025, released code).
_STEP_FRACTION = 0.4
_STEP_FACTOR = 0.1


class Optimisation:
    """Optimiser, schedule, loss scaler and averaged weights of one network."""

    def __init__(self, network: nn.Module, settings: LoopSettings, precision: str, device: torch.device) -> None:
        """Start at step 0; ``precision`` is the body's number format: float16 needs its loss scaled."""
        self.network = network
        self.clip_norm = settings.clip_norm
        self.optimiser = torch.optim.AdamW(
            _decay_groups(network, settings.weight_decay), settings.learning_rate, foreach=True
        )
        self.schedule = build_schedule(self.optimiser, settings)
        self.scaler = torch.amp.GradScaler(device.type, enabled=precision == "float16")
        self.average = (
            AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(settings.ema_decay), use_buffers=True)
            if settings.ema_decay > 0
            else None
        )

    @property
    def result(self) -> nn.Module:
        """The network whose weights count: the average where there is one."""
        return self.network if self.average is None else self.average.module

    @property
    def learning_rate(self) -> float:
        """The rate of the coming step."""
        return self.schedule.get_last_lr()[0]

    def backward(self, loss: Tensor) -> Tensor:
        """Compute the gradient, clipped; returns its norm before clipping, () float32."""
        self.optimiser.zero_grad()
        self.scaler.scale(loss).backward()
        self.scaler.unscale_(self.optimiser)
        return nn.utils.clip_grad_norm_(self.network.parameters(), self.clip_norm)

    def step(self) -> None:
        """Move the weights, their average and the learning rate; after ``backward``."""
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.schedule.step()
        if self.average is not None:
            self.average.update_parameters(self.network)

    def state_dict(self) -> dict:
        """Everything that the next step depends on, besides the network itself."""
        return {
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "scaler": self.scaler.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
        }

    def load_state_dict(self, state: dict) -> None:
        """Go on from what ``state_dict`` gave."""
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        self.scaler.load_state_dict(state["scaler"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])


def build_schedule(optimiser: torch.optim.Optimizer, settings: LoopSettings) -> LRScheduler:
    """The learning rate schedule; see ``LoopSettings.schedule``."""
    if settings.schedule == "cosine":
        return CosineAnnealingLR(optimiser, settings.steps)
    if settings.schedule == "step":
        return MultiStepLR(optimiser, [max(1, round(_STEP_FRACTION * settings.steps))], _STEP_FACTOR)
    if settings.schedule == "constant":
        return ConstantLR(optimiser, factor=1.0)
    return OneCycleLR(
        optimiser,
        settings.learning_rate,
        # One more than is used: OneCycleLR refuses a step beyond its total, and the last rate would be nil.
        total_steps=settings.steps + 1,
        pct_start=_WARM_UP_FRACTION,
        div_factor=_START_DIVISOR,
    )


def _decay_groups(network: nn.Module, weight_decay: float) -> list[dict]:
    """Weights decay; biases and normalisation, the parameters of one dimension, do not."""
    parameters = list(network.parameters())
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
