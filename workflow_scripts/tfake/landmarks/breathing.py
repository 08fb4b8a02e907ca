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
MIN_PEAK_SHARE = 0.5
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


class _Spectra(NamedTuple):
    """Spectra of K signals: F rates, (F, K) power, (K,) bins of the peaks, their shares, and deviations in K."""

    rates: np.ndarray
    power: np.ndarray
    peaks: np.ndarray
    shares: np.ndarray
    swings: np.ndarray


def breathing_rate(
    seconds: np.ndarray,
    celsius: np.ndarray,
    min_peak_share: float = MIN_PEAK_SHARE,
    min_seconds: float = MIN_SECONDS,
) -> Breathing:
    """Estimate a breathing rate.

    Args:
        seconds: (N,) times, increasing.
        celsius: (N,) °C, NaN where there is none.
        min_peak_share: of the band's power, that the peak of a valid rate has.
        min_seconds: of a signal that has a rate.
    """
    seconds, celsius = (np.asarray(values, np.float64) for values in (seconds, celsius))
    known = np.isfinite(seconds) & np.isfinite(celsius)
    times, values = seconds[known], celsius[known]
    nothing = float("nan")
    if len(times) < 2:
        return Breathing(nothing, nothing, 0.0, False, f"{len(times)} temperatures with a time, fewer than 2")
    length = float(times[-1] - times[0])
    if length < min_seconds:
        return Breathing(nothing, nothing, length, False, f"{length:.1f} s, shorter than {min_seconds:g} s")
    step = float(np.median(np.diff(times)))
    if _highest_rate(step) < RATES[1]:
        return Breathing(nothing, nothing, length, False, f"a temperature every {step:.2f} s, too few for a breath")
    spectra = _spectra(times, values[:, None])
    swing, share = float(spectra.swings[0]), float(spectra.shares[0])
    peak = _peak(spectra.rates, spectra.power[:, 0], int(spectra.peaks[0]))
    gaps = np.diff(times)
    missing = float((gaps[gaps > 1.5 * step] - step).sum() / length)
    reason = ""
    if missing > _MAX_MISSING or gaps.max() > _MAX_GAP:
        reason = f"{missing:.0%} of the time is missing, {gaps.max():.1f} s at once"
    elif swing < _MIN_SWING:
        reason = f"the temperature moves by {swing:.3f} K, less than {_MIN_SWING} K"
    elif share < min_peak_share:
        reason = f"the peak has {share:.0%} of the power between {RATES[0]:g} and {RATES[1]:g} a minute"
    return Breathing(peak, share, length, not reason, reason)


def peak_shares(seconds: np.ndarray, signals: np.ndarray) -> np.ndarray:
    """Which part of each signal's power within ``RATES`` lies at its peak.

    Args:
        seconds: (N,) times, increasing.
        signals: (N, K), without gaps.

    Returns:
        (K,) 0 to 1: 1 for a pure tone, 0 where times are too far apart for any of ``RATES``.
    """
    times = np.asarray(seconds, np.float64)
    if _highest_rate(float(np.median(np.diff(times)))) < RATES[0]:
        return np.zeros(signals.shape[1])
    return _spectra(times, signals).shares


def _highest_rate(step: float) -> float:
    """The most a minute that can be told from a temperature every so many seconds (Nyquist)."""
    return 60 / (2 * step)


def _spectra(seconds: np.ndarray, signals: np.ndarray) -> _Spectra:
    step = float(np.median(np.diff(seconds)))
    even = np.arange(seconds[0], seconds[-1], step)
    signals = np.column_stack([np.interp(even, seconds, signal) for signal in signals.T])
    line = np.column_stack((np.ones(len(even)), even - even.mean()))
    signals = signals - line @ np.linalg.lstsq(line, signals, rcond=None)[0]
    padded = _PADDING * len(even)
    power = np.abs(np.fft.rfft(signals * np.hanning(len(even))[:, None], padded, axis=0)) ** 2
    rates = np.fft.rfftfreq(padded, step) * 60
    band = np.flatnonzero((rates >= RATES[0]) & (rates <= RATES[1]))
    peaks = band[np.argmax(power[band], axis=0)]
    # A Hann window's main lobe reaches two bins of the unpadded spectrum to each side.
    near = np.abs(rates[band, None] - rates[peaks]) <= 2 * 60 / (seconds[-1] - seconds[0])
    shares = (power[band] * near).sum(axis=0) / np.maximum(power[band].sum(axis=0), 1e-30)
    return _Spectra(rates, power, peaks, shares, signals.std(axis=0))


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
