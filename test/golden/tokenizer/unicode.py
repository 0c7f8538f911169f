"""Writes shared/tokenizer/unicode/*.data.ts from what the Rust `tokenizers` answers for every code point.

Run in the root of the repository: python test/golden/tokenizer/unicode.py (needs `pip install tokenizers`, and node for the
last set). Three Unicode versions live in that package: Oniguruma's (the `Regex` of Split and Replace), that of Rust's standard
library and regex crate (Digits, Whitespace), and an old one of its normalization crates. All are asked, nothing is taken from
Python's own tables.
"""
import base64
import json
import subprocess

from tokenizers import Regex, normalizers
from tokenizers.pre_tokenizers import Digits, Punctuation, Split, Whitespace

CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
EVERYTHING = "".join(map(chr, CODE_POINTS))
# In the order of CATEGORY_NAMES in shared/tokenizer/unicode/categories.ts
CATEGORIES = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Cs Co Cn".split()


def matches(pattern):
    for _, (start, end) in Split(Regex(pattern), "removed", invert=True).pre_tokenize_str(EVERYTHING):
        for i in range(start, end):
            yield CODE_POINTS[i]


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def literal(data, indent):
    text = base64.b64encode(data).decode()
    return " +\n".join(f'{indent}"{text[i:i + 110]}"' for i in range(0, len(text), 110))


def category_runs():
    category = [CATEGORIES.index("Cn")] * 0x110000
    category[0xD800:0xE000] = [CATEGORIES.index("Cs")] * 0x800
    for index, name in enumerate(CATEGORIES):
        if name not in ("Cs", "Cn"):
            for c in matches(r"\p{%s}+" % name):
                category[c] = index
    out, i = bytearray(), 0
    while i < 0x110000:
        j = i
        while j < 0x110000 and category[j] == category[i]:
            j += 1
        out.append(category[i])
        out += varint(j - i)
        i = j
    return bytes(out)


def ranges(code_points):
    out = []
    for c in sorted(set(code_points)):
        if out and out[-1] == c - 1:
            out[-1] = c
        else:
            out += [c, c]
    data, last = bytearray(), 0
    for value in out:
        data += varint(value - last)
        last = value
    return bytes(data)


# Characters whose decomposition or combining class the old crate does not know; node says what the new one is.
NEWER = r"""
const { forms, moving } = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const known = new Set(moving);
const newer = new Set();
for (let c = 0; c < 0x110000; c++) {
  if (c >= 0xd800 && c < 0xe000) continue;
  const s = String.fromCodePoint(c);
  for (const form of ["NFD", "NFKD"]) {
    const v = s.normalize(form);
    if (v === (forms[form][c] ?? s)) continue;
    newer.add(c);
    if (form === "NFD") newer.add(v.codePointAt(0));
  }
  if (c !== 0x345 && (("\u0345" + s).normalize("NFD") === s.normalize("NFD") + "\u0345") !== known.has(c)) newer.add(c);
}
process.stdout.write(JSON.stringify([...newer]));
"""


def newer_than_normalization():
    nfd, nfkd = normalizers.NFD().normalize_str, normalizers.NFKD().normalize_str
    forms = {
        name: {c: f(chr(c)) for c in CODE_POINTS if f(chr(c)) != chr(c)} for name, f in (("NFD", nfd), ("NFKD", nfkd))
    }
    moving = [c for c in CODE_POINTS if c != 0x345 and nfd("\u0345" + chr(c)) == nfd(chr(c)) + "\u0345"]
    answer = subprocess.run(["node", "-e", NEWER], input=json.dumps({"forms": forms, "moving": moving}), capture_output=True, text=True, check=True)
    return json.loads(answer.stdout)


def alone(pre_tokenizer, parts):
    """Characters that cut `a?a` into so many parts."""
    return [c for c in CODE_POINTS if len(pre_tokenizer.pre_tokenize_str("a" + chr(c) + "a")) == parts]


def removed(normalizer):
    return [c for c in CODE_POINTS if normalizer.normalize_str("a" + chr(c) + "a") == "aa"]


def bert(**on):
    off = {"clean_text": False, "handle_chinese_chars": False, "strip_accents": False, "lowercase": False}
    return normalizers.BertNormalizer(**{**off, **on})


CLASSES = {
    "numeric": lambda: alone(Digits(individual_digits=True), 3),
    "word": lambda: alone(Whitespace(), 1),
    "punctuation": lambda: alone(Punctuation(), 3),
    "mark": lambda: removed(normalizers.StripAccents()),
    "nonspacing": lambda: removed(bert(strip_accents=True)),
    "control": lambda: removed(bert(clean_text=True)),
    "newerThanNormalization": newer_than_normalization,
}

with open("shared/tokenizer/unicode/categories.data.ts", "w") as out:
    out.write(f"""/**
 * General category of every code point, as the regular expressions of the Rust `tokenizers` see it (Oniguruma, Unicode 16).
 * Runs of (category index, length as LEB128), in base64. Written by test/golden/tokenizer/unicode.py; do not edit.
 */
export const CATEGORY_RUNS =
{literal(category_runs(), "  ")};
""")
with open("shared/tokenizer/unicode/rust-classes.data.ts", "w") as out:
    out.write("""/**
 * Character sets that the Rust `tokenizers` asks its standard library, its regex crate and its normalization crate for; each
 * has a Unicode version of its own, and none is this engine's. Ranges as differences in LEB128, in base64. Written by
 * test/golden/tokenizer/unicode.py from the answers of the package itself; do not edit.
 */
export const RUST_CLASSES = {
""")
    for name, members in CLASSES.items():
        out.write(f"  {name}:\n{literal(ranges(members()), '    ')},\n")
    out.write("} as const;\n")
