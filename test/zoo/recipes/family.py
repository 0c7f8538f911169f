"""From a small configuration of a `transformers` class to a model folder and what that class answers."""

import argparse
import hashlib
import json
import os
import pathlib
import shutil
import warnings

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
warnings.filterwarnings("ignore")

import numpy as np
import onnxruntime
import torch
import transformers
from PIL import Image
from transformers import AutoImageProcessor, AutoProcessor, PreTrainedTokenizerFast

import pictures
from questions import chats, pictures_of
from runner import NEW_TOKENS, Runner

torch.set_num_threads(1)


class Family:
    """Subclasses say what is special; `main` does the rest: python FAMILY.py ZOO_FOLDER [--seeds 10]"""

    name = "?"
    seed = 1
    first_position = 0

    # What a family must give

    def make(self):
        """-> (model, processor); sets `image_token` and `eos` (a list of ids)"""
        raise NotImplementedError

    def write_onnx(self, folder):
        raise NotImplementedError

    # What it may change

    def chats(self, names):
        return chats(names)

    def prompt(self, messages):
        return self.processor.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)

    def process(self, prompt, images):
        return self.processor(text=[prompt], images=[images] if images else None, return_tensors="pt")

    def torch_features(self, inputs):
        """Rows that replace the image tokens, [N,H]."""
        return self.model.get_image_features(inputs["pixel_values"]).pooler_output.flatten(0, 1)

    def onnx_features(self, runner, inputs):
        rows = runner.features({key: inputs[key].numpy() for key in inputs})
        return rows.reshape(-1, rows.shape[-1])

    def positions(self, inputs):
        return self.first_position + np.arange(inputs["input_ids"].shape[1])

    def generate(self, inputs):
        return greedy(self.model, inputs)

    def write_template(self, folder):
        (folder / "chat_template.jinja").write_text(self.processor.chat_template)

    def extras(self, inputs):
        """More members of a request in `reference.json`."""
        return {}

    def finish(self, folder):
        """More files."""

    # The whole way

    def main(self):
        parser = argparse.ArgumentParser()
        parser.add_argument("zoo", type=pathlib.Path)
        parser.add_argument("--seeds", type=int, default=0, help="try as many seeds and print how decisive each is")
        arguments = parser.parse_args()
        self.zoo = arguments.zoo
        if arguments.seeds == 0:
            return self.build()
        for self.seed in range(1, arguments.seeds + 1):
            self.model, self.processor = self.make()
            print(self.seed, json.dumps(judge(self.answers())))

    @torch.no_grad()
    def build(self):
        folder = self.zoo / self.name
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "onnx").mkdir(parents=True)
        self.model, self.processor = self.make()
        self.save(folder)
        self.write_onnx(folder)
        answers = self.answers()
        self.check_files(folder, answers)
        runner = Runner(folder, self.eos)
        entries, worst = [], 0.0
        for chat, names, prompt, inputs, ids, margins in answers:
            entry = {"name": chat["name"], "messages": chat["messages"], "images": names, "prompt": prompt}
            entry["input_ids"] = inputs["input_ids"][0].tolist()
            features = None
            if names:
                entry["pixel_values"] = digest(inputs["pixel_values"])
                for key in ("image_grid_thw", "image_sizes"):
                    if key in inputs:
                        entry[key] = inputs[key].tolist()
                wanted = self.torch_features(inputs).numpy()
                features = self.onnx_features(runner, inputs)
                assert wanted.shape == features.shape, (wanted.shape, features.shape)
                worst = max(worst, float(np.abs(wanted - features).max() / np.abs(wanted).max()))
                entry["image_features"] = {"shape": list(wanted.shape)}
            got = runner.run(entry["input_ids"], features, self.image_token, self.positions(inputs))
            assert got == ids, (chat["name"], ids, got)
            # The end token is no text, even where it is an ordinary one
            said = ids[:-1] if ids[-1] in self.eos else ids
            text = self.processor.tokenizer.decode(said, skip_special_tokens=True)
            entries.append({**entry, **self.extras(inputs), "output_ids": ids, "text": text})
        about = {
            "class": type(self.model).__name__,
            "image_processor": type(self.processor.image_processor).__name__,
            "transformers": transformers.__version__,
            "torch": torch.__version__.split("+")[0],
            "onnxruntime": onnxruntime.__version__,
            "pillow": Image.__version__,
            "decoding": f"greedy, {NEW_TOKENS} new tokens, fp32, one thread",
            "seed": self.seed,
            "image_token_id": self.image_token,
            "eos_token_id": sorted(self.eos),
            **judge(answers),
        }
        write_reference(folder / "reference.json", about, entries)
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        print(f"{self.name}: {size / 1e6:.2f} MB, features differ by {worst:.1e}", json.dumps(judge(answers)))

    def answers(self):
        """Of each chat: chat, names of its pictures, prompt, processor's outputs, new ids, gaps of the two best logits."""
        rows = []
        for chat in self.chats([name for name, _ in pictures.pictures()]):
            names = pictures_of(chat["messages"])
            prompt = self.prompt(chat["messages"])
            inputs = self.process(prompt, self.open(names))
            rows.append((chat, names, prompt, inputs, *self.generate(inputs)))
        return rows

    def open(self, names):
        return [Image.open(self.zoo / "images" / name) for name in names]

    def check_files(self, folder, answers):
        """The files alone give the same prompts, ids and pixels."""
        kept, self.processor = self.processor, AutoProcessor.from_pretrained(folder)
        self.processor.image_processor = AutoImageProcessor.from_pretrained(folder, backend="pil")
        assert type(self.processor) is type(kept), type(self.processor)
        for chat, names, prompt, inputs, *_ in answers:
            assert self.prompt(chat["messages"]) == prompt, chat["name"]
            again = self.process(prompt, self.open(names))
            assert again.keys() == inputs.keys(), (again.keys(), inputs.keys())
            for key in inputs:
                assert torch.equal(torch.as_tensor(again[key]), torch.as_tensor(inputs[key])), (chat["name"], key)
        self.processor = kept

    def save(self, folder):
        """The configuration files as repositories of the hub have them."""
        config = json.loads(self.model.config.to_json_string())
        write_json(folder / "config.json", {"architectures": [type(self.model).__name__], "dtype": "float32", **config})
        generation = self.model.generation_config.to_dict()
        ids = {key: generation[key] for key in ("bos_token_id", "eos_token_id", "pad_token_id") if generation.get(key)}
        write_json(folder / "generation_config.json", {"_from_model_config": True, **ids, "do_sample": False})
        saved = folder / "saved"
        self.processor.save_pretrained(saved)
        self.processor.image_processor.save_pretrained(saved / "image")
        image = {k: v for k, v in read_json(saved / "image/preprocessor_config.json").items() if v is not None}
        image["image_processor_type"] = image["image_processor_type"].removesuffix("Pil")
        image["processor_class"] = type(self.processor).__name__
        write_json(folder / "preprocessor_config.json", image)
        processor = read_json(saved / "processor_config.json")
        rest = {k: v for k, v in processor.items() if k not in ("image_processor", "video_processor")}
        write_json(folder / "processor_config.json", rest)
        shutil.copy(saved / "tokenizer.json", folder)
        tokenizer = read_json(saved / "tokenizer_config.json")
        for key in ("backend", "processor_class", "is_local", "local_files_only"):
            tokenizer.pop(key, None)
        added = read_json(folder / "tokenizer.json")["added_tokens"]
        decoder = {str(t["id"]): {k: v for k, v in t.items() if k != "id"} for t in added}
        tokenizer |= {"tokenizer_class": "PreTrainedTokenizerFast", "added_tokens_decoder": decoder}
        write_json(folder / "tokenizer_config.json", tokenizer)
        special = ("bos_token", "eos_token", "pad_token", "unk_token")
        write_json(folder / "special_tokens_map.json", {k: tokenizer[k] for k in special if tokenizer.get(k)})
        self.write_template(folder)
        self.finish(folder)
        shutil.rmtree(saved)


def tokenizer_from(tok, **specials):
    return PreTrainedTokenizerFast(
        tokenizer_object=tok, model_max_length=4096, padding_side="left", clean_up_tokenization_spaces=False, **specials
    )


def greedy(model, inputs):
    """New ids by `model.generate`, and the gap between the two best logits of every step."""
    with torch.no_grad():
        out = model.generate(
            **inputs, max_new_tokens=NEW_TOKENS, do_sample=False, return_dict_in_generate=True, output_logits=True
        )
    logits = torch.stack(out.logits, 1)[0].float()
    best = logits.topk(2).values
    return out.sequences[0, -logits.shape[0] :].tolist(), (best[:, 0] - best[:, 1]).tolist()


def judge(answers):
    """How decisive a random model is: a wrong pixel, id, position or mask must show as other tokens."""
    seen = [tuple(ids) for _, names, _, _, ids, _ in answers if names]
    varied = np.mean([len(set(ids)) / len(ids) for *_, ids, _ in answers])
    return {
        "different_answers": f"{len(set(seen))} of {len(seen)} with pictures",
        "smallest_gap": float(f"{min(min(margins) for *_, margins in answers):.3g}"),
        "different_tokens": float(f"{varied:.2f}"),
    }


def digest(tensor, dtype=np.float32):
    data = np.ascontiguousarray(np.asarray(tensor), dtype=dtype)
    return {"shape": list(data.shape), "sha256": hashlib.sha256(data.tobytes()).hexdigest()}


def read_json(path):
    return json.loads(path.read_text())


def write_json(path, data):
    path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n")


def write_reference(path, about, entries):
    """One member of a request a line."""

    def line(value):
        return json.dumps(value, ensure_ascii=False)

    blocks = ["    {\n" + ",\n".join(f"      {line(k)}: {line(v)}" for k, v in e.items()) + "\n    }" for e in entries]
    head = json.dumps(about, indent=2, ensure_ascii=False).replace("\n", "\n  ")
    path.write_text(f'{{\n  "about": {head},\n  "requests": [\n' + ",\n".join(blocks) + "\n  ]\n}\n")
