"""Writes golden.json here: small tokenizers and what the Rust `tokenizers` answers for hard texts.

generate.py FOLDER...: folders that test/tokenizer/train.py wrote. Offsets are in UTF-16 code units, as the tests count.
"""
import json
import os
import sys

from tokenizers import Tokenizer

TEXTS = [
    "",
    "  Hello, world! It's JOHN'S; we'll see.\n\n\tx",
    "中文 日本語 한국어 مرحبا हिंदी ไทย",
    "e\u0301 \u212b ﬁ ＡＢＣ ½ ①",
    "👩‍👩‍👧 🏳️‍🌈 ❤️ \u0000\u200b\ufeff",
    "the of camelCase x86_64 1234567 <mask> </s> [SEP] <|endoftext|>",
    "a" * 120,
    "\u0301\u0327start  end   ",
]


def utf16(text):
    places = [0]
    for character in text:
        places.append(places[-1] + (2 if ord(character) > 0xFFFF else 1))
    return places


cases = {}
for folder in sys.argv[1:]:
    path = os.path.join(folder, "tokenizer.json")
    tokenizer = Tokenizer.from_file(path)
    answers = []
    for text in TEXTS:
        encoding, places = tokenizer.encode(text), utf16(text)
        answers.append({
            "text": text,
            "ids": encoding.ids,
            "offsets": [places[n] for pair in encoding.offsets for n in pair],
            "decoded": tokenizer.decode(encoding.ids, skip_special_tokens=False),
        })
    cases[os.path.basename(folder)] = {"tokenizer": json.load(open(path)), "answers": answers}
json.dump(cases, open(os.path.join(os.path.dirname(__file__), "golden.json"), "w"), ensure_ascii=True, separators=(",", ":"))
