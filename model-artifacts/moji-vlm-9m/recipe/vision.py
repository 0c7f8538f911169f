"""The vision encoder (ViT, pre-norm, fixed 2D positions) and the projector into the language model's space."""

import torch
import torch.nn.functional as F
from torch import nn

from dimensions import (
    GRID,
    IMAGE_SIZE,
    NUM_IMAGE_TOKENS,
    PATCH_SIZE,
    PROJECTOR_WIDTH,
    SHUFFLE,
    TEXT_WIDTH,
    VISION_HEADS,
    VISION_LAYERS,
    VISION_WIDTH,
)

# Brings the visual tokens to the scale of the word embeddings.
VISUAL_TOKEN_SCALE = 0.08


def sincos_positions(width=VISION_WIDTH, grid=GRID):
    """Fixed 2D sine-cosine positions: [grid, grid, width]; the first half says the row, the second the column."""
    quarter = width // 4
    frequencies = 1.0 / 100 ** (torch.arange(quarter) / quarter)
    angles = torch.arange(grid).float()[:, None] * frequencies[None]
    line = torch.cat([angles.sin(), angles.cos()], 1)  # [grid, width / 2]
    rows = line[:, None].expand(grid, grid, width // 2)
    columns = line[None].expand(grid, grid, width // 2)
    return torch.cat([rows, columns], -1)


class VisionBlock(nn.Module):
    """Self-attention and MLP, each behind a LayerNorm: [B, T, VISION_WIDTH] -> the same."""

    def __init__(self, width=VISION_WIDTH, heads=VISION_HEADS):
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x):
        batch, tokens, width = x.shape
        head_dim = width // self.heads
        # [3, B, heads, T, head_dim]
        q, k, v = self.qkv(self.norm1(x)).view(batch, tokens, 3, self.heads, head_dim).permute(2, 0, 3, 1, 4)
        attended = (q @ k.transpose(-1, -2) * head_dim**-0.5).softmax(-1) @ v
        x = x + self.out(attended.transpose(1, 2).reshape(batch, tokens, width))
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


class Vision(nn.Module):
    """pixel_values [B, 3, H, W] in -1..1 -> image_features [B, (H / 56) * (W / 56), TEXT_WIDTH].

    The model sees H = W = 224. Training also uses windows of 56 and 112 px, placed at an offset of the position grid.
    """

    def __init__(self):
        super().__init__()
        self.patch = nn.Linear(3 * PATCH_SIZE * PATCH_SIZE, VISION_WIDTH)
        self.register_buffer("positions", sincos_positions())
        self.blocks = nn.ModuleList([VisionBlock() for _ in range(VISION_LAYERS)])
        self.norm = nn.LayerNorm(VISION_WIDTH)
        self.projector1 = nn.Linear(VISION_WIDTH * SHUFFLE * SHUFFLE, PROJECTOR_WIDTH)
        self.projector2 = nn.Linear(PROJECTOR_WIDTH, TEXT_WIDTH)
        # Which of the 16 cells a visual token is. Only whole pictures have cells.
        self.token_positions = nn.Parameter(torch.randn(NUM_IMAGE_TOKENS, TEXT_WIDTH) * 0.06)

    def encode(self, pixels, row=0, column=0):
        """[B, 3, H, W] -> [B, cells, SHUFFLE * SHUFFLE * VISION_WIDTH]; row and column place a window on the grid."""
        batch, channels, height, _ = pixels.shape
        side = height // PATCH_SIZE
        x = pixels.reshape(batch, channels, side, PATCH_SIZE, side, PATCH_SIZE)
        x = x.permute(0, 2, 4, 1, 3, 5).reshape(batch, side * side, channels * PATCH_SIZE * PATCH_SIZE)
        positions = self.positions[row : row + side, column : column + side].reshape(side * side, VISION_WIDTH)
        x = self.patch(x) + positions
        for block in self.blocks:
            x = block(x)
        x = self.norm(x)
        cells = side // SHUFFLE
        x = x.reshape(batch, cells, SHUFFLE, cells, SHUFFLE, VISION_WIDTH).permute(0, 1, 3, 2, 4, 5)
        return x.reshape(batch, cells * cells, SHUFFLE * SHUFFLE * VISION_WIDTH)

    def project(self, encoded):
        """[B, cells, SHUFFLE * SHUFFLE * VISION_WIDTH] -> [B, cells, TEXT_WIDTH]."""
        return self.projector2(F.gelu(self.projector1(encoded)))

    def tokens(self, projected):
        """Scale and cell offset: the visual tokens [B, 16, TEXT_WIDTH] of whole pictures."""
        return projected * VISUAL_TOKEN_SCALE + self.token_positions

    def forward(self, pixels, row=0, column=0):
        projected = self.project(self.encode(pixels, row, column))
        return self.tokens(projected) if pixels.shape[2] == IMAGE_SIZE else projected
