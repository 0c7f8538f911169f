"""Trains the tokenizer on the question and answer templates.

usage: python3 train_tokenizer.py DATA_DIR OUT_DIR
"""

import json
import os
import sys
from collections import Counter

import numpy as np

from backdrop import BACKDROP_NAMES
from dimensions import VOCAB_SIZE
from grammar import capitalise, plural, with_article
from questions import BOX_UNITS, TRAINING_PLAN, ask, vary
from scene import Scene
from smalltalk import PHRASES, smalltalk
from tokenizer import (
    BYTE_CHARACTERS,
    END_OF_TEXT,
    IM_END,
    IM_START,
    IMAGE,
    SPECIAL_TOKENS,
    SPLIT,
    SPLIT_PATTERN,
    Tokenizer,
    merge_pair,
    to_symbols,
)

SYMBOLIC_SCENES = 6000

CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' }}"
    "{% if message['content'] is string %}{{ message['content'] }}"
    "{% else %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}{{ '<image>' }}{% elif part['type'] == 'text' %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endif %}{{ '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def symbolic_scene(rng, names):
    """A scene without pixels: one to four classes in random boxes."""
    count = int(rng.integers(1, 5))
    objects = []
    for index in rng.permutation(len(names))[:count]:
        x, y = rng.integers(0, 150, 2)
        width, height = rng.integers(30, 74, 2)
        objects.append({"c": int(index), "box": (int(x), int(y), int(x + width), int(y + height))})
    return Scene(objects, BACKDROP_NAMES[int(rng.integers(len(BACKDROP_NAMES)))], names)


def corpus(rng, names):
    texts = []
    for name in names:  # every name in every grammatical form
        forms = (
            " " + name,
            capitalise(name),
            " " + plural(name),
            capitalise(with_article(name)) + ".",
            "Is there " + with_article(name) + "?",
        )
        for form in forms:
            texts += [form] * 4
    for number in range(BOX_UNITS):
        texts += [f"[{number}, {number}, {number}]"] * 30
    for _ in range(SYMBOLIC_SCENES):
        scene = symbolic_scene(rng, names)
        for task in TRAINING_PLAN:
            pair = ask(rng, scene, task)
            if pair:
                texts += [vary(rng, pair[0]), pair[1]]
        texts += list(smalltalk(rng)) + ["user\n", "assistant\n", "system\n", "\n"]
    for phrasings, answer in PHRASES:
        texts += phrasings * 20 + [answer] * 20
    return texts


def train(words, size):
    """words: Counter of pre-tokens -> vocabulary (list of tokens) and merges (list of pairs).

    Of equally frequent pairs the greatest wins, so the result depends on the counts alone.
    """
    symbols = {word: to_symbols(word) for word in words}
    vocab = SPECIAL_TOKENS + [BYTE_CHARACTERS[byte] for byte in range(256)]
    merges = []
    while len(vocab) < size:
        pairs = Counter()
        for word, parts in symbols.items():
            for pair in zip(parts, parts[1:]):
                pairs[pair] += words[word]
        if not pairs:
            break
        best, _ = max(pairs.items(), key=lambda item: (item[1], item[0]))
        merges.append(best)
        vocab.append(best[0] + best[1])
        for word, parts in symbols.items():
            if best[0] in parts:
                symbols[word] = merge_pair(parts, best)
    return vocab, merges


def added_tokens(ids):
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return [{"id": ids[token], "content": token, **flags} for token in SPECIAL_TOKENS]


def tokenizer_json(vocab, merges):
    ids = {token: index for index, token in enumerate(vocab)}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    split = {"type": "Split", "pattern": {"Regex": SPLIT_PATTERN}, "behavior": "Isolated", "invert": False}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added_tokens(ids),
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, byte_level]},
        "post_processor": None,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": False,
            "byte_fallback": False,
            "vocab": ids,
            "merges": [f"{first} {second}" for first, second in merges],
        },
    }


def tokenizer_config(vocab):
    tokens = added_tokens({token: index for index, token in enumerate(vocab)})
    return {
        "add_bos_token": False,
        "add_prefix_space": False,
        "added_tokens_decoder": {
            str(token["id"]): {key: value for key, value in token.items() if key != "id"} for token in tokens
        },
        "additional_special_tokens": [IM_START, IM_END, IMAGE],
        "bos_token": IM_START,
        "eos_token": IM_END,
        "pad_token": END_OF_TEXT,
        "unk_token": END_OF_TEXT,
        "clean_up_tokenization_spaces": False,
        "model_max_length": 1024,
        "padding_side": "left",
        "tokenizer_class": "PreTrainedTokenizerFast",
        "chat_template": CHAT_TEMPLATE,
    }


SPECIAL_TOKENS_MAP = {
    "bos_token": IM_START,
    "eos_token": IM_END,
    "pad_token": END_OF_TEXT,
    "unk_token": END_OF_TEXT,
    "additional_special_tokens": [IM_START, IM_END, IMAGE],
}


def main(data_dir, out_dir):
    os.makedirs(out_dir, exist_ok=True)
    with open(f"{data_dir}/icons_kept.json") as file:
        names = [entry["name"] for entry in json.load(file)["classes"]]
    texts = corpus(np.random.default_rng(0), names)
    words = Counter(word for text in texts for word in SPLIT.findall(text))
    vocab, merges = train(words, VOCAB_SIZE)
    with open(f"{out_dir}/tokenizer.json", "w") as file:
        json.dump(tokenizer_json(vocab, merges), file, ensure_ascii=False)
    with open(f"{out_dir}/tokenizer_config.json", "w") as file:
        json.dump(tokenizer_config(vocab), file, indent=1)
    with open(f"{out_dir}/special_tokens_map.json", "w") as file:
        json.dump(SPECIAL_TOKENS_MAP, file, indent=1)

    tokenizer = Tokenizer(f"{out_dir}/tokenizer.json")
    tokens = sum(len(tokenizer.encode_word(word)) * count for word, count in words.items())
    per_word = tokens / sum(words.values())
    print(f"{len(vocab)} tokens, {len(words)} distinct words, {per_word:.3f} tokens per word")


if __name__ == "__main__":
    main(*sys.argv[1:])
