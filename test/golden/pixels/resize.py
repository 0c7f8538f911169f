"""Writes resize.json: sha256 of what Pillow's resize makes of noise, for every filter, many scales, with and without box.

Run: python test/golden/pixels/resize.py
The noise is a linear congruential generator that the test runs too: state = state * 1664525 + 1013904223 mod 2^32, each
sample its highest byte, starting from the case's seed.
"""

import hashlib
import json
import pathlib

import numpy as np
import PIL
from PIL import Image

HERE = pathlib.Path(__file__).parent
rng = np.random.default_rng(60)


def noise(width, height, seed):
    out = np.empty(width * height * 3, np.uint8)
    state = seed
    for i in range(out.size):
        state = (state * 1664525 + 1013904223) % 2**32
        out[i] = state >> 24
    return Image.fromarray(out.reshape(height, width, 3))


SIZES = [(2, 2), (3, 7), (9, 7), (31, 17), (64, 64), (97, 13), (5, 120), (120, 90), (301, 4), (33, 200)]
out = []
for width, height in SIZES:
    image = noise(width, height, width * 1000 + height)
    targets = [(width, height * 2), (width * 2, height), (14, 14), (28, 9)]
    targets += [tuple(int(v) for v in rng.integers(1, 90, 2)) for _ in range(4)]
    for n, (to_width, to_height) in enumerate(targets):
        box = None
        if n % 2:
            left, top = float(rng.uniform(0, width / 2)), float(rng.uniform(0, height / 2))
            box = [left, top, float(rng.uniform(left + 0.6, width)), float(rng.uniform(top + 0.6, height))]
        for resample in range(6):
            result = image.resize((to_width, to_height), resample, box=box)
            digest = hashlib.sha256(result.tobytes()).hexdigest()
            out.append([width, height, to_width, to_height, resample, box, digest])
text = ",\n".join(json.dumps(case) for case in out)
(HERE / "resize.json").write_text(f'{{"pillow": "{PIL.__version__}", "cases": [\n{text}\n]}}\n')
print(len(out), "cases")
