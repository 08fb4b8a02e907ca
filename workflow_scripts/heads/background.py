"""What is behind the head: out-of-focus places painted from rectangles, leaves, lamps and noise."""

import cv2
import numpy as np

#: Side at which scenes are painted; they are out of focus, so the picture is enlarged afterwards.
_SIDE = 320


def draw_background(rng: np.random.Generator, pixels: int, studio: bool) -> np.ndarray:
    """Paint a background.

    Args:
        rng: source of randomness.
        pixels: side of the image.
        studio: one plain light grey or coloured sheet.

    Returns:
        (pixels, pixels, 3) float32 sRGB-encoded 0..1.
    """
    if studio:
        sheet = np.full((pixels, pixels, 3), rng.uniform(0.45, 0.85) + rng.normal(0, 0.02, 3), dtype=np.float32)
        return np.clip(sheet, 0, 1)
    scene = rng.choice([_street, _park, _room, _wall, _night, _horizon], p=(0.22, 0.22, 0.22, 0.12, 0.10, 0.12))
    canvas = scene(rng)
    defocus = float(np.exp(rng.uniform(np.log(0.7), np.log(7.0))))
    canvas = cv2.GaussianBlur(canvas, (0, 0), defocus)
    grey = canvas.mean(axis=2, keepdims=True)
    canvas = grey + rng.uniform(0.55, 0.95) * (canvas - grey)
    canvas = np.clip(canvas * rng.uniform(0.75, 1.15), 0, 1)
    return cv2.resize(canvas, (pixels, pixels), interpolation=cv2.INTER_CUBIC).clip(0, 1)


def surroundings(background: np.ndarray) -> dict[str, np.ndarray]:
    """Mean linear RGB of the top, bottom, left and right of a background (H, W, 3) sRGB 0..1."""
    small = cv2.resize(background, (16, 16), interpolation=cv2.INTER_AREA) ** 2.2
    parts = {"top": small[:6], "bottom": small[10:], "left": small[:, :5], "right": small[:, 11:]}
    return {name: part.reshape(-1, 3).mean(axis=0) for name, part in parts.items()}


def _gradient(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    fraction = np.linspace(0, 1, _SIDE, dtype=np.float32)[:, None, None]
    return np.repeat((1 - fraction) * top + fraction * bottom, _SIDE, axis=1).astype(np.float32)


def _cloud(rng: np.random.Generator, cells: int, octaves: int = 4) -> np.ndarray:
    """Fractal noise (S, S) float32 in about -1..1."""
    total = np.zeros((_SIDE, _SIDE), dtype=np.float32)
    for octave in range(octaves):
        grid = rng.standard_normal((cells * 2**octave + 1,) * 2).astype(np.float32)
        total += cv2.resize(grid, (_SIDE, _SIDE), interpolation=cv2.INTER_CUBIC) / 2**octave
    return total / 1.6


def _colour(rng: np.random.Generator, low: float, high: float, saturation: float) -> np.ndarray:
    """A random colour of given brightness range and spread between channels."""
    return np.clip(rng.uniform(low, high) + rng.normal(0, saturation, 3), 0.02, 0.98)


def _sky(rng: np.random.Generator) -> np.ndarray:
    if rng.uniform() < 0.35:
        canvas = _gradient(
            np.array([0.35, 0.42, 0.60]) * rng.uniform(0.6, 1.2), np.array([0.95, rng.uniform(0.6, 0.85), 0.62])
        )
    else:
        canvas = _gradient(np.array([0.38, 0.58, 0.85]) * rng.uniform(0.7, 1.15), np.array([0.84, 0.90, 0.95]))
    cover = np.clip(_cloud(rng, 3) * 0.8 + rng.uniform(-0.6, 0.7), 0, 1)[..., None]
    return canvas * (1 - cover) + cover * rng.uniform(0.65, 0.97)


def _ground(rng: np.random.Generator, canvas: np.ndarray, level: int, colour: np.ndarray) -> None:
    """Paint a receding ground below row `level`, its texture stretched by perspective."""
    rows = np.arange(level, _SIDE)
    depth = 1.0 / np.maximum(rows - level + 4, 1)
    texture = _cloud(rng, 24, 3)
    lines = ((depth * 1600).astype(int) % _SIDE)[:, None]
    columns = (_SIDE // 2 + (np.arange(_SIDE) - _SIDE // 2)[None] * depth[:, None] * 30).astype(int) % _SIDE
    canvas[level:] = colour * (1 + 0.22 * texture[lines, columns][..., None])


def _street(rng: np.random.Generator) -> np.ndarray:
    """Houses with windows along a pavement."""
    canvas = _sky(rng)
    level = int(_SIDE * rng.uniform(0.5, 0.8))
    left = -int(rng.integers(0, 60))
    while left < _SIDE:
        width, top = int(rng.integers(45, 150)), int(level - rng.integers(50, 290))
        wall = _colour(rng, 0.2, 0.75, 0.06) + (0.06, 0.0, -0.05)
        if rng.uniform() > 0.15:
            cv2.rectangle(canvas, (left, top), (left + width, level), wall.tolist(), -1)
            across, down = int(rng.integers(12, 30)), int(rng.integers(16, 38))
            glass = _colour(rng, 0.1, 0.6, 0.06)
            for x in range(left + 5, left + width - across // 2, across):
                for y in range(max(top, -20) + 6, level - down // 2, down):
                    pane = glass * rng.uniform(0.7, 1.3)
                    cv2.rectangle(canvas, (x, y), (x + across // 2, y + int(down * 0.6)), pane.tolist(), -1)
        left += width + int(rng.integers(0, 12))
    _ground(rng, canvas, level, _colour(rng, 0.25, 0.6, 0.02))
    for _ in range(rng.integers(0, 5)):
        x, height = int(rng.integers(0, _SIDE)), int(rng.integers(20, 60))
        body = _colour(rng, 0.1, 0.7, 0.2).tolist()
        cv2.ellipse(canvas, (x, level + 4), (height, height // 3), 0, 180, 360, body, -1)
        cv2.rectangle(canvas, (x - height, level), (x + height, level + height // 4), body, -1)
    return canvas


def _park(rng: np.random.Generator) -> np.ndarray:
    """Leaves in several layers over grass, with light between them."""
    canvas = _sky(rng)
    hue = np.array([rng.uniform(0.20, 0.50), rng.uniform(0.30, 0.44), rng.uniform(0.10, 0.24)])
    for layer in range(4):
        cover = np.clip(4 * (_cloud(rng, 4 + 5 * layer, 5) + rng.uniform(-0.5, 0.6)), 0, 1)[..., None]
        shade = (0.45 + 0.3 * layer * rng.uniform(0.5, 1.2)) * (1 + 0.35 * _cloud(rng, 40, 3)[..., None])
        canvas = canvas * (1 - cover) + cover * hue * shade
    for _ in range(rng.integers(0, 5)):
        x, width = int(rng.integers(0, _SIDE)), int(rng.integers(4, 18))
        bark = (np.array([0.22, 0.17, 0.12]) * rng.uniform(0.5, 1.6)).tolist()
        cv2.line(canvas, (x, -5), (x + int(rng.normal(0, 14)), _SIDE), bark, width)
    canvas = np.ascontiguousarray(canvas, dtype=np.float32)
    if rng.uniform() < 0.7:
        _ground(rng, canvas, int(_SIDE * rng.uniform(0.55, 0.85)), hue * rng.uniform(0.8, 1.5))
    return canvas


def _room(rng: np.random.Generator) -> np.ndarray:
    """A wall with pictures, shelves, a window or a lamp, and a floor."""
    wall = _colour(rng, 0.35, 0.88, 0.06)
    canvas = _gradient(wall * rng.uniform(0.75, 1.0), wall * rng.uniform(0.9, 1.15))
    side = np.linspace(rng.uniform(0.6, 1.1), rng.uniform(0.6, 1.1), _SIDE, dtype=np.float32)[None, :, None]
    canvas *= side
    corner = int(rng.integers(-80, _SIDE + 80))
    canvas[:, max(corner, 0) :] *= rng.uniform(0.72, 0.95)
    for _ in range(rng.integers(2, 6)):
        x, y = (int(v) for v in rng.integers(-30, _SIDE - 20, 2))
        w, h = (int(v) for v in rng.integers(30, 130, 2))
        kind = rng.uniform()
        if kind < 0.3:
            cv2.rectangle(canvas, (x - 4, y - 4), (x + w + 4, y + h + 4), _colour(rng, 0.1, 0.9, 0.05).tolist(), -1)
            cv2.rectangle(canvas, (x, y), (x + w, y + h), _colour(rng, 0.2, 0.8, 0.18).tolist(), -1)
        elif kind < 0.55:
            cv2.rectangle(canvas, (x, y), (x + w, y + h), (0.95, 0.97, 1.0), -1)
            cv2.line(canvas, (x + w // 2, y), (x + w // 2, y + h), (wall * 0.7).tolist(), 4)
        elif kind < 0.85:
            for shelf in range(3):
                base, left = y + 40 * (shelf + 1), x
                cv2.rectangle(canvas, (x, base), (x + w, base + 5), (0.33, 0.22, 0.14), -1)
                while left < x + w - 10:
                    thick = int(rng.integers(4, 12))
                    top = base - int(rng.integers(18, 34))
                    cv2.rectangle(canvas, (left, top), (left + thick, base), _colour(rng, 0.1, 0.8, 0.2).tolist(), -1)
                    left += thick + 1
        else:
            glow = np.indices((_SIDE, _SIDE))[::-1] - np.array([x, y])[:, None, None]
            light = np.exp(-np.hypot(*glow) / rng.uniform(25, 70)).astype(np.float32)
            canvas += 0.8 * light[..., None] * np.array([1.0, 0.85, 0.6], dtype=np.float32)
    level = int(_SIDE * rng.uniform(0.7, 1.1))
    if level < _SIDE - 8:
        _ground(rng, canvas, level, _colour(rng, 0.2, 0.6, 0.05) + (0.08, 0.02, -0.04))
    return canvas


def _wall(rng: np.random.Generator) -> np.ndarray:
    """Bricks, tiles or plaster close behind the head."""
    base = _colour(rng, 0.25, 0.85, 0.05)
    canvas = _gradient(base * 0.95, base) * (1 + 0.10 * _cloud(rng, 5, 5)[..., None])
    if rng.uniform() < 0.65:
        high = int(rng.integers(12, 40))
        wide = int(high * rng.choice((1.0, 2.2)))
        joint = (base * rng.uniform(0.6, 1.3)).clip(0, 1).tolist()
        for row, y in enumerate(range(0, _SIDE, high)):
            for x in range(-(wide // 2) * (row % 2), _SIDE, wide):
                tint = base * rng.uniform(0.82, 1.14)
                cv2.rectangle(canvas, (x, y), (x + wide, y + high), tint.tolist(), -1)
                cv2.rectangle(canvas, (x, y), (x + wide, y + high), joint, 2)
        canvas *= 1 + 0.08 * _cloud(rng, 50, 2)[..., None]
    return canvas


def _night(rng: np.random.Generator) -> np.ndarray:
    """Dark blue or brown with lamps out of focus."""
    canvas = _gradient(_colour(rng, 0.03, 0.2, 0.03), _colour(rng, 0.06, 0.25, 0.04))
    for _ in range(rng.integers(15, 70)):
        x, y = (int(v) for v in rng.integers(0, _SIDE, 2))
        lamp = np.array([1.0, rng.uniform(0.5, 0.95), rng.uniform(0.15, 0.9)]) * rng.uniform(0.3, 1)
        disc = np.zeros((_SIDE, _SIDE), dtype=np.uint8)
        cv2.circle(disc, (x, y), int(rng.integers(2, 14)), 1, -1)
        canvas[disc > 0] = 0.4 * canvas[disc > 0] + 0.7 * lamp
    return canvas


def _horizon(rng: np.random.Generator) -> np.ndarray:
    """Open country: sky, distant hills, field, sand or water."""
    canvas = _sky(rng)
    level = int(_SIDE * rng.uniform(0.4, 0.75))
    for hill in range(rng.integers(1, 4)):
        crest = level - 20 + 14 * hill + 22 * np.interp(np.arange(_SIDE), np.linspace(0, _SIDE, 9), rng.normal(0, 1, 9))
        tone = np.array([0.30, 0.38, 0.42]) * (1 - 0.22 * hill) * rng.uniform(0.7, 1.3)
        canvas[np.arange(_SIDE)[:, None] > crest[None]] = tone
    _ground(
        rng, canvas, level, rng.choice([(0.33, 0.40, 0.17), (0.72, 0.62, 0.45), (0.28, 0.42, 0.52), (0.5, 0.5, 0.5)])
    )
    return canvas
