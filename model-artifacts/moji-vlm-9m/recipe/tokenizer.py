"""Byte-level BPE: the tokenizer that training uses. It reads the `tokenizer.json` that train_tokenizer.py writes."""

import json
import re

END_OF_TEXT, IM_START, IM_END, IMAGE = "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<image>"
SPECIAL_TOKENS = [END_OF_TEXT, IM_START, IM_END, IMAGE]

# The same split twice: as tokenizer.json has it, and in the dialect of Python's `re`, which knows no \p{L}.
SPLIT_PATTERN = r"(?:user|assistant|system)\n| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
SPLIT = re.compile(r"(?:user|assistant|system)\n| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")

ASSISTANT_TURN = f"{IM_END}\n{IM_START}assistant\n"


def _byte_characters():
    """GPT-2's map from bytes to printable characters: those that are printable stay, the rest move up from 256."""
    printable = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    others = [byte for byte in range(256) if byte not in printable]
    characters = {byte: chr(byte) for byte in printable}
    characters.update({byte: chr(256 + index) for index, byte in enumerate(others)})
    return characters


BYTE_CHARACTERS = _byte_characters()


def merge_pair(symbols, pair):
    """Joins each occurrence of `pair` in a list of symbols, from left to right."""
    merged, index = [], 0
    while index < len(symbols):
        if index + 1 < len(symbols) and (symbols[index], symbols[index + 1]) == pair:
            merged.append(pair[0] + pair[1])
            index += 2
        else:
            merged.append(symbols[index])
            index += 1
    return merged


def to_symbols(word):
    return [BYTE_CHARACTERS[byte] for byte in word.encode()]


class Tokenizer:
    def __init__(self, path):
        with open(path) as file:
            model = json.load(file)["model"]
        self.vocab = model["vocab"]
        self.ranks = {tuple(merge.split(" ")): rank for rank, merge in enumerate(model["merges"])}
        self.tokens = {index: token for token, index in self.vocab.items()}
        self.bytes = {character: byte for byte, character in BYTE_CHARACTERS.items()}
        self.special = {token: self.vocab[token] for token in SPECIAL_TOKENS}
        self.size = len(self.vocab)
        self._cache = {}

    def encode_word(self, word):
        if word not in self._cache:
            symbols = to_symbols(word)
            while len(symbols) > 1:
                pairs = list(zip(symbols, symbols[1:]))
                best = min(pairs, key=lambda pair: self.ranks.get(pair, len(self.ranks)))
                if best not in self.ranks:
                    break
                symbols = merge_pair(symbols, best)
            self._cache[word] = [self.vocab[symbol] for symbol in symbols]
        return self._cache[word]

    def encode(self, text):
        """Token ids; special tokens are recognised wherever they stand."""
        ids = []
        for part in re.split("(" + "|".join(map(re.escape, SPECIAL_TOKENS)) + ")", text):
            if part in self.special:
                ids.append(self.special[part])
            else:
                for word in SPLIT.findall(part):
                    ids += self.encode_word(word)
        return ids

    def decode(self, ids):
        """Text without the special tokens."""
        symbols = "".join(self.tokens[index] for index in ids if self.tokens[index] not in self.special)
        return bytes(self.bytes[symbol] for symbol in symbols).decode("utf8", "replace")
