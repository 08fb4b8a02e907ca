"""The figures of a training run, as PNG: the course of the loss terms, and what the network makes of some sources."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tfake.classes import CLASS_COLOURS

#: Colour scale of the sample figure; the share of foreground pixels beyond each end.
_CLIPPED_PERCENT = 0.5
_IGNORE_COLOUR = (255, 0, 255)
_TERMS = {
    "total": "total, weighted sum (K²)",
    "supervised": "supervised, pairs (K²)",
    "wasserstein": "patch Wasserstein (K²)",
    "prior": "temperature prior (K²)",
}


def draw_loss_curves(path: str | Path, losses: pd.DataFrame, title: str) -> None:
    """Draw each term of the loss against the step, with a running mean.

    Args:
        path: the PNG to write.
        losses: one row a step: ``step`` and the columns ``total``, ``supervised``, ``wasserstein``, ``prior`` in K^2.
        title: above the figure.
    """
    figure = Figure(figsize=(9, 5.5), layout="constrained")
    figure.suptitle(title)
    window = max(1, len(losses) // 25)
    for axes, (term, label) in zip(figure.subplots(2, 2, sharex=True).flat, _TERMS.items(), strict=True):
        values = losses[term]
        axes.plot(losses["step"], values, color="#b9c3cc", linewidth=0.8, label="each step")
        running = values.rolling(window, center=True, min_periods=1).mean()
        axes.plot(losses["step"], running, color="#c2410c", linewidth=1.8, label=f"mean of {window} steps")
        axes.set_title(label, fontsize=10)
        # A divergence may come out a little below 0, and a term that is left out is 0: neither has a logarithm.
        axes.set_yscale("log" if (values > 0).all() else "linear")
        axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    for axes in figure.axes[2:]:
        axes.set_xlabel("step")
    figure.savefig(path, format="png", dpi=110)


def draw_samples(
    path: str | Path, samples: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]], ambient_celsius: float, title: str
) -> None:
    """Draw sources above their class maps and generated temperatures, with a colour bar in degrees Celsius.

    Args:
        path: the PNG to write.
        samples: (rgb (H, W, 3) uint8, classes (H, W) uint8, celsius (H, W) float32) of each source.
        ambient_celsius: temperature of the background: the colour scale begins there or below.
        title: above the figure.
    """
    temperatures = np.concatenate([celsius[classes != 0] for _, classes, celsius in samples])
    low, high = np.percentile(temperatures, (_CLIPPED_PERCENT, 100 - _CLIPPED_PERCENT))
    figure = Figure(figsize=(2.2 * len(samples) + 1, 7.2), layout="constrained")
    figure.suptitle(title)
    grid = figure.subplots(3, len(samples), squeeze=False)
    for column, (rgb, classes, celsius) in enumerate(samples):
        grid[0, column].imshow(rgb)
        grid[1, column].imshow(_paint_classes(classes), interpolation="nearest")
        thermal = grid[2, column].imshow(celsius, cmap="inferno", vmin=min(low, ambient_celsius), vmax=high)
    for axes in grid.flat:
        axes.set_xticks([])
        axes.set_yticks([])
    for axes, label in zip(grid[:, 0], ("source", "classes", "thermal"), strict=True):
        axes.set_ylabel(label)
    figure.colorbar(thermal, ax=grid[2, :], label="°C", fraction=0.03, pad=0.01)
    figure.savefig(path, format="png", dpi=110)


def _paint_classes(classes: np.ndarray) -> np.ndarray:
    colours = np.full((256, 3), _IGNORE_COLOUR, np.uint8)
    colours[: len(CLASS_COLOURS)] = CLASS_COLOURS
    return colours[classes]
