"""What the two training heads are to say about a scene (see heads.py)."""

import math

import numpy as np

from dimensions import CELL, PATCH_SIZE, SHUFFLE

# Share of a box, on each side, that need not show the object: patches there are left out.
BOX_MARGIN = 0.08


def cell_targets(objects, size, num_classes):
    """Per cell: class [cells] (num_classes = none) and box [cells, 4] of the largest object centred in it.

    A box is (centre x, centre y, width, height) in units of a cell, the centre relative to the cell's corner.
    """
    side = size // CELL
    classes = np.full((side, side), num_classes, np.int64)
    boxes = np.zeros((side, side, 4), np.float32)
    areas = np.zeros((side, side))
    for item in objects:
        x0, y0, x1, y1 = item["box"]
        center_x, center_y = (x0 + x1) / (2 * CELL), (y0 + y1) / (2 * CELL)
        i, j = min(side - 1, int(center_y)), min(side - 1, int(center_x))
        area = (x1 - x0) * (y1 - y0)
        if area > areas[i, j]:
            areas[i, j] = area
            classes[i, j] = item["c"]
            boxes[i, j] = (center_x - j, center_y - i, (x1 - x0) / CELL, (y1 - y0) / CELL)
    return classes.reshape(-1), boxes.reshape(-1, 4)


def patch_targets(objects, size, num_classes):
    """Per patch: class [patches] (num_classes = none) and distances [patches, 4] to the box's sides, in cells.

    Patches stand in the order in which they are joined into visual tokens.
    """
    side = size // PATCH_SIZE
    half = PATCH_SIZE / 2
    classes = np.full((side, side), num_classes, np.int64)
    boxes = np.zeros((side, side, 4), np.float32)
    for item in objects:  # later objects lie on top
        x0, y0, x1, y1 = item["box"]
        margin_x, margin_y = BOX_MARGIN * (x1 - x0), BOX_MARGIN * (y1 - y0)
        # The patches whose centres lie in the box
        i0 = max(0, math.ceil((y0 + margin_y - half) / PATCH_SIZE))
        i1 = min(side, math.floor((y1 - margin_y - half) / PATCH_SIZE) + 1)
        j0 = max(0, math.ceil((x0 + margin_x - half) / PATCH_SIZE))
        j1 = min(side, math.floor((x1 - margin_x - half) / PATCH_SIZE) + 1)
        if i0 >= i1 or j0 >= j1:
            continue
        classes[i0:i1, j0:j1] = item["c"]
        center_y = np.arange(i0, i1)[:, None] * PATCH_SIZE + PATCH_SIZE // 2
        center_x = np.arange(j0, j1)[None] * PATCH_SIZE + PATCH_SIZE // 2
        covered = boxes[i0:i1, j0:j1]
        covered[..., 0] = (center_x - x0) / CELL
        covered[..., 1] = (center_y - y0) / CELL
        covered[..., 2] = (x1 - center_x) / CELL
        covered[..., 3] = (y1 - center_y) / CELL
    cells = side // SHUFFLE
    classes = classes.reshape(cells, SHUFFLE, cells, SHUFFLE).transpose(0, 2, 1, 3).reshape(-1)
    boxes = boxes.reshape(cells, SHUFFLE, cells, SHUFFLE, 4).transpose(0, 2, 1, 3, 4).reshape(-1, 4)
    return classes, boxes
