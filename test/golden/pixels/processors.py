"""Writes processors.json: sha256 and shape of pixel_values by the `*Pil` image processors of transformers.

Run: python test/golden/pixels/processors.py   (needs transformers and Pillow, no PyTorch)
Pictures are those of decode.json, by name, with the RGB that stands there, and a few drawn here whose shapes are extreme
(their RGB is a formula that the test has too). Each picture is processed alone, as one request.
"""

import base64
import hashlib
import importlib
import json
import pathlib
import zlib

import numpy as np
import PIL
import transformers
from PIL import Image

HERE = pathlib.Path(__file__).parent
NAMES = ["png-rgb", "png-palette", "png-rgba", "png-grey-1bit", "png-16bit-grey", "png-16bit-rgb", "png-la", "jpeg-420",
         "jpeg-cmyk", "jpeg-exif-6", "jpeg-grey", "webp-lossy-alpha", "gif-transparent"]
SHAPES = [(2, 2), (3, 2), (640, 9), (11, 500), (300, 224), (224, 224), (97, 331)]

CONFIGS = [
    ("clip", "CLIPImageProcessor", {}),
    ("clip", "CLIPImageProcessor", {"size": 96, "crop_size": 112}),
    ("clip", "CLIPImageProcessor", {"size": {"shortest_edge": 40, "longest_edge": 60}, "crop_size": {"height": 33, "width": 51}}),
    ("clip", "CLIPImageProcessor", {"do_resize": False, "do_center_crop": False, "do_rescale": False}),
    ("siglip", "SiglipImageProcessor", {}),
    ("siglip", "SiglipImageProcessor", {"size": {"height": 56, "width": 70}, "resample": 0}),
    ("siglip", "SiglipImageProcessor", {"size": {"height": 56, "width": 70}, "resample": 5, "do_normalize": False}),
    ("vit", "ViTImageProcessor", {}),
    ("vit", "ViTImageProcessor", {"size": {"height": 48, "width": 48}, "resample": 4, "rescale_factor": 1 / 127.5, "image_mean": 0.3, "image_std": 0.7}),
    ("blip", "BlipImageProcessor", {}),
    ("llava", "LlavaImageProcessor", {"do_pad": True, "size": {"shortest_edge": 112}, "crop_size": 112}),
    ("llava", "LlavaImageProcessor", {}),
    ("llava_next", "LlavaNextImageProcessor", {"size": {"shortest_edge": 56}, "crop_size": 56, "image_grid_pinpoints": [[56, 112], [112, 56], [112, 112], [168, 56], [56, 168]]}),
    ("llava_next", "LlavaNextImageProcessor", {"size": {"shortest_edge": 336}, "crop_size": 336}),
    ("llava_onevision", "LlavaOnevisionImageProcessor", {"size": {"height": 70, "width": 70}, "image_grid_pinpoints": [[70, 70], [70, 140], [140, 70], [140, 140], [70, 420], [420, 70]]}),
    ("got_ocr2", "GotOcr2ImageProcessor", {}),
    ("got_ocr2", "GotOcr2ImageProcessor", {"size": {"height": 56, "width": 56}, "crop_to_patches": True, "resample": 2}),
    ("got_ocr2", "GotOcr2ImageProcessor", {"size": {"height": 28, "width": 42}, "crop_to_patches": True, "min_patches": 3, "max_patches": 7}),
    ("got_ocr2", "GotOcr2ImageProcessor", {"size": {"height": 56, "width": 56}, "crop_to_patches": True, "min_patches": 5, "max_patches": 4}),
    ("idefics2", "Idefics2ImageProcessor", {"size": {"shortest_edge": 42, "longest_edge": 112}}),
    ("idefics2", "Idefics2ImageProcessor", {"size": {"shortest_edge": 42, "longest_edge": 112}, "do_image_splitting": True}),
    ("idefics3", "Idefics3ImageProcessor", {"size": {"longest_edge": 224}, "max_image_size": {"longest_edge": 56}}),
    ("idefics3", "Idefics3ImageProcessor", {"size": {"longest_edge": 224}, "max_image_size": {"longest_edge": 56}, "do_image_splitting": False}),
    ("smolvlm", "SmolVLMImageProcessor", {"size": {"longest_edge": 256}, "max_image_size": {"longest_edge": 64}}),
    ("qwen2_vl", "Qwen2VLImageProcessor", {}),
    ("qwen2_vl", "Qwen2VLImageProcessor", {"min_pixels": 3136, "max_pixels": 37632}),
    ("qwen2_vl", "Qwen2VLImageProcessor", {"patch_size": 16, "merge_size": 1, "temporal_patch_size": 1, "size": {"shortest_edge": 1024, "longest_edge": 40000}}),
    ("glm4v", "Glm4vImageProcessor", {}),
    ("glm4v", "Glm4vImageProcessor", {"size": {"shortest_edge": 6272, "longest_edge": 75264}}),
]


def pictures():
    cases = {case["name"]: case for case in json.loads((HERE / "decode.json").read_text())}
    for name in NAMES:
        case = cases[name]
        rgb = np.frombuffer(zlib.decompress(base64.b64decode(case["rgb"])), np.uint8)
        yield name, rgb.reshape(case["height"], case["width"], 3)
    for width, height in SHAPES:
        y, x, c = np.mgrid[0:height, 0:width, 0:3]
        yield f"{width}x{height}", ((x * 7 + y * 13 + c * 61 + (x * y) % 31 * 5) % 256).astype(np.uint8)


out = []
for module, name, config in CONFIGS:
    cls = getattr(importlib.import_module(f"transformers.models.{module}.image_processing_pil_{module}"), f"{name}Pil")
    processor = cls(**config)
    results = []
    for picture, rgb in pictures():
        nested = [[Image.fromarray(rgb)]] if "idefics" in module or "smol" in module else [Image.fromarray(rgb)]
        try:
            features = processor(nested, return_tensors="np")
        except ValueError as error:
            results.append({"picture": picture, "error": str(error)[:60]})
            continue
        values = np.ascontiguousarray(features["pixel_values"], dtype=np.float32)
        results.append({"picture": picture, "shape": list(values.shape), "sha256": hashlib.sha256(values.tobytes()).hexdigest()})
    out.append({"config": {"image_processor_type": name, **config}, "results": results})
text = ",\n".join(json.dumps(case) for case in out)
versions = f'"transformers": "{transformers.__version__}", "pillow": "{PIL.__version__}"'
(HERE / "processors.json").write_text(f'{{{versions}, "processors": [\n{text}\n]}}\n')
print(sum(len(case["results"]) for case in out), "results", [r for c in out for r in c["results"] if "error" in r][:4])
