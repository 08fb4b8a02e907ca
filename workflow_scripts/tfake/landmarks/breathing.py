"""How fast somebody breathes, by the temperature below the nostrils: air drawn in is cool, and air that leaves is warm.

The signal is brought to equal steps, its line is taken away, and the largest peak of its spectrum within the rates of
people is the answer (Fei and Pavlidis, IEEE TBME 57(4), 2010, measure breath in the same place). Whether it means
anything is said beside it: a clip of a few seconds has no rate, and a spectrum without a peak has none, either.
"""

from typing import NamedTuple

import numpy as np

#: Breaths a minute that are looked for: from a sleeper's to a child's.
RATES = (6.0, 45.0)
#: The shortest signal that has a rate: three breaths of twelve a minute.
MIN_SECONDS = 15.0
#: Share of the power in the band that the peak must have, with what lies within a main lobe's half width of it.
_MIN_PEAK_SHARE = 0.5
#: The largest part of the signal that may be missing, and the longest gap, seconds.
_MAX_MISSING, _MAX_GAP = 0.2, 2.0
#: A temperature that moves by less (standard deviation, K) is noise of any camera.
_MIN_SWING = 0.02
_PADDING = 8


class Breathing(NamedTuple):
    """A breathing rate.

    Attributes:
        breaths_per_minute: NaN where the signal is too short to look for one.
        peak_share: of the band's power, at the peak: 1 for a pure tone.
        seconds: from the first to the last temperature.
        valid: nothing speaks against it.
        reason: what does; empty where nothing does.
    """

    breaths_per_minute: float
    peak_share: float
    seconds: float
    valid: bool
    reason: str


def breathing_rate(seconds: np.ndarray, celsius: np.ndarray) -> Breathing:
    """Estimate a breathing rate.

    Args:
        seconds: (N,) times, increasing.
        celsius: (N,) °C, NaN where there is none.
    """
    seconds, celsius = (np.asarray(values, np.float64) for values in (seconds, celsius))
    known = np.isfinite(seconds) & np.isfinite(celsius)
    times, values = seconds[known], celsius[known]
    nothing = float("nan")
    if len(times) < 2:
        return Breathing(nothing, nothing, 0.0, False, f"{len(times)} temperatures with a time, fewer than 2")
    length = float(times[-1] - times[0])
    if length < MIN_SECONDS:
        return Breathing(nothing, nothing, length, False, f"{length:.1f} s, shorter than {MIN_SECONDS:g} s")
    step = float(np.median(np.diff(times)))
    if 60 / (2 * step) < RATES[1]:
        return Breathing(nothing, nothing, length, False, f"a temperature every {step:.2f} s, too few for a breath")
    even = np.arange(times[0], times[-1], step)
    signal = np.interp(even, times, values)
    signal -= np.polyval(np.polyfit(even, signal, 1), even)
    power = np.abs(np.fft.rfft(signal * np.hanning(len(signal)), _PADDING * len(signal))) ** 2
    rates = np.fft.rfftfreq(_PADDING * len(signal), step) * 60
    band = (rates >= RATES[0]) & (rates <= RATES[1])
    peak = _peak(rates, power, int(np.flatnonzero(band)[np.argmax(power[band])]))
    # A Hann window's main lobe reaches two bins of the unpadded spectrum to each side.
    near = band & (np.abs(rates - peak) <= 2 * 60 / length)
    share = float(power[near].sum() / max(power[band].sum(), 1e-30))
    gaps = np.diff(times)
    missing = float((gaps[gaps > 1.5 * step] - step).sum() / length)
    reason = ""
    if missing > _MAX_MISSING or gaps.max() > _MAX_GAP:
        reason = f"{missing:.0%} of the time is missing, {gaps.max():.1f} s at once"
    elif signal.std() < _MIN_SWING:
        reason = f"the temperature moves by {signal.std():.3f} K, less than {_MIN_SWING} K"
    elif share < _MIN_PEAK_SHARE:
        reason = f"the peak has {share:.0%} of the power between {RATES[0]:g} and {RATES[1]:g} a minute"
    return Breathing(peak, share, length, not reason, reason)


def _peak(rates: np.ndarray, power: np.ndarray, place: int) -> float:
    """The rate at which a parabola through the logarithms of a bin and its neighbours is highest.

    A main lobe's logarithm is close to a parabola, and its top lies between the bins; at an edge of the band, or on a
    slope that the next bin outside goes on with, the bin itself is the answer.
    """
    if not 0 < place < len(power) - 1:
        return float(rates[place])
    low, top, high = np.log(np.maximum(power[place - 1 : place + 2], 1e-300))
    bend = low - 2 * top + high
    shift = (low - high) / (2 * bend) if top >= max(low, high) and bend < 0 else 0.0
    return float(rates[place] + shift * (rates[1] - rates[0]))
