"""Compares what `fovea inspect pixels` wrote for folders of pictures with Pillow, and prints a table of the differences.

Run, with FOLDER holding pictures and OUT what `fovea inspect pixels FOLDER/* --out OUT --json > LINES` wrote:
  python test/golden/pixels/corpora.py FOLDER OUT LINES

Public corpora that were compared: PngSuite (PyPI pypng 0.0.20, Go image/png testdata), Go image testdata (JPEG, GIF), the
test pictures of Pillow 12.0.0 (PyPI source distribution). See corpora.md.
"""

import collections
import io
import json
import pathlib
import sys
import warnings

import numpy as np
from PIL import Image, ImageOps
from safetensors.numpy import load_file

warnings.simplefilter("ignore")
Image.MAX_IMAGE_PIXELS = 20_000_000
warnings.simplefilter("error", Image.DecompressionBombWarning)


def reference(data):
    image = Image.open(io.BytesIO(data))
    if image.mode.startswith("I;16"):
        return np.array(Image.fromarray((np.array(image).astype(np.uint16) >> 8).astype(np.uint8)).convert("RGB"))
    image = ImageOps.exif_transpose(image)
    if "A" in image.getbands() or image.info.get("transparency") is not None:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, (255, 255, 255, 255)), image)
    return np.array(image.convert("RGB"))


def main(folder, out, lines):
    counts = collections.Counter()
    for line in pathlib.Path(lines).read_text().splitlines():
        result = json.loads(line)
        file = pathlib.Path(result["file"])
        try:
            expected = reference(file.read_bytes())
        except Exception as error:
            expected, why = None, f"{type(error).__name__}: {str(error)[:60]}"
        if not result["ok"]:
            counts["refused by both" if expected is None else "refused by us"] += 1
            if expected is not None or result["code"] == "internal_error":
                print(f"refused | {file.name} | {result['code']} | {result['message']} | {None if expected is None else expected.shape}")
            continue
        if expected is None:
            counts["refused by Pillow"] += 1
            print(f"extra | {file.name} | {why}")
            continue
        rgb = load_file(pathlib.Path(out) / f"{file.name}.safetensors")["rgb"]
        if rgb.shape != expected.shape:
            counts["other size"] += 1
            print(f"size | {file.name} | {rgb.shape} | {expected.shape}")
        elif (rgb != expected).any():
            counts["other pixels"] += 1
            delta = np.abs(rgb.astype(int) - expected)
            print(f"pixels | {file.name} | {(delta > 0).mean():.4f} | {delta.max()}")
        else:
            counts["equal"] += 1
    print(folder, dict(counts))


main(*sys.argv[1:])
