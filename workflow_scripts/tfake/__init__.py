"""T-FAKE rebuilt: synthetic radiometric thermal faces with labels.

This package is the library behind the Snakemake workflow; it never imports Snakemake. Between the network's edge
and the store's edge every thermal array is float32 in degrees Celsius (see :mod:`tfake.core.radiometry`).
"""

import importlib
from contextlib import nullcontext
from typing import Any

from tfake.core.extras import needs_extra

__version__ = "0.1.0"

__all__ = ["ThermalLandmarker", "__version__", "open_dataset", "open_sequences"]

#: What the package itself offers: the module that it is in, imported when first asked for, and the extra that it needs.
_OFFERED = {
    "open_dataset": ("tfake.reader", None),
    "open_sequences": ("tfake.reader.sequences", None),
    "ThermalLandmarker": ("tfake.landmarks.landmarker", "landmarks"),
}


def __getattr__(name: str) -> Any:
    if name not in _OFFERED:
        raise AttributeError(f"module 'tfake' has no attribute {name!r}")
    module, extra = _OFFERED[name]
    with needs_extra(extra, f"tfake.{name}") if extra else nullcontext():
        return getattr(importlib.import_module(module), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_OFFERED})
