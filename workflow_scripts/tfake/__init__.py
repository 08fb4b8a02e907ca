"""T-FAKE rebuilt: synthetic radiometric thermal faces with labels.

This package is the library behind the Snakemake workflow; it never imports Snakemake. Between the network's edge
and the store's edge every thermal array is float32 in degrees Celsius (see :mod:`tfake.core.radiometry`).
"""

import importlib

__version__ = "0.1.0"

__all__ = ["ThermalLandmarker", "__version__", "open_dataset"]

#: What the package itself offers, and where it is; imported when first asked for, for it needs more than most jobs do.
_OFFERED = {
    "open_dataset": "tfake.reader",
    "ThermalLandmarker": "tfake.landmarks.landmarker",
}


def __getattr__(name: str):
    if name in _OFFERED:
        return getattr(importlib.import_module(_OFFERED[name]), name)
    raise AttributeError(f"module 'tfake' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_OFFERED})
