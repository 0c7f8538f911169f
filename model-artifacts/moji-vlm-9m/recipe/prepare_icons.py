"""Trims the rendered icons to what is visible and saves them premultiplied at two sizes, each also as line art.

The line-art variant (dark contours) is a style augmentation. usage: python3 prepare_icons.py DATA_DIR
"""

import json
import random
import sys

import numpy as np
from PIL import Image, ImageFilter

BIG, SMALL = 112, 56  # pixels
VISIBLE_ALPHA = 24
MIN_VISIBLE_PIXELS = 200

LINE_DARKNESS = 0.92
EDGE_THRESHOLD = 0.18  # step between neighbouring pixels that counts as an inner edge, of 1


def premultiplied_resize(image, size):
    """uint8 [h, w, 4], plain alpha -> uint8 [size, size, 4], premultiplied."""
    pixels = image.astype(np.float32) / 255
    pixels[..., :3] *= pixels[..., 3:]
    resample = Image.BOX if size * 2 < image.shape[0] else Image.BILINEAR
    channels = [
        np.asarray(Image.fromarray(pixels[..., channel]).resize((size, size), resample, reducing_gap=3.0))
        for channel in range(4)
    ]
    return np.clip(np.stack(channels, -1) * 255 + 0.5, 0, 255).astype(np.uint8)


def halve(image):
    """uint8 [112, 112, 4] -> [56, 56, 4]."""
    channels = [
        np.asarray(Image.fromarray(image[..., channel]).resize((SMALL, SMALL), Image.BOX)) for channel in range(4)
    ]
    return np.clip(np.stack(channels, -1), 0, 255)


def line_art(image):
    """Darkens the outer contour and the strong inner edges; premultiplied uint8 [size, size, 4] in and out."""
    pixels = image.astype(np.float32) / 255
    width = max(1, image.shape[0] // 40)
    eroded = Image.fromarray(image[..., 3]).filter(ImageFilter.MinFilter(2 * width + 1))
    contour = np.clip(pixels[..., 3] - np.asarray(eroded).astype(np.float32) / 255, 0, 1)
    colours = pixels[..., :3]
    step_down = np.abs(np.diff(colours, axis=0, prepend=colours[:1])).max(-1)
    step_right = np.abs(np.diff(colours, axis=1, prepend=colours[:, :1])).max(-1)
    edges = ((np.maximum(step_down, step_right) > EDGE_THRESHOLD) * 255).astype(np.uint8)
    edges = Image.fromarray(edges).filter(ImageFilter.MaxFilter(3)).filter(ImageFilter.GaussianBlur(0.6))
    edges = np.asarray(edges).astype(np.float32) / 255
    darkness = np.clip(np.maximum(contour, edges), 0, 1)[..., None] * LINE_DARKNESS
    pixels[..., :3] *= 1 - darkness
    return (pixels * 255 + 0.5).astype(np.uint8)


def trim(image):
    """The visible part, centred in a square, and its width and height as shares of the square's side; None if empty."""
    visible = image[..., 3] > VISIBLE_ALPHA
    if visible.sum() < MIN_VISIBLE_PIXELS:
        return None
    rows, columns = np.where(visible.any(1))[0], np.where(visible.any(0))[0]
    image = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = image.shape[:2]
    side = max(height, width)
    square = np.zeros((side, side, 4), np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = image
    return square, width / side, height / side


def contact_sheet(index, rows, small, path, classes_shown=40, tile=60):
    """A picture of some classes in all sets, plain and as line art, for a look."""
    sets = index["train"] + index["held"]
    sheet = np.full((classes_shown * tile, len(sets) * 2 * tile, 3), 235, np.float32)
    random.seed(1)
    for line, shown in enumerate(random.sample(range(len(index["classes"])), classes_shown)):
        for row, variants in zip(rows, small):
            if row["c"] != shown:
                continue
            for variant in (0, 1):
                x, y = (sets.index(row["set"]) * 2 + variant) * tile, line * tile
                icon = variants[variant].astype(np.float32)
                target = sheet[y : y + SMALL, x : x + SMALL]
                target *= 1 - icon[..., 3:] / 255
                target += icon[..., :3]
    Image.fromarray(sheet.astype(np.uint8)).save(path)


def main(data_dir):
    with open(f"{data_dir}/icons.json") as file:
        index = json.load(file)
    side = index["size"]
    rendered = np.fromfile(f"{data_dir}/icons.rgba", np.uint8).reshape(-1, side, side, 4)
    rows, big, small = [], [], []
    for row, image in zip(index["rows"], rendered):
        trimmed = trim(image)
        if trimmed is None:
            print("empty", row)
            continue
        square, width, height = trimmed
        plain = premultiplied_resize(square, BIG)
        drawn = line_art(plain)
        big.append(np.stack([plain, drawn]))
        small.append(np.stack([halve(plain), halve(drawn)]))
        rows.append(dict(row, w=width, h=height))
    np.savez(f"{data_dir}/icons.npz", big=np.stack(big), small=np.stack(small))
    with open(f"{data_dir}/icons_kept.json", "w") as file:
        json.dump(dict(index, rows=rows), file)
    print(len(rows), "icons kept")
    contact_sheet(index, rows, small, f"{data_dir}/sheet.png")


if __name__ == "__main__":
    main(*sys.argv[1:])
