"""The one place where temperatures become counts and back.

Counts are uint16, 0.01 K each: ``celsius = counts / 100 - 273.15``, the FLIR TLinear high-resolution convention.
Two counts are not temperatures: ``NEVER_WRITTEN`` (0, the stores' fill value) and ``NO_IMAGE`` (65535, a row whose
source sample could not be used). Both decode to NaN.

Planning a run imports this module where numpy is not installed.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

KELVIN_PER_COUNT = 0.01
ZERO_CELSIUS_KELVIN = 273.15
NEVER_WRITTEN = 0
NO_IMAGE = 65535
#: The temperatures that black and white stand for, the same for every image: T-FAKE's encoding.
WINDOW_CELSIUS = (20.0, 40.0)


def encode_celsius(celsius: "np.ndarray") -> "np.ndarray":
    """Quantise temperatures to 0.01 K counts.

    Args:
        celsius: float array of any shape, degrees Celsius.

    Returns:
        uint16 array of the same shape; the rounding error is at most 0.005 K.

    Raises:
        ValueError: a value is not finite, or outside -273.14 .. 382.19 degrees Celsius.
    """
    import numpy as np

    counts = np.rint((np.asarray(celsius, dtype=np.float64) + ZERO_CELSIUS_KELVIN) / KELVIN_PER_COUNT)
    # Written so that NaN fails the comparison too.
    if not np.all((counts > NEVER_WRITTEN) & (counts < NO_IMAGE)):
        finite = np.isfinite(counts)
        raise ValueError(
            "temperatures must be finite and within -273.14 .. 382.19 degrees Celsius; found "
            f"{np.count_nonzero(~finite)} values that are not finite and a finite range of "
            f"{np.min(celsius, where=finite, initial=np.inf):.2f} .. "
            f"{np.max(celsius, where=finite, initial=-np.inf):.2f}"
        )
    return counts.astype(np.uint16)


def decode_counts(counts: "np.ndarray") -> "np.ndarray":
    """Turn 0.01 K counts into temperatures.

    Args:
        counts: uint16 array of any shape.

    Returns:
        float32 array of the same shape, degrees Celsius; NaN where the count is ``NEVER_WRITTEN`` or ``NO_IMAGE``.
    """
    import numpy as np

    counts = np.asarray(counts)
    celsius = (counts.astype(np.float64) * KELVIN_PER_COUNT - ZERO_CELSIUS_KELVIN).astype(np.float32)
    celsius[(counts == NEVER_WRITTEN) | (counts == NO_IMAGE)] = np.nan
    return celsius
