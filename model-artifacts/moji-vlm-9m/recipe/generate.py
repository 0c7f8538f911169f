"""Greedy decoding in PyTorch: left-padded batches with a cache of keys and values."""

import torch

from batches import to_pixels
from dimensions import TEXT_WIDTH
from sequences import MASKED
from tokenizer import ASSISTANT_TURN, END_OF_TEXT, IM_END, IM_START

BATCH_SIZE, MAX_NEW_TOKENS = 50, 64


def attention_bias(attention_mask, new_tokens):
    """attention_mask [B, N] -> [B, 1, new_tokens, N]: what the last `new_tokens` positions may see."""
    total = attention_mask.shape[1]
    causal = torch.arange(total)[None] <= torch.arange(total - new_tokens, total)[:, None]
    visible = causal[None] & (attention_mask[:, None] > 0)
    return torch.where(visible, torch.tensor(0.0), torch.tensor(MASKED))[:, None]


def _embed_prompts(vision, language_model, tokenizer, images, questions):
    """One [T, TEXT_WIDTH] for each question; its picture stands before it, unless that is None."""
    with_picture = [index for index, image in enumerate(images) if image is not None]
    features = {}
    if with_picture:
        pixels = to_pixels([images[index] for index in with_picture])
        features = dict(zip(with_picture, vision(pixels)))

    def embed(text):
        return language_model.embed_tokens(torch.tensor(tokenizer.encode(text)))

    rows = []
    for index, question in enumerate(questions):
        picture = [features[index]] if index in features else []
        parts = [embed(f"{IM_START}user\n"), *picture]
        ids = tokenizer.encode(question) + tokenizer.encode(ASSISTANT_TURN)
        rows.append(torch.cat([*parts, language_model.embed_tokens(torch.tensor(ids))]))
    return rows


def _answer_batch(vision, language_model, tokenizer, images, questions, max_new_tokens):
    rows = _embed_prompts(vision, language_model, tokenizer, images, questions)
    batch, longest = len(rows), max(map(len, rows))
    embedded = torch.zeros(batch, longest, TEXT_WIDTH)
    attention_mask = torch.zeros(batch, longest, dtype=torch.long)
    for index, row in enumerate(rows):
        embedded[index, longest - len(row) :] = row
        attention_mask[index, longest - len(row) :] = 1
    ends = (tokenizer.special[IM_END], tokenizer.special[END_OF_TEXT])
    past, done, generated = None, [False] * batch, [[] for _ in range(batch)]
    for _ in range(max_new_tokens):
        new_tokens = embedded.shape[1]
        positions = (attention_mask.cumsum(1) - 1).clamp(min=0)[:, -new_tokens:]
        bias = attention_bias(attention_mask, new_tokens)
        hidden, past = language_model.hidden(embedded, positions, bias, past)
        next_ids = language_model.logits(hidden[:, -1]).argmax(-1)
        for index, token in enumerate(next_ids.tolist()):
            done[index] = done[index] or token in ends
            if not done[index]:
                generated[index].append(token)
        if all(done):
            break
        embedded = language_model.embed_tokens(next_ids)[:, None]
        attention_mask = torch.cat([attention_mask, torch.ones(batch, 1, dtype=torch.long)], 1)
    return [tokenizer.decode(ids) for ids in generated]


@torch.no_grad()
def answer(vision, language_model, tokenizer, images, questions, max_new_tokens=MAX_NEW_TOKENS):
    """images: uint8 [224, 224, 3] each, or None for a question without a picture -> one answer a question."""
    answers = []
    for start in range(0, len(questions), BATCH_SIZE):
        part = slice(start, start + BATCH_SIZE)
        answers += _answer_batch(vision, language_model, tokenizer, images[part], questions[part], max_new_tokens)
    return answers
