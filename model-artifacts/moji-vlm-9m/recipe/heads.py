"""Two heads that exist in training only. Where things are is known exactly in a composed scene, so it is taught."""

import torch
import torch.nn.functional as F
from torch import nn

from dimensions import TEXT_WIDTH, VISION_WIDTH


class CellHead(nn.Module):
    """On projected cells [B, cells, TEXT_WIDTH]: class and box of the object centred in each, backdrop colour."""

    def __init__(self, num_classes, num_backdrops):
        super().__init__()
        self.num_classes = num_classes
        self.classes = nn.Linear(TEXT_WIDTH, num_classes + 1)  # the last: no object
        self.box = nn.Linear(TEXT_WIDTH, 4)
        self.backdrop = nn.Linear(TEXT_WIDTH, num_backdrops)

    def loss(self, features, classes, boxes, backdrops):
        """classes [B, cells], boxes [B, cells, 4], backdrops [B] -> loss, accuracy over objects, box loss."""
        features = features.float()
        logits = self.classes(features).flatten(0, 1)
        target = classes.flatten()
        has_object = target < self.num_classes
        class_loss = F.cross_entropy(logits, target, reduction="none", label_smoothing=0.05)
        class_loss = (class_loss * torch.where(has_object, 1.0, 0.5)).sum() / has_object.sum().clamp(min=1)
        if has_object.any():
            predicted = self.box(features).flatten(0, 1)[has_object]
            box_loss = F.smooth_l1_loss(predicted, boxes.flatten(0, 1)[has_object], beta=0.1)
        else:
            box_loss = features.sum() * 0
        backdrop_loss = F.cross_entropy(
            self.backdrop(features).flatten(0, 1), backdrops.repeat_interleave(features.shape[1])
        )
        with torch.no_grad():
            accuracy = (logits.argmax(-1)[has_object] == target[has_object]).float().mean()
        return class_loss + 2 * box_loss + 0.2 * backdrop_loss, accuracy, box_loss.detach()


class PatchHead(nn.Module):
    """On the patches, before they are joined: class of the object that covers a patch, distances to its box's sides."""

    def __init__(self, num_classes):
        super().__init__()
        self.num_classes = num_classes
        self.classes = nn.Linear(VISION_WIDTH, num_classes + 1)  # the last: no object
        self.box = nn.Linear(VISION_WIDTH, 4)

    def loss(self, encoded, classes, boxes):
        """encoded [B, cells, SHUFFLE * SHUFFLE * VISION_WIDTH], classes [B, patches], boxes [B, patches, 4]."""
        patches = encoded.reshape(-1, VISION_WIDTH)
        target = classes.flatten()
        logits = self.classes(patches).float()
        has_object = target < self.num_classes
        class_loss = F.cross_entropy(logits, target, reduction="none") * torch.where(has_object, 1.0, 0.25)
        class_loss = class_loss.sum() / has_object.sum().clamp(min=1)
        predicted = self.box(patches).float()[has_object]
        box_loss = F.smooth_l1_loss(predicted, boxes.flatten(0, 1)[has_object], beta=0.1)
        with torch.no_grad():
            accuracy = (logits.argmax(-1)[has_object] == target[has_object]).float().mean()
        return class_loss + 2 * box_loss, accuracy
