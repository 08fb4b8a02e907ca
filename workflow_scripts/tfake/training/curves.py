"""The figures of trainings, as PNG: losses against the step, and what a network gives for some images."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.collections import EllipseCollection
from matplotlib.figure import Figure

from tfake.core.classes import CLASS_COLOURS

# Percentage of foreground pixels beyond each end of the sample figure's colour scale.
_CLIPPED_PERCENT = 0.5
_IGNORE_COLOUR = (255, 0, 255)


class LossCurve(NamedTuple):
    """How a column of the table of losses is drawn."""

    label: str
    colour: str = "#c2410c"


def plot_loss_terms(path: str | Path, losses: pd.DataFrame, curves: Mapping[str, LossCurve], title: str) -> None:
    """Draw each term of the loss against the step, with a running mean.

    Args:
        path: the PNG to write.
        losses: one row a step: ``step``, and a column of each curve.
        curves: column to what it is called and drawn in.
        title: above the figure.
    """
    rows = -(-len(curves) // 2)
    figure = Figure(figsize=(9, 2.75 * rows), layout="constrained")
    figure.suptitle(title)
    window = max(1, len(losses) // 25)
    grid = figure.subplots(rows, 2, sharex=True, squeeze=False).flat
    for axes, (column, curve) in zip(grid, curves.items(), strict=False):
        values = losses[column]
        axes.plot(losses["step"], values, color="#b9c3cc", linewidth=0.8, label="each step")
        running = values.rolling(window, center=True, min_periods=1).mean()
        axes.plot(losses["step"], running, color=curve.colour, linewidth=1.8, label=f"mean of {window} steps")
        axes.set_title(curve.label, fontsize=10)
        # A divergence may come out a little below 0, and a term that is left out is 0: neither has a logarithm.
        axes.set_yscale("log" if (values > 0).all() else "linear")
        axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    for axes in figure.axes[len(curves) :]:
        axes.remove()
    for axes in figure.axes[-2:]:
        axes.set_xlabel("step")
    figure.savefig(path, format="png", dpi=110)


def plot_samples(
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


def plot_landmark_losses(path: str | Path, losses: pd.DataFrame, title: str) -> None:
    """Draw likelihood and error of a landmark training against the step, from a table with a row a step."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    figure.suptitle(title)
    left, right = figure.subplots(1, 2)
    window = max(1, len(losses) // 25)
    for term, colour in (("faces", "#c2410c"), ("textures", "#475569")):
        running = losses[term].rolling(window, center=True, min_periods=1).mean()
        left.plot(losses["step"], running, color=colour, label=f"{term}, mean of {window} steps")
    left.set_title("negative log-likelihood a coordinate", fontsize=10)
    running = losses["distance"].rolling(window, center=True, min_periods=1).mean()
    right.plot(losses["step"], running, color="#b9c3cc", label="training crops, fraction of the crop")
    measured = losses.dropna(subset="validation")
    right.plot(measured["step"], measured["validation"], "o-", color="#c2410c", label="validation NME, sqrt(w h)")
    right.set_title("mean distance from the truth", fontsize=10)
    right.set_yscale("log")
    for axes in (left, right):
        axes.set_xlabel("step")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    figure.savefig(path, format="png", dpi=110)


def plot_predictions(path: str | Path, crops: Sequence[tuple[str, np.ndarray, np.ndarray]], title: str) -> None:
    """Draw crops with the points found in them, each with a circle of one standard deviation.

    Args:
        path: the PNG to write.
        crops: (label, image (3, P, P) float32 in 0..1, (L, 3) answer in crop widths) of each.
        title: above the figure.
    """
    columns = min(6, len(crops))
    rows = -(-len(crops) // columns)
    figure = Figure(figsize=(2.2 * columns, 2.4 * rows + 0.4), layout="constrained")
    figure.suptitle(title)
    for axes, crop in zip(figure.subplots(rows, columns, squeeze=False).flat, crops, strict=False):
        label, image, found = crop
        pixels = image.shape[1]
        axes.imshow(image.transpose(1, 2, 0))
        x, y, sigma = (found * pixels).T
        # One collection: hundreds of circles of their own take matplotlib seconds a crop.
        circles = EllipseCollection(
            2 * sigma,
            2 * sigma,
            np.zeros(len(sigma)),
            units="xy",
            offsets=np.stack([x, y], axis=1) - 0.5,
            offset_transform=axes.transData,
            color="#22d3ee",
            alpha=0.25,
            linewidth=0,
        )
        axes.add_collection(circles)
        axes.plot(*(found[:, :2] * pixels - 0.5).T, ".", color="#f97316", markersize=3 if len(found) < 100 else 1)
        axes.set(xlim=(-0.5, pixels - 0.5), ylim=(pixels - 0.5, -0.5))
        axes.set_title(label, fontsize=8)
    for axes in figure.axes:
        axes.axis("off")
    figure.savefig(path, format="png", dpi=110)


def plot_image_grids(path: str | Path, folders: Mapping[str, Sequence[tuple[str, np.ndarray]]], title: str) -> None:
    """Draw pictures in a grid a folder.

    Args:
        path: the PNG to write.
        folders: name to (label, (H, W, 3) uint8 RGB) of each picture.
        title: above the figure.
    """
    columns = 8
    rows = [max(1, -(-len(pictures) // columns)) for pictures in folders.values()]
    figure = Figure(figsize=(1.7 * columns, 2.1 * sum(rows) + 0.5 * len(rows)), layout="constrained")
    figure.suptitle(title)
    parts = figure.subfigures(len(rows), 1, height_ratios=rows, squeeze=False)[:, 0]
    for part, count, (name, pictures) in zip(parts, rows, folders.items(), strict=True):
        part.suptitle(name, fontsize=10)
        grid = part.subplots(count, columns, squeeze=False)
        for axes in grid.flat:
            axes.axis("off")
        for axes, (label, picture) in zip(grid.flat, pictures, strict=False):
            axes.imshow(picture)
            axes.set_title(label, fontsize=6)
    figure.savefig(path, format="png", dpi=110)
