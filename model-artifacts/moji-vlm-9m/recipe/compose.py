"""Composes scenes: icons, each turned and recoloured a little, pasted on a backdrop, with exact boxes."""

import math

import numpy as np
from PIL import Image

from backdrop import make_backdrop

PLACEMENT_TRIES = 25
SMALL_UP_TO = 44  # pixels; larger icons are taken from the big rendering
VISIBLE_ALPHA = 40


def _affine(icon_size, target_size, canvas, angle, flip, aspect, shear):
    """Coefficients of PIL's AFFINE transform, which maps canvas to source, both around their centres."""
    scale = icon_size / target_size
    cos, sin = math.cos(angle), math.sin(angle)
    half, source_half = canvas / 2, icon_size / 2
    a = scale * cos * flip + shear * scale * sin
    b = scale * sin * flip + shear * scale * cos
    d, e = -scale * sin * aspect, scale * cos * aspect
    return a, b, source_half - a * half - b * half, d, e, source_half - d * half - e * half


def _jitter_colours(rng, icon, strong):
    """Changes brightness and tint of a premultiplied icon in place; never brighter than its alpha allows."""
    gain = (rng.uniform(0.85, 1.12) * rng.uniform(0.93, 1.07, 3)).astype(np.float32)
    icon[..., :3] = icon[..., :3] * gain
    if strong:
        mixing = np.eye(3) + rng.normal(0, 0.09, (3, 3))
        icon[..., :3] = icon[..., :3] @ mixing.astype(np.float32)
    if rng.random() < 0.15:  # wash the colours out a little
        grey = icon[..., :3].mean(-1, keepdims=True)
        keep = np.float32(rng.uniform(0.3, 0.9))
        icon[..., :3] = icon[..., :3] * keep + grey * (1 - keep)
    np.clip(icon[..., :3], 0, icon[..., 3:], out=icon[..., :3])


def warp(rng, icons, row, size, line_art):
    """One icon, its longer side `size` px, turned, mirrored and recoloured.

    `line_art` is the chance of the line-art variant; above 0 (training) the stronger style augmentation is on as well.
    Returns premultiplied float32 [h, w, 4] in 0..255, trimmed to what is visible, or None if nothing is.
    """
    variant = 1 if rng.random() < line_art else 0
    source = (icons.small if size <= SMALL_UP_TO else icons.big)[row, variant]
    angle = rng.uniform(-20, 20) * math.pi / 180
    flip = -1 if rng.random() < 0.5 else 1
    aspect, shear = rng.uniform(0.9, 1.1), 0.0
    strong = line_art > 0 and rng.random() < 0.6
    if strong:
        aspect, shear = rng.uniform(0.78, 1.28), rng.uniform(-0.18, 0.18)
    canvas = int(size * 1.42) + 2  # holds the icon at any angle
    coefficients = _affine(source.shape[0], size, canvas, angle, flip, aspect, shear)
    turned = Image.fromarray(source, "RGBA").transform((canvas, canvas), Image.AFFINE, coefficients, Image.BILINEAR)
    icon = np.asarray(turned)
    visible = icon[..., 3] > VISIBLE_ALPHA
    rows, columns = np.where(visible.any(1))[0], np.where(visible.any(0))[0]
    if not len(rows):
        return None
    icon = icon[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32)
    _jitter_colours(rng, icon, strong)
    return icon


def paste(image, icon, x, y):
    """Lays a premultiplied icon over a square picture, in place; what lies outside is cut off."""
    size = image.shape[0]
    height, width = icon.shape[:2]
    x0, y0, x1, y1 = max(0, x), max(0, y), min(size, x + width), min(size, y + height)
    if x0 >= x1 or y0 >= y1:
        return
    source = icon[y0 - y : y1 - y, x0 - x : x1 - x]
    target = image[y0:y1, x0:x1]
    target *= 1 - source[..., 3:] * np.float32(1 / 255)
    target += source[..., :3]


def _overlaps(objects, x, y, width, height, gap):
    """Whether a box would cover more than the share `gap` of the smaller of itself and any other."""
    for other in objects:
        left, top, right, bottom = other["box"]
        common_width = min(right, x + width) - max(left, x)
        common_height = min(bottom, y + height) - max(top, y)
        if common_width > 0 and common_height > 0:
            smaller = min(width * height, (right - left) * (bottom - top))
            if common_width * common_height > gap * smaller:
                return True
    return False


def compose(rng, icons, split, size, classes, sizes, line_art=0.35, edge=0.0, gap=0.12):
    """A scene of `size` px with one icon for each of `classes`, as long as there is room.

    `edge` is the share of an icon that may hang over the border, `gap` the share of it that another may cover.
    Returns uint8 [size, size, 3], the backdrop's name, and objects {"c": class, "box": (x0, y0, x1, y1) in px}.
    """
    image, backdrop = make_backdrop(rng, size)
    objects = []
    for index, icon_size in zip(classes, sizes):
        rows = icons.rows_by_class[split][index]
        icon = warp(rng, icons, rows[rng.integers(len(rows))], icon_size, line_art)
        if icon is None:
            continue
        height, width = icon.shape[:2]
        if height > size or width > size:
            continue
        over_x, over_y = width * edge, height * edge
        for _ in range(PLACEMENT_TRIES):
            x = int(rng.uniform(-over_x, size - width + over_x))
            y = int(rng.uniform(-over_y, size - height + over_y))
            if _overlaps(objects, x, y, width, height, gap):
                continue
            paste(image, icon, x, y)
            box = (max(0, x), max(0, y), min(size, x + width), min(size, y + height))
            objects.append({"c": int(index), "box": box})
            break
    return np.clip(image, 0, 255).astype(np.uint8), backdrop, objects
