"""A checkpoint is {part: state_dict}; these are the parts."""

import torch

VISION, LANGUAGE_MODEL = "vision", "language_model"
CELL_HEAD, PATCH_HEAD, POSITION_HEAD = "cell_head", "patch_head", "position_head"  # training only


def save_checkpoint(path, modules):
    """modules: {part: nn.Module}."""
    torch.save({part: module.state_dict() for part, module in modules.items()}, path)


def load_checkpoint(path, modules):
    """Fills every part of `modules` from the file, which may hold more."""
    checkpoint = torch.load(path, map_location="cpu")
    for part, module in modules.items():
        module.load_state_dict(checkpoint[part])
