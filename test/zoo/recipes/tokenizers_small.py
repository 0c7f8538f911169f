"""Small tokenizers of the real kinds, trained on sentences that this file makes up."""

import json
import random

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

QWEN_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
NOUNS = "cat dog boat tree river house lamp window garden bridge road hill cloud bird picture colour circle square line".split()
ADJECTIVES = "red green blue yellow small large old new bright dark round narrow wide left right upper lower first".split()
VERBS = "shows holds follows crosses touches covers points watches leaves meets opens stands lies".split()
ASKS = (
    "What is in this picture? | How many shapes are there? | Describe the image in detail. | Which colour is the left one? | "
    "Is there a cat? | Where is the small circle? | Compare the two images. | Read the text. | Say it in one word."
).split(" | ")
ROLES = "USER ASSISTANT INST user assistant system Question Answer".split()
MARK = "\u2581"


def corpus(count=8000):
    rng = random.Random(7)

    def noun():
        return f"{rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}" if rng.random() < 0.5 else rng.choice(NOUNS)

    for _ in range(count):
        kind = rng.random()
        if kind < 0.6:
            yield f"The {noun()} {rng.choice(VERBS)} the {noun()} near a {noun()}, and {rng.choice(NOUNS)}s are {rng.choice(ADJECTIVES)}."
        elif kind < 0.8:
            yield rng.choice(ASKS)
        elif kind < 0.9:
            yield f"{rng.choice(ROLES)}: {rng.randint(0, 9999)} {rng.choice(NOUNS)}s; it's {rng.randint(0, 99)}.{rng.randint(0, 9)}"
        else:
            yield f'{rng.choice(ROLES)}\n{{"{rng.choice(NOUNS)}": [{rng.randint(0, 9)}]}} <{rng.choice(NOUNS)}> ({rng.choice(ADJECTIVES)})'


def _byte_fallback(vocab_size, first, unknown, prepend):
    """SentencePiece's kind: spaces become U+2581, unknown characters become <0xNN> tokens."""
    tok = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token=unknown))
    tok.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always" if prepend else "never")
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=first + [f"<0x{i:02X}>" for i in range(256)],
        initial_alphabet=[chr(i) for i in range(33, 127)],
        show_progress=False,
    )
    tok.train_from_iterator(corpus(), trainer)
    data = json.loads(tok.to_str())
    data["added_tokens"] = data["added_tokens"][: len(first)]  # byte tokens are plain vocabulary
    tok = Tokenizer.from_str(json.dumps(data))
    spaces = normalizers.Replace(" ", MARK)
    tok.normalizer = normalizers.Sequence([normalizers.Prepend(MARK), spaces]) if prepend else spaces
    tok.pre_tokenizer = None
    parts = [decoders.Replace(MARK, " "), decoders.ByteFallback(), decoders.Fuse()]
    tok.decoder = decoders.Sequence(parts + ([decoders.Strip(" ", 1, 0)] if prepend else []))
    return tok


def _begin_with(tok, begin):
    tok.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A", pair=f"{begin} $A {begin} $B", special_tokens=[(begin, tok.token_to_id(begin))]
    )


def llama_bpe(vocab_size, added=()):
    tok = _byte_fallback(vocab_size, ["<unk>", "<s>", "</s>"], "<unk>", prepend=True)
    tok.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in added])
    _begin_with(tok, "<s>")
    return tok


def gemma_bpe(vocab_size, added=()):
    tok = _byte_fallback(vocab_size, ["<pad>", "<eos>", "<bos>", "<unk>"], "<unk>", prepend=False)
    tok.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in added])
    _begin_with(tok, "<bos>")
    return tok


def byte_level_bpe(vocab_size, added=(), split=QWEN_SPLIT):
    tok = Tokenizer(models.BPE())
    tok.normalizer = normalizers.NFC()
    tok.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(split), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, show_progress=False, initial_alphabet=alphabet)
    tok.train_from_iterator(corpus(), trainer)
    tok.decoder = decoders.ByteLevel()
    tok.post_processor = processors.ByteLevel(trim_offsets=False)
    tok.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in added])
    return tok
