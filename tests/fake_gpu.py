"""A GPU that is not there: tensors that know their device and compute nothing, and what is asked of the card."""

from collections import Counter
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace

import numpy as np
import torch
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

GPU = torch.device("cuda", 0)


class Watch(TorchDispatchMode):
    """Counts what the host makes the card do.

    Attributes:
        kernels: operations on the card, views not counted.
        waits: what made the host wait for the card, by name.
        sent: bytes from the host to the card; ``received`` the other way.
        unpinned: bytes of ``sent`` that did not come from pinned memory.
    """

    def __init__(self):
        super().__init__()
        self.pinned = set()
        self.clear()

    def clear(self):
        self.kernels, self.waits, self.sent, self.received, self.unpinned = 0, Counter(), 0, 0, 0

    def wait(self, name):
        self.waits[name] += 1

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        inputs = [value for value in torch.utils._pytree.tree_leaves((args, kwargs)) if isinstance(value, torch.Tensor)]
        on_card = any(value.device.type == "cuda" for value in inputs)
        if function is torch.ops.aten._local_scalar_dense.default:
            if on_card:
                self.wait("item")
            return 1.0 if inputs[0].is_floating_point() else 1
        found = function(*args, **kwargs)
        outputs = [value for value in torch.utils._pytree.tree_leaves(found) if isinstance(value, torch.Tensor)]
        gets_card = any(value.device.type == "cuda" for value in outputs)
        into = function is torch.ops.aten.copy_.default and inputs[0].device != inputs[1].device
        if into or (inputs and outputs and on_card != gets_card):
            waits = not (kwargs.get("non_blocking") or (into and args[2:] and args[2]))
            self._copied(inputs[-1], gets_card, waits)
        elif gets_card and not function.is_view and "empty" not in function.name():
            self.kernels += 1
        return found

    def _copied(self, source, to_card, waits):
        size = source.numel() * source.element_size()
        if to_card:
            self.sent += size
            self.unpinned += 0 if id(source) in self.pinned else size
        else:
            self.received += size
            if waits:
                self.wait("copy to the host")


def backward(loss):
    """What autograd's engine does; it asks CUDA for the streams of a card that is not there."""
    consumers, order = Counter(), [loss.grad_fn]
    for node in order:
        for following, _ in node.next_functions:
            if following is not None:
                consumers[following] += 1
                if consumers[following] == 1:
                    order.append(following)
    gradients = {loss.grad_fn: {0: torch.ones_like(loss)}}
    ready = [loss.grad_fn]
    while ready:
        node = ready.pop()
        arrived = gradients.pop(node, {})
        given = [arrived.get(place) for place in range(len(node._input_metadata) or 1)]
        found = node(*given) if any(value is not None for value in given) else None
        found = found if isinstance(found, tuple) else (found,)
        for (following, place), gradient in zip(node.next_functions, found * len(node.next_functions), strict=False):
            if following is None:
                continue
            if gradient is not None:
                wanted = following._input_metadata[place]
                gradient = gradient.sum_to_size(wanted.shape).to(wanted.dtype)
                own = gradients.setdefault(following, {})
                own[place] = gradient if own.get(place) is None else own[place] + gradient
            consumers[following] -= 1
            if not consumers[following]:
                ready.append(following)


@contextmanager
def fake_gpu(monkeypatch):
    """Inside, ``cuda:0`` can be computed on; yields the ``Watch``."""
    watch = Watch()

    def pin(tensor):
        watch.pinned.add(id(tensor))
        watch.kept.append(tensor)  # an id is the tensor's for as long as it lives
        return tensor

    def listed(tensor):
        if tensor.device.type == "cuda":
            watch.wait("tolist")
        return np.ones(tuple(tensor.shape)).tolist()

    def as_array(tensor):
        assert tensor.device.type == "cpu"
        return np.ones(tuple(tensor.shape), np.float32)

    watch.kept = []
    event = SimpleNamespace(synchronize=lambda: watch.wait("event"))
    stream = SimpleNamespace(record_event=lambda: event, wait_event=lambda other: None)
    real_empty = torch.empty

    def empty(*shape, pin_memory=False, **options):
        return pin(real_empty(*shape, **options)) if pin_memory else real_empty(*shape, **options)

    with monkeypatch.context() as patch, ExitStack() as stack:
        patch.setattr(torch, "empty", empty)
        patch.setattr(torch.Tensor, "backward", lambda loss, *_, **__: backward(loss))
        patch.setattr(torch.Tensor, "pin_memory", pin)
        for kind in (torch.Tensor, FakeTensor):
            patch.setattr(kind, "tolist", listed)
        patch.setattr(torch.Tensor, "numpy", as_array)
        patch.setattr(torch.Tensor, "record_stream", lambda tensor, other: None)
        patch.setattr(torch.cuda, "Stream", lambda *_: stream)
        patch.setattr(torch.cuda, "stream", lambda _: ExitStack())
        patch.setattr(torch.cuda, "current_stream", lambda *_: stream)
        patch.setattr(
            torch.cuda, "Event", lambda: SimpleNamespace(record=lambda _: None, synchronize=event.synchronize)
        )
        patch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)
        patch.setattr("torch.amp.autocast_mode.torch.cuda.amp.common.amp_definitely_not_available", lambda: False)
        # A module that was built outside gets other parameters when it is moved.
        torch.__future__.set_overwrite_module_params_on_conversion(True)
        stack.callback(torch.__future__.set_overwrite_module_params_on_conversion, False)
        stack.enter_context(FakeTensorMode(allow_non_fake_inputs=True))
        stack.enter_context(watch)
        yield watch
