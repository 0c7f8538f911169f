"""Answers of the Rust `tokenizers` for a corpus.

oracle.py TOKENIZER_JSON CORPUS_JSON OUT_JSONL: the corpus is a JSON list of texts; each line of the answer holds ids, offsets
(in code points), the text decoded with and without special tokens, and the ids without the post-processor.
"""
import json
import sys

from tokenizers import Tokenizer

tokenizer = Tokenizer.from_file(sys.argv[1])
with open(sys.argv[3], "w") as out:
    for text in json.load(open(sys.argv[2])):
        # json gives lone surrogates as such; UTF-8 has none, so they are U+FFFD as for every caller of Rust.
        text = "".join("\ufffd" if 0xD800 <= ord(c) <= 0xDFFF else c for c in text)
        encoding = tokenizer.encode(text)
        answer = {
            "ids": encoding.ids,
            "offsets": [n for pair in encoding.offsets for n in pair],
            "decoded": tokenizer.decode(encoding.ids, skip_special_tokens=False),
            "skipped": tokenizer.decode(encoding.ids, skip_special_tokens=True),
            "plain": tokenizer.encode(text, add_special_tokens=False).ids,
        }
        out.write(json.dumps(answer) + "\n")
