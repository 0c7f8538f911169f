"""Writes examples.json: what Pillow and SiglipImageProcessorPil make of the built-in model's example pictures (PNG, JPEG,
WebP), and what Pillow's resize makes of a picture of 6 MP.

Run: python test/golden/pixels/examples.py
"""

import hashlib
import json
import pathlib

import numpy as np
from PIL import Image
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

HERE = pathlib.Path(__file__).parent
MODEL = HERE / "../../../model-artifacts/moji-vlm-9m"
config = json.loads((MODEL / "preprocessor_config.json").read_text())
processor = SiglipImageProcessorPil(**{k: v for k, v in config.items() if k not in ("image_processor_type", "processor_class")})


def sha256(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


examples = []
for file in sorted((MODEL / "examples").iterdir()):
    if file.suffix in (".png", ".jpg", ".webp"):
        image = Image.open(file)
        values = processor([image], return_tensors="np")["pixel_values"].astype(np.float32)
        examples.append({"file": file.name, "rgb": sha256(np.array(image.convert("RGB"))), "pixel_values": sha256(values)})

width, height = 2725, 2225
y, x, c = np.mgrid[0:height, 0:width, 0:3]
large = Image.fromarray(((x * 7 + y * 13 + c * 61 + (x * y) % 31 * 5) % 256).astype(np.uint8))
resized = []
for to, resample, box in [((224, 224), 3, None), ((980, 735), 1, None), ((336, 336), 2, (10.5, 3.25, 2700.75, 2200)), ((2600, 90), 3, None)]:
    resized.append({"width": to[0], "height": to[1], "resample": resample, "box": box, "sha256": sha256(np.array(large.resize(to, resample, box=box)))})

rows = ",\n".join(json.dumps(row) for row in examples)
large_rows = ",\n".join(json.dumps(row) for row in resized)
(HERE / "examples.json").write_text(f'{{"examples": [\n{rows}\n], "large": [\n{large_rows}\n]}}\n')
print(len(examples), len(resized))
