"""Plain backdrops: one colour with a gentle gradient, a little noise, or both."""

import math

import numpy as np

BACKDROPS = {
    "white": (250, 250, 250),
    "black": (20, 20, 22),
    "gray": (150, 150, 150),
    "red": (225, 50, 50),
    "orange": (250, 150, 40),
    "yellow": (250, 225, 60),
    "green": (70, 180, 80),
    "blue": (60, 110, 230),
    "purple": (140, 80, 190),
    "pink": (250, 170, 200),
    "brown": (130, 85, 50),
    "light blue": (150, 210, 245),
}
BACKDROP_NAMES = list(BACKDROPS)

# One bank of noise, of which random windows are taken: making it anew for each picture would cost more than the rest.
NOISE_SIDE = 480
NOISE = np.random.default_rng(7).normal(0, 1, (NOISE_SIDE, NOISE_SIDE, 3)).astype(np.float32)

_grids = {}


def _grid(size):
    """[2, size, size]: rows and columns from -0.5 to 0.5."""
    if size not in _grids:
        _grids[size] = np.mgrid[0:size, 0:size].astype(np.float32) / size - 0.5
    return _grids[size]


def make_backdrop(rng, size):
    """A float32 picture [size, size, 3] in 0..255 (not yet clipped), and the name of its colour."""
    name = BACKDROP_NAMES[rng.integers(len(BACKDROP_NAMES))]
    colour = (np.array(BACKDROPS[name]) + rng.normal(0, 7, 3)).astype(np.float32)
    image = np.empty((size, size, 3), np.float32)
    image[:] = colour
    kind = rng.random()
    if kind < 0.5:
        rows, columns = _grid(size)
        angle = rng.random() * 2 * math.pi
        strength = np.float32(rng.uniform(-45, 45))
        slope = columns * np.float32(math.cos(angle)) + rows * np.float32(math.sin(angle))
        image += (slope * strength)[..., None]
    if kind > 0.35:
        y, x = rng.integers(0, NOISE_SIDE - size, 2)
        noise = NOISE[y : y + size, x : x + size]
        if rng.random() < 0.5:
            noise = noise[..., :1]  # grey noise
        image += noise * np.float32(rng.uniform(1, 8))
    return image, name
