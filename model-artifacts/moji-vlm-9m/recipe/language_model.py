"""The language model: LLaMA-style decoder with grouped key/value heads, RoPE, SwiGLU and tied embeddings."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from dimensions import HEAD_DIM, RMS_EPS, ROPE_THETA, TEXT_FFN, TEXT_HEADS, TEXT_KV_HEADS, TEXT_LAYERS, TEXT_WIDTH

INIT_STD = 0.04
# Attention heads of a block whose weights training looks at, see `gaze` in sequences.py.
SUPERVISED_HEADS = 2
# After this many blocks the stream of a visual token must already name its object (training only).
TAP_AFTER = 2


class RMSNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + RMS_EPS) * self.weight


def rotate(x, cos, sin):
    """Rotary position embedding in the half-split form; x [B, heads, T, HEAD_DIM], cos and sin [B, 1, T, HEAD_DIM]."""
    half = x.shape[-1] // 2
    return x * cos + torch.cat([-x[..., half:], x[..., :half]], -1) * sin


def repeat_kv(x):
    """[B, TEXT_KV_HEADS, T, HEAD_DIM] -> [B, TEXT_HEADS, T, HEAD_DIM], each head as often as queries share it."""
    copies = TEXT_HEADS // TEXT_KV_HEADS
    return torch.cat([x[:, head : head + 1] for head in range(TEXT_KV_HEADS) for _ in range(copies)], 1)


class TextBlock(nn.Module):
    """One decoder block. `keep_attention` makes it remember the weights of its first heads, for a training loss."""

    keep_attention = False
    attention = None  # [B, SUPERVISED_HEADS, T, T]

    def __init__(self):
        super().__init__()
        self.norm1 = RMSNorm(TEXT_WIDTH)
        self.q = nn.Linear(TEXT_WIDTH, TEXT_WIDTH, bias=False)
        self.k = nn.Linear(TEXT_WIDTH, TEXT_KV_HEADS * HEAD_DIM, bias=False)
        self.v = nn.Linear(TEXT_WIDTH, TEXT_KV_HEADS * HEAD_DIM, bias=False)
        self.out = nn.Linear(TEXT_WIDTH, TEXT_WIDTH, bias=False)
        self.norm2 = RMSNorm(TEXT_WIDTH)
        self.gate = nn.Linear(TEXT_WIDTH, TEXT_FFN, bias=False)
        self.up = nn.Linear(TEXT_WIDTH, TEXT_FFN, bias=False)
        self.down = nn.Linear(TEXT_FFN, TEXT_WIDTH, bias=False)

    def forward(self, x, cos, sin, bias, past=None):
        """x [B, T, TEXT_WIDTH], bias [B, 1, T, N] -> x, (key, value): [B, TEXT_KV_HEADS, N, HEAD_DIM], N = past + T."""
        batch, tokens, _ = x.shape
        y = self.norm1(x)
        query = rotate(self.q(y).view(batch, tokens, TEXT_HEADS, HEAD_DIM).transpose(1, 2), cos, sin)
        key = rotate(self.k(y).view(batch, tokens, TEXT_KV_HEADS, HEAD_DIM).transpose(1, 2), cos, sin)
        value = self.v(y).view(batch, tokens, TEXT_KV_HEADS, HEAD_DIM).transpose(1, 2)
        if past is not None:
            key = torch.cat([past[0], key], 2)
            value = torch.cat([past[1], value], 2)
        all_keys, all_values = repeat_kv(key), repeat_kv(value)
        weights = (query @ all_keys.transpose(-1, -2) * HEAD_DIM**-0.5 + bias).softmax(-1)
        if self.keep_attention:
            self.attention = weights[:, :SUPERVISED_HEADS]
        attended = weights @ all_values
        x = x + self.out(attended.transpose(1, 2).reshape(batch, tokens, TEXT_WIDTH))
        y = self.norm2(x)
        return x + self.down(F.silu(self.gate(y)) * self.up(y)), (key, value)


class LanguageModel(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embed_tokens = nn.Embedding(vocab_size, TEXT_WIDTH)
        nn.init.normal_(self.embed_tokens.weight, std=INIT_STD)
        self.blocks = nn.ModuleList([TextBlock() for _ in range(TEXT_LAYERS)])
        self.norm = RMSNorm(TEXT_WIDTH)
        self.register_buffer("inv_freq", 1.0 / ROPE_THETA ** (torch.arange(0, HEAD_DIM, 2).float() / HEAD_DIM))
        for name, parameter in self.blocks.named_parameters():
            if parameter.dim() != 2:
                continue
            writes_to_stream = name.split(".")[1] in ("out", "down")
            nn.init.normal_(parameter, std=INIT_STD / (math.sqrt(2 * TEXT_LAYERS) if writes_to_stream else 1))

    def rotation(self, positions):
        """positions [B, T] -> cos and sin, each [B, 1, T, HEAD_DIM]."""
        angles = positions[..., None].float() * self.inv_freq
        angles = torch.cat([angles, angles], -1)[:, None]
        return angles.cos(), angles.sin()

    def hidden(self, x, positions, bias, past=None, tap=None):
        """x [B, T, TEXT_WIDTH] -> normed states of the same shape, and the keys and values of every block.

        A list given as `tap` receives the normed stream after TAP_AFTER blocks.
        """
        cos, sin = self.rotation(positions)
        present = []
        for index, block in enumerate(self.blocks):
            x, key_value = block(x, cos, sin, bias, None if past is None else past[index])
            present.append(key_value)
            if tap is not None and index == TAP_AFTER - 1:
                tap.append(self.norm(x))
        return self.norm(x), present

    def logits(self, hidden):
        return hidden @ self.embed_tokens.weight.t()
