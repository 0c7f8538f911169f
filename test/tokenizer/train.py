"""Trains small tokenizers whose components are not among the real files: train.py FOLDER writes one folder for each.

They come from the Rust package (and SentencePiece for its character map), so its answers are the reference. Needs
`pip install tokenizers sentencepiece`.
"""
import io
import json
import os
import sys

import sentencepiece
from sentencepiece import sentencepiece_model_pb2 as pb
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

TEXT = (open(__file__).read().splitlines() + open(os.path.join(os.path.dirname(__file__), "corpus.ts")).read().splitlines()) * 3
OUT = sys.argv[1]


def save(name, tokenizer):
    folder = os.path.join(OUT, name)
    os.makedirs(folder, exist_ok=True)
    tokenizer.save(os.path.join(folder, "tokenizer.json"))
    json.dump({}, open(os.path.join(folder, "tokenizer_config.json"), "w"))


def wordpiece(name, normalizer, pre):
    t = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    t.normalizer, t.pre_tokenizer = normalizer, pre
    t.train_from_iterator(TEXT, trainers.WordPieceTrainer(vocab_size=900, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]))
    t.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    t.decoder = decoders.WordPiece()
    save(name, t)


wordpiece("bert-cased", normalizers.BertNormalizer(lowercase=False, strip_accents=True), pre_tokenizers.BertPreTokenizer())
wordpiece(
    "whitespace",
    normalizers.Sequence([normalizers.Nmt(), normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase(), normalizers.Strip()]),
    pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), pre_tokenizers.Digits(), pre_tokenizers.Punctuation("merged_with_previous")]),
)

# T5 / XLM-R: SentencePiece's own character map
buffer = io.BytesIO()
sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(TEXT), model_writer=buffer, vocab_size=500, hard_vocab_limit=False, minloglevel=2)
proto = pb.ModelProto.FromString(buffer.getvalue())
vocab = [(p.piece, p.score) for p in proto.pieces]
byte_pieces = [("<0x%02X>" % b, -20.0) for b in range(256)]
for name, scheme, unk_pieces in (("t5", "always", []), ("t5-first", "first", byte_pieces), ("unigram", "first", [])):
    t = Tokenizer(models.Unigram(vocab + unk_pieces, 0, byte_fallback=bool(unk_pieces)))
    # The map alone has 240 kB: "unigram" goes without, so that it can be a golden file.
    first = normalizers.NFKC() if name == "unigram" else normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap)
    t.normalizer = normalizers.Sequence([first, normalizers.Replace(Regex(" {2,}"), " ")])
    split = [pre_tokenizers.WhitespaceSplit()] if scheme == "always" else []
    t.pre_tokenizer = pre_tokenizers.Sequence([*split, pre_tokenizers.Metaspace(prepend_scheme=scheme)])
    t.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 2)])
    t.decoder = decoders.Metaspace(prepend_scheme=scheme)
    t.add_special_tokens(["<unk>", "<s>", "</s>", AddedToken("<mask>", lstrip=True), AddedToken("the", single_word=True, normalized=True)])
    save(name, t)

# RoBERTa: a prefix space, offsets without white space, truncation and padding
t = Tokenizer(models.BPE())
t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
t.train_from_iterator(TEXT, trainers.BpeTrainer(vocab_size=700, special_tokens=["<s>", "</s>", "<pad>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
t.post_processor = processors.RobertaProcessing(("</s>", 1), ("<s>", 0), trim_offsets=True, add_prefix_space=True)
t.decoder = decoders.ByteLevel()
t.enable_truncation(60, direction="left")
t.enable_padding(direction="left", pad_id=2, pad_token="<pad>", pad_to_multiple_of=8)
t.add_special_tokens([AddedToken("<mask>", lstrip=True, rstrip=True)])
t.add_tokens([AddedToken("Camel", normalized=True), AddedToken("of", single_word=True)])
save("roberta", t)

# CLIP: a suffix at the end of words, lower case, a pattern that has no scanner
t = Tokenizer(models.BPE(unk_token="<|endoftext|>", end_of_word_suffix="</w>", fuse_unk=False))
t.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
pattern = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "removed", invert=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
t.train_from_iterator(TEXT, trainers.BpeTrainer(vocab_size=800, special_tokens=["<|startoftext|>", "<|endoftext|>"], end_of_word_suffix="</w>"))
t.decoder = decoders.BPEDecoder()
save("clip", t)

# Characters, unknown ones fused, every behavior of Split. Strip has no stop: upstream panics on an empty token with one.
for behavior in ("removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"):
    t = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
    t.normalizer = normalizers.NFKC()
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(r"(?i:th|[aeiou])+?|\s{1,2}|\d+(?!\w)"), behavior), pre_tokenizers.Split("e", behavior, invert=True)])
    t.train_from_iterator(TEXT, trainers.BpeTrainer(vocab_size=500, special_tokens=["<unk>"], limit_alphabet=60))
    t.decoder = decoders.Sequence([decoders.Replace("a", "aa"), decoders.Strip("t", 1, 0), decoders.Fuse(), decoders.Strip(" ", 2, 0)])
    save(f"split-{behavior}", t)

t = Tokenizer(models.WordLevel({"<unk>": 0, "the": 1, "of": 2, "a": 3, " ": 4}, unk_token="<unk>"))
t.pre_tokenizer = pre_tokenizers.CharDelimiterSplit(" ")
save("wordlevel", t)
