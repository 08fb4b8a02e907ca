"""A network that begins with weights that are there: what stays as it is, and how far it goes."""

import copy
from typing import TypeVar

from torch import nn

Network = TypeVar("Network", bound=nn.Module)


def average_weights(start: Network, end: Network, share: float) -> Network:
    """The network whose every weight and statistic is ``(1 - share) start + share end``, in evaluation mode.

    Less is forgotten by it (WiSE-FT, Wortsman et al., CVPR 2022).
    """
    first, last = start.state_dict(), end.state_dict()
    joined = {
        name: value.lerp(last[name].to(value), share) if value.is_floating_point() else value
        for name, value in first.items()
    }
    network = copy.deepcopy(start)
    network.load_state_dict(joined)
    return network.eval()


def freeze_statistics(network: Network) -> Network:
    """Let batch normalisation use, and keep, what it has learnt: batches of one camera are no measure of all."""
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()
    return network
