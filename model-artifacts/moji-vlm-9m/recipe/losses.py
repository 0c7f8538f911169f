"""The losses of stage B over one batch of pictures and sequences."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from dimensions import NUM_IMAGE_TOKENS, TEXT_WIDTH
from sequences import PREFIX_TEXT, READ, SAY

# Indices of the blocks in whose first head gaze is supervised
READ_BLOCK, SAY_BLOCK = 2, 3
SAY_WEIGHT = 0.7
EMPTY_CELL_WEIGHT = 0.05  # most cells hold no object


@dataclass
class Forward:
    language_loss: torch.Tensor
    naming_loss: torch.Tensor
    gaze_loss: torch.Tensor
    features: torch.Tensor  # projected, float32 [B, 16, TEXT_WIDTH]
    encoded: torch.Tensor  # [B, 16, SHUFFLE * SHUFFLE * VISION_WIDTH]
    token_accuracy: float


def naming_loss(logits, names):
    """After two blocks the stream of a visual token already names its object (names [B, 16]; token 0: none)."""
    weights = torch.where(names.flatten() > 0, 1.0, EMPTY_CELL_WEIGHT)
    losses = F.cross_entropy(logits, names.flatten(), reduction="none")
    return (losses * weights).sum() / weights.sum()


def gaze_loss(language_model, gaze):
    """The first head of two blocks looks at the cell of the object that was just read, or is about to be named."""

    def attention(head, block):
        hints = gaze[gaze[:, 1] == head]
        return language_model.blocks[block].attention[hints[:, 0], 0, hints[:, 2], hints[:, 3]].float()

    read, say = attention(READ, READ_BLOCK), attention(SAY, SAY_BLOCK)
    return -read.add(1e-5).log().mean() - say.add(1e-5).log().mean() * SAY_WEIGHT


def forward(vision, language_model, pixels, text, names, frozen=False):
    """pixels [B, 3, 224, 224], text a TextBatch, names [B, 16]: first token of each cell's object. frozen: encoder."""
    after_picture = PREFIX_TEXT + NUM_IMAGE_TOKENS
    with torch.autocast("cpu", dtype=torch.bfloat16):  # bfloat16 matrix products, float32 master weights
        with torch.set_grad_enabled(not frozen and torch.is_grad_enabled()):
            encoded = vision.encode(pixels)
        features = vision.project(encoded).float()
        embedded = language_model.embed_tokens(text.ids)
        embedded = torch.cat(
            [embedded[:, :PREFIX_TEXT], vision.tokens(features), embedded[:, after_picture:]], 1
        )
        tap = []
        hidden, _ = language_model.hidden(embedded, text.positions, text.bias, tap=tap)
        is_answer = text.is_answer[:, 1:]
        logits = language_model.logits(hidden[:, :-1][is_answer]).float()
        target = text.ids[:, 1:][is_answer]
        picture_stream = tap[0][:, PREFIX_TEXT:after_picture].reshape(-1, TEXT_WIDTH)
        name_logits = language_model.logits(picture_stream).float()
    return Forward(
        language_loss=F.cross_entropy(logits, target),
        naming_loss=naming_loss(name_logits, names),
        gaze_loss=gaze_loss(language_model, text.gaze),
        features=features,
        encoded=encoded,
        token_accuracy=(logits.argmax(-1) == target).float().mean().item(),
    )
