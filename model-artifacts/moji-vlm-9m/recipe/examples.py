"""24 example pictures with the answers of the float32 graphs fed by Pillow.

The first scene of each task in turn, never chosen by the answer; some are not square, some are JPEG or WebP. Only the
training sets are used (CC BY, MIT and Apache pictures).
usage: python3 examples.py DATA_DIR MODEL_DIR OUT_DIR [SEED]
"""

import json
import os
import sys

import numpy as np
import onnxruntime
from PIL import Image

from dimensions import IMAGE_SIZE
from icons import TRAIN, Icons
from questions import TASKS, ask
from scene import make_scene
from scoring import is_correct
from tokenizer import ASSISTANT_TURN, IM_START, IMAGE, Tokenizer

COUNT, SEED = 24, 20261124
MAX_NEW_TOKENS = 64
FIXED_PLACE_TASKS = ("box", "at", "where")  # their answers would change if the picture were made wider
WIDER = 336  # pixels, before the padding
SAVE_OPTIONS = {"png": {}, "jpg": {"quality": 92}, "webp": {"lossless": True}}
GRAPHS = ("vision_encoder", "embed_tokens", "decoder_model_merged")


class Reference:
    """The exported float32 graphs, one picture and one question at a time, greedy."""

    def __init__(self, model_dir):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        self.vision, self.embed, self.decoder = (
            onnxruntime.InferenceSession(f"{model_dir}/onnx/{name}.onnx", options) for name in GRAPHS
        )
        self.tokenizer = Tokenizer(f"{model_dir}/tokenizer.json")
        with open(f"{model_dir}/generation_config.json") as file:
            self.eos = json.load(file)["eos_token_id"]
        self.past_inputs = [entry for entry in self.decoder.get_inputs() if entry.name.startswith("past")]

    def image_features(self, path):
        """[16, TEXT_WIDTH] of a picture file, squeezed to the square by Pillow's bicubic filter."""
        image = Image.open(path).convert("RGB")
        if image.size != (IMAGE_SIZE, IMAGE_SIZE):
            image = image.resize((IMAGE_SIZE, IMAGE_SIZE), Image.BICUBIC)
        pixels = (np.asarray(image).astype(np.float32) / 255 - 0.5) / 0.5
        return self.vision.run(None, {"pixel_values": pixels.transpose(2, 0, 1)[None]})[0][0]

    def answer(self, path, question):
        features = self.image_features(path)
        tokenizer = self.tokenizer
        image_id = tokenizer.special[IMAGE]
        ids = [tokenizer.special[IM_START]] + tokenizer.encode("user\n") + [image_id] * len(features)
        ids += tokenizer.encode(question) + tokenizer.encode(ASSISTANT_TURN)
        embedded = self.embed.run(None, {"input_ids": np.array([ids])})[0]
        embedded[0, np.array(ids) == image_id] = features
        past = {
            entry.name: np.zeros((1, entry.shape[1], 0, entry.shape[3]), np.float32) for entry in self.past_inputs
        }
        generated, length = [], 0
        for _ in range(MAX_NEW_TOKENS):
            new_tokens = embedded.shape[1]
            feeds = {
                "inputs_embeds": embedded,
                "attention_mask": np.ones((1, length + new_tokens), np.int64),
                "position_ids": np.arange(length, length + new_tokens)[None],
            }
            logits, *present = self.decoder.run(None, {**feeds, **past})
            length += new_tokens
            token = int(logits[0, -1].argmax())
            if token == self.eos:
                break
            generated.append(token)
            past = {entry.name: tensor for entry, tensor in zip(self.past_inputs, present)}
            embedded = self.embed.run(None, {"input_ids": np.array([[token]])})[0]
        return tokenizer.decode(generated)


def next_scene(rng, icons, task):
    """The first scene, from here on, that allows the task: picture, question, true answer."""
    while True:
        image, scene = make_scene(rng, icons, TRAIN, line_art=0.0)
        pair = ask(rng, scene, task) if scene.objects else None
        if pair and pair[1]:
            return Image.fromarray(image), *pair


def widen(image, index):
    """Scales up, and pads with the rim's colours: to the sides, or above and below."""
    pixels = np.asarray(image.resize((WIDER, WIDER), Image.BICUBIC))
    padding = ((0, 0), (40, 40), (0, 0)) if index % 2 else ((30, 30), (0, 0), (0, 0))
    return Image.fromarray(np.pad(pixels, padding, mode="edge"))


def example_pictures(rng, icons):
    """(index, task, format, picture, question, true answer) of each example."""
    tasks = list(TASKS)
    for index in range(COUNT):
        task = tasks[index % len(tasks)]
        image, question, gold = next_scene(rng, icons, task)
        file_format = "png"
        if index % 3 == 2 and task not in FIXED_PLACE_TASKS:
            file_format = ("jpg", "png", "webp")[index // 3 % 3]
            image = widen(image, index)
        yield index, task, file_format, image, question, gold


def main(data_dir, model_dir, out_dir, seed=SEED):
    os.makedirs(out_dir, exist_ok=True)
    reference = Reference(model_dir)
    rng = np.random.default_rng(int(seed))
    examples = []
    for index, task, file_format, image, question, gold in example_pictures(rng, Icons(data_dir)):
        name = f"{index:02d}_{task}.{file_format}"
        image.save(f"{out_dir}/{name}", **SAVE_OPTIONS[file_format])
        answer = reference.answer(f"{out_dir}/{name}", question)
        examples.append(
            {
                "image": name,
                "size": list(image.size),
                "task": task,
                "question": question,
                "gold": gold,
                "answer": answer,
                "correct": is_correct(task, gold, answer),
            }
        )
    with open(f"{out_dir}/examples.json", "w") as file:
        json.dump(examples, file, indent=1, ensure_ascii=False)
    print(sum(example["correct"] for example in examples), "of", COUNT, "correct")


if __name__ == "__main__":
    main(*sys.argv[1:])
