"""The figures of a landmark training, as PNG: its course, and what the network says of faces it was not trained on."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Circle


def draw_course(path: str | Path, losses: pd.DataFrame, title: str) -> None:
    """Draw likelihood and error against the step.

    Args:
        path: the PNG to write.
        losses: one row a step, with the columns of ``LandmarkRun``.
        title: above the figure.
    """
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    figure.suptitle(title)
    left, right = figure.subplots(1, 2)
    window = max(1, len(losses) // 25)
    for term, colour in (("faces", "#c2410c"), ("textures", "#475569")):
        running = losses[term].rolling(window, center=True, min_periods=1).mean()
        left.plot(losses["step"], running, color=colour, label=f"{term}, mean of {window} steps")
    left.set_title("negative log-likelihood a coordinate", fontsize=10)
    running = losses["distance"].rolling(window, center=True, min_periods=1).mean()
    right.plot(losses["step"], running, color="#b9c3cc", label="training crops, share of the crop")
    measured = losses.dropna(subset="validation")
    right.plot(measured["step"], measured["validation"], "o-", color="#c2410c", label="validation NME, sqrt(w h)")
    right.set_title("mean distance from the truth", fontsize=10)
    right.set_yscale("log")
    for axes in (left, right):
        axes.set_xlabel("step")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    figure.savefig(path, format="png", dpi=110)


def draw_predictions(path: str | Path, crops: Sequence[tuple[str, np.ndarray, np.ndarray]], title: str) -> None:
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
        for x, y, sigma in found * pixels:
            axes.add_patch(Circle((x - 0.5, y - 0.5), sigma, color="#22d3ee", alpha=0.25, linewidth=0))
        axes.plot(*(found[:, :2] * pixels - 0.5).T, ".", color="#f97316", markersize=3 if len(found) < 100 else 1)
        axes.set(xlim=(-0.5, pixels - 0.5), ylim=(pixels - 0.5, -0.5))
        axes.set_title(label, fontsize=8)
    for axes in figure.axes:
        axes.axis("off")
    figure.savefig(path, format="png", dpi=110)


def draw_pictures(path: str | Path, folders: Mapping[str, Sequence[tuple[str, np.ndarray]]], title: str) -> None:
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
