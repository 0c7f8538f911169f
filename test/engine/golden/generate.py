"""Writes moji-examples.json: for each example of the built-in model the prompt's ids, the projected features and the ids of
the recorded answer, made by the float32 vision encoder fed by Pillow and by the reference tokenizer.

usage: generate.py MODEL_FOLDER   (model-artifacts/moji-vlm-9m; needs numpy, pillow, onnxruntime, tokenizers)
"""
import base64, json, sys
from pathlib import Path
import numpy as np, onnxruntime as ort
from PIL import Image
from tokenizers import Tokenizer

folder = Path(sys.argv[1])
tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
encoder = ort.InferenceSession(str(folder / "onnx/vision_encoder.onnx"), providers=["CPUExecutionProvider"])
examples = []
for example in json.loads((folder / "examples/examples.json").read_text()):
    image = Image.open(folder / "examples" / example["image"]).convert("RGB").resize((224, 224), Image.BICUBIC)
    pixels = (np.asarray(image, np.float32) / 255 - 0.5) / 0.5
    features = encoder.run(None, {"pixel_values": pixels.transpose(2, 0, 1)[None]})[0][0].astype(np.float16)
    prompt = "<|im_start|>user\n" + "<image>" * 16 + example["question"] + "<|im_end|>\n<|im_start|>assistant\n"
    examples.append({
        "image": example["image"],
        "prompt_token_ids": tokenizer.encode(prompt, add_special_tokens=False).ids,
        "image_features": base64.b64encode(features.tobytes()).decode(),
        "answer_token_ids": tokenizer.encode(example["answer"], add_special_tokens=False).ids,
    })
out = Path(__file__).with_name("moji-examples.json")
out.write_text("[\n" + ",\n".join(json.dumps(e) for e in examples) + "\n]\n")
print(out, out.stat().st_size)
