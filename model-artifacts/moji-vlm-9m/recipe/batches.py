"""Scenes and windows as tensors, with the targets of the training heads."""

from dataclasses import dataclass

import numpy as np
import torch

from backdrop import BACKDROP_NAMES
from compose import compose
from icons import TRAIN
from targets import cell_targets, patch_targets

WINDOW = 112  # pixels: four visual tokens


@dataclass
class Batch:
    """Pictures with what the heads are to say about them."""

    pixels: torch.Tensor  # float32 [B, 3, H, W], -1..1
    cell_classes: torch.Tensor  # int64 [B, cells]
    cell_boxes: torch.Tensor  # float32 [B, cells, 4]
    backdrops: torch.Tensor  # int64 [B]
    patch_classes: torch.Tensor  # int64 [B, patches]
    patch_boxes: torch.Tensor  # float32 [B, patches, 4]


def to_pixels(images):
    """uint8 [H, W, 3] each -> float32 [B, 3, H, W] in -1..1."""
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)


def to_batch(scenes, num_classes):
    """scenes: (uint8 image, backdrop name, objects) each, all of one size."""
    size = scenes[0][0].shape[0]
    cells = [cell_targets(objects, size, num_classes) for _, _, objects in scenes]
    patches = [patch_targets(objects, size, num_classes) for _, _, objects in scenes]
    stack = lambda arrays: torch.from_numpy(np.stack(arrays))  # noqa: E731
    return Batch(
        pixels=to_pixels([image for image, _, _ in scenes]),
        cell_classes=stack([classes for classes, _ in cells]),
        cell_boxes=stack([boxes for _, boxes in cells]),
        backdrops=torch.tensor([BACKDROP_NAMES.index(backdrop) for _, backdrop, _ in scenes]),
        patch_classes=stack([classes for classes, _ in patches]),
        patch_boxes=stack([boxes for _, boxes in patches]),
    )


def window_112(rng, icons, split=TRAIN, line_art=0.35):
    """A 112 px window with one to three objects, which may hang over its border."""
    count = 1 + int(rng.random() < 0.7) + int(rng.random() < 0.4)
    classes = rng.integers(len(icons.names), size=count)
    sizes = np.sort(rng.uniform(38, 68, count))[::-1] if count > 1 else rng.uniform(44, 108, 1)
    return compose(rng, icons, split, WINDOW, classes, sizes, line_art, edge=0.12)
