"""Writes image_features.safetensors: features of every example picture by the fp32 graph, fed by Pillow.

Per picture one tensor F16 [16, 256], named as the file. Run from the repository's root:
python test/golden/features/make_features.py FLOAT32_VISION_ENCODER_ONNX (needs numpy, pillow, onnxruntime, safetensors)
"""

import json
import pathlib
import sys

import numpy as np
import onnxruntime
from PIL import Image
from safetensors.numpy import save_file

MODEL = pathlib.Path("model-artifacts/moji-vlm-9m")


def pixel_values(path: pathlib.Path) -> np.ndarray:
    """RGB, resized to 224 x 224 by Pillow's bicubic filter, (x / 255 - 0.5) / 0.5: float32 [1, 3, 224, 224]."""
    image = Image.open(path).convert("RGB").resize((224, 224), Image.Resampling.BICUBIC)
    scaled = (np.asarray(image).astype(np.float64) * (1 / 255)).astype(np.float32)
    return ((scaled - np.float32(0.5)) / np.float32(0.5)).transpose(2, 0, 1)[None]


session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
features = {}
for example in json.loads((MODEL / "examples/examples.json").read_text()):
    (image_features,) = session.run(None, {"pixel_values": pixel_values(MODEL / "examples" / example["image"])})
    features[example["image"]] = image_features[0].astype(np.float16)
save_file(features, pathlib.Path(__file__).with_name("image_features.safetensors"))
