"""Curves in time: how heads sway, eyes jump and blink, mouths talk.

All are functions of the times (T,) in seconds and, where something is drawn, of a generator. Values between two frames
are never needed: a curve is exact at each time, whatever the rate of the frames.
"""

from collections.abc import Sequence

import numpy as np

#: Closing and opening of a blink, seconds (Caffier et al. 2003: 0.06-0.1 and 0.15-0.25).
_CLOSING, _OPENING = 0.08, 0.18
#: Duration of a saccade: a start, and what each degree adds (Carpenter 1988: 20-30 ms + 2-2.7 ms/degree), seconds.
_SACCADE_SECONDS, _SACCADE_SECONDS_PER_DEGREE = 0.021, 0.0022
#: Syllables a second of conversation (Greenberg 1999), and how many of them make a phrase.
_SYLLABLES_PER_SECOND, _PHRASE = 4.5, (4, 12)


def minimum_jerk(times: np.ndarray, start: float, stop: float) -> np.ndarray:
    """The rise (T,) from 0 at ``start`` to 1 at ``stop`` with the least jerk (Flash and Hogan 1985).

    With s = (t - start) / (stop - start): 10 s^3 - 15 s^4 + 6 s^5; at rest before and after.

    Raises:
        ValueError: ``stop`` is not after ``start``.
    """
    if stop <= start:
        raise ValueError(f"a movement ends after it starts; found {start} s to {stop} s")
    s = np.clip((np.asarray(times, float) - start) / (stop - start), 0.0, 1.0)
    return s**3 * (10.0 - 15.0 * s + 6.0 * s * s)


def envelope(times: np.ndarray, onset: float, apex: float, offset: float, end: float) -> np.ndarray:
    """A movement (T,) that rises from ``onset`` to ``apex``, stays at 1 to ``offset``, and is gone at ``end``."""
    return minimum_jerk(times, onset, apex) - minimum_jerk(times, offset, end)


def smooth_noise(rng: np.random.Generator, times: np.ndarray, seconds: float) -> np.ndarray:
    """Draw a smooth stationary path (T,) of mean 0 and variance 1.

    The Ornstein-Uhlenbeck process of second order with one time constant, drawn exactly at the times: its covariance is
    (1 + r) exp(-r) with r = |t - t'| / seconds (Matern 3/2), so that velocity is continuous, as a head's is.

    Args:
        rng: source of randomness.
        times: (T,) rising.
        seconds: time constant.

    Raises:
        ValueError: times do not rise.
    """
    times = np.asarray(times, float)
    steps = np.diff(times) / seconds
    if (steps <= 0.0).any():
        raise ValueError(f"times of a path rise; found {times}")
    noise = rng.standard_normal((len(times), 2))
    path = np.empty(len(times))
    # State: value, and velocity in units of 1 / seconds; both have variance 1 in the stationary state.
    state = noise[0]
    path[0] = state[0]
    for number, step in enumerate(steps, start=1):
        decay = np.exp(-step)
        move = decay * np.array([[1.0 + step, step], [-step, 1.0 - step]])
        left = np.eye(2) - move @ move.T
        # Cholesky's factor by hand: of very small steps, rounding may leave a negative variance.
        first = np.sqrt(max(left[0, 0], 0.0))
        across = left[1, 0] / first if first > 0.0 else 0.0
        second = np.sqrt(max(left[1, 1] - across**2, 0.0))
        state = move @ state + (first * noise[number, 0], across * noise[number, 0] + second * noise[number, 1])
        path[number] = state[0]
    return path


def blink_times(rng: np.random.Generator, seconds: float, per_minute: float) -> np.ndarray:
    """Draw when blinks begin, (B,) seconds in 0..``seconds``; at random, but no two within a third of a second."""
    if per_minute <= 0.0:
        return np.zeros(0)
    mean = 60.0 / per_minute
    dead = min(1.0 / 3.0, 0.5 * mean)
    begins, at = [], float(rng.exponential(mean))
    while at < seconds:
        begins.append(at)
        at += dead + float(rng.exponential(mean - dead))
    return np.array(begins)


def blink_closure(times: np.ndarray, begins: Sequence[float] | np.ndarray) -> np.ndarray:
    """How far blinks close the lids (T,), 0 open to 1 closed."""
    closure = np.zeros(len(times))
    for begin in begins:
        shut = begin + _CLOSING
        closure = np.maximum(closure, envelope(times, begin, shut, shut, shut + _OPENING))
    return closure


def saccades(
    rng: np.random.Generator, times: np.ndarray, spread_degrees: tuple[float, float], fixation_seconds: float
) -> np.ndarray:
    """Draw where the eyes look, (T, 2) degrees to the right and up: fixations, and jumps between them.

    Args:
        rng: source of randomness.
        times: (T,) rising.
        spread_degrees: standard deviation of the places, to the side and up.
        fixation_seconds: mean time at one place; at least .12 s each.
    """
    begin, end = float(times[0]), float(times[-1])
    place = np.clip(rng.normal(0.0, spread_degrees), -25.0, 25.0)
    looked = np.tile(place, (len(times), 1))
    at = begin + 0.12 + rng.exponential(max(fixation_seconds - 0.12, 1e-3))
    while at < end:
        target = np.clip(rng.normal(0.0, spread_degrees), -25.0, 25.0)
        jump = target - place
        lasts = _SACCADE_SECONDS + _SACCADE_SECONDS_PER_DEGREE * float(np.hypot(*jump))
        looked += minimum_jerk(times, at, at + lasts)[:, None] * jump
        place = target
        at += lasts + 0.12 + rng.exponential(max(fixation_seconds - 0.12, 1e-3))
    return looked


def nod(times: np.ndarray, start: float, stop: float, cycles: float) -> np.ndarray:
    """A nod or a shake (T,), -1..1: ``cycles`` swings that grow and fade between ``start`` and ``stop``."""
    middle = 0.5 * (start + stop)
    s = (np.asarray(times, float) - start) / (stop - start)
    return envelope(times, start, middle, middle, stop) * np.sin(2.0 * np.pi * cycles * s)


def speech(rng: np.random.Generator, times: np.ndarray) -> np.ndarray:
    """Draw a mouth that talks, (T, 3): opening of the jaw, rounding and teeth, each 0..1; phrases and pauses.

    Each syllable opens and closes with minimum jerk; its vowel says how wide, how round and how much of the teeth.
    """
    begin, end = float(times[0]), float(times[-1])
    moved = np.zeros((len(times), 3))
    at = begin + rng.uniform(0.0, 0.3)
    while at < end:
        for _ in range(rng.integers(*_PHRASE)):
            lasts = rng.uniform(0.7, 1.4) / _SYLLABLES_PER_SECOND
            vowel = np.array([rng.uniform(0.25, 1.0), max(0.0, rng.uniform(-0.6, 0.9)), rng.uniform(0.1, 0.7)])
            peak = at + 0.45 * lasts
            moved = np.maximum(moved, envelope(times, at, peak, peak, at + 1.15 * lasts)[:, None] * vowel)
            at += lasts
        at += rng.uniform(0.25, 0.8)
    return moved
