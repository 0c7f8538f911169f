"""Draws the pictures of the zoo: seeded, with Pillow and numpy alone.   python pictures.py OUT_DIR"""

import math
import pathlib
import sys

import numpy as np
from PIL import Image, ImageDraw


def colour(rng):
    return tuple(int(v) for v in rng.integers(0, 256, 3))


def gradient(width, height, rng):
    corners = rng.uniform(0, 255, (2, 2, 3))
    y, x = np.linspace(0, 1, height)[:, None, None], np.linspace(0, 1, width)[None, :, None]
    top, bottom = (corners[row, 0] * (1 - x) + corners[row, 1] * x for row in (0, 1))
    return Image.fromarray((top * (1 - y) + bottom * y).round().astype(np.uint8))


def shapes(width, height, rng, count):
    image = Image.new("RGB", (width, height), colour(rng))
    draw = ImageDraw.Draw(image)
    for _ in range(count):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        r = rng.uniform(0.05, 0.3) * min(width, height)
        kind = draw.ellipse if rng.integers(0, 2) else draw.rectangle
        kind([x - r, y - r, x + r, y + r / 2], fill=colour(rng))
    return image


def noise(width, height, rng):
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


def waves(width, height, rng):
    """Few levels, so that the file is small."""
    y, x = np.mgrid[0:height, 0:width] / max(width, height)
    out = np.zeros((height, width, 3))
    for channel in range(3):
        for _ in range(4):
            fx, fy, phase = rng.uniform(-5, 5), rng.uniform(-5, 5), rng.uniform(0, math.tau)
            out[..., channel] += np.sin(math.tau * (fx * x + fy * y) + phase)
    out = (out - out.min()) / (out.max() - out.min())
    return Image.fromarray((out * 5).round().astype(np.uint8) * 51)


def strokes(width, height, rng):
    """Lines of short strokes: a page of writing from afar."""
    image = Image.new("RGB", (width, height), (250, 248, 240))
    draw = ImageDraw.Draw(image)
    line = height // 16
    for y in range(line, height - line, line):
        x = line
        while x < width - line:
            step = rng.uniform(0.3, 0.9) * line
            draw.line([x, y + rng.uniform(-4, 4), x + step, y + rng.uniform(-4, 4)], fill=colour(rng), width=2)
            x += step
    return image


def stripes(width, height, rng):
    image = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(image)
    slope, x = rng.uniform(-0.8, 0.8), -height
    while x < width + height:
        w = rng.uniform(6, 40)
        far = x + slope * height
        draw.polygon([(x, 0), (x + w, 0), (far + w, height), (far, height)], fill=colour(rng))
        x += w
    return image


def checker(width, height, rng, cell):
    a, b = np.array(colour(rng)), np.array(colour(rng))
    y, x = np.mgrid[0:height, 0:width] // cell
    return Image.fromarray(np.where(((x + y) % 2)[..., None] == 0, a, b).astype(np.uint8))


def pictures():
    """Pairs of name and picture, in the order in which the questions number them."""
    rng = np.random.default_rng(20261)
    faded = shapes(120, 120, rng, 12)
    faded.putalpha(Image.fromarray(np.tile(np.linspace(0, 255, 120).round().astype(np.uint8), (120, 1))))
    return [
        ("gradient-96x72.png", gradient(96, 72, rng)),
        ("shapes-640x427.png", shapes(640, 427, rng, 24)),
        ("checker-224x224.png", checker(224, 224, rng, 28)),
        ("noise-40x40.png", noise(40, 40, rng)),
        ("strokes-240x320.png", strokes(240, 320, rng)),  # portrait
        ("wide-640x60.png", shapes(640, 60, rng, 30)),  # extreme aspect
        ("tall-90x600.png", stripes(90, 600, rng)),
        ("tiny-9x7.png", noise(9, 7, rng)),
        ("gray-98x70.png", waves(98, 70, rng).convert("L")),  # mode L; 98 / 28 and 70 / 28 end in .5
        ("alpha-120x120.png", faded),  # mode RGBA
        ("palette-250x180.png", stripes(250, 180, rng).quantize(32)),  # mode P
        ("waves-200x150.png", waves(200, 150, rng)),
        ("stripes-333x251.png", stripes(333, 251, rng)),
        ("portrait-287x511.png", shapes(287, 511, rng, 18)),
    ]


if __name__ == "__main__":
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for name, image in pictures():
        image.save(out / name, optimize=True)
