"""Fixed, seeded questions: new scenes of the training vendors, the vendor never trained on, and no picture.

usage: python3 evaluate.py DATA_DIR tokenizer.json VLM.pt OUT_DIR [QUESTIONS_PER_SPLIT]
"""

import json
import os
import sys

import numpy as np
import torch

from checkpoint import LANGUAGE_MODEL, VISION, load_checkpoint
from generate import answer
from icons import HELD, TRAIN, Icons
from language_model import LanguageModel
from questions import TASKS, ask
from scene import make_scene
from scoring import report, rounded_mean
from smalltalk import smalltalk
from tokenizer import Tokenizer
from vision import Vision

SEEDS = {TRAIN: 20240601, HELD: 20240602}
LABELS = {TRAIN: "training_vendors", HELD: "openmoji_unseen_vendor"}
QUESTIONS_PER_SCENE = 2
SMALLTALK_SEED, SMALLTALK_QUESTIONS = 5, 60


def build_questions(icons, split, count):
    """Questions with the tasks in turn; a scene that does not allow the task whose turn it is gets the next."""
    rng = np.random.default_rng(SEEDS[split])
    tasks, items, turn = list(TASKS), [], 0
    while len(items) < count:
        image, scene = make_scene(rng, icons, split, line_art=0.0)
        if not scene.objects:
            continue
        asked = 0
        for offset in range(len(tasks)):
            # `turn` may move on within the loop, as it always has: the seeded questions depend on it
            task = tasks[(turn + offset) % len(tasks)]
            pair = ask(rng, scene, task)
            if pair is None:
                continue
            question, gold = pair
            items.append(
                {"task": task, "image": image, "question": question, "gold": gold, "names": sorted(scene.counts)}
            )
            asked += 1
            if offset == 0:
                turn += 1
            if asked == QUESTIONS_PER_SCENE or len(items) == count:
                break
    return items


def main(data_dir, tokenizer_file, checkpoint_file, out_dir, questions_per_split=1000):
    torch.set_num_threads(2)
    icons, tokenizer = Icons(data_dir), Tokenizer(tokenizer_file)
    vision, language_model = Vision(), LanguageModel(tokenizer.size)
    load_checkpoint(checkpoint_file, {VISION: vision, LANGUAGE_MODEL: language_model})
    vision.eval()
    language_model.eval()
    results = {}
    for split, label in LABELS.items():
        items = build_questions(icons, split, int(questions_per_split))
        images, questions = [item["image"] for item in items], [item["question"] for item in items]
        results[label] = report(items, answer(vision, language_model, tokenizer, images, questions))
        print(label, results[label]["all"])

    rng = np.random.default_rng(SMALLTALK_SEED)
    talk = [smalltalk(rng) for _ in range(SMALLTALK_QUESTIONS)]
    answers = answer(vision, language_model, tokenizer, [None] * len(talk), [question for question, _ in talk])
    correct = [given == gold for given, (_, gold) in zip(answers, talk)]
    results["text_only"] = {"n": len(talk), "accuracy": rounded_mean(correct), "note": "phrasings seen in training"}
    print("text_only", results["text_only"])
    os.makedirs(out_dir, exist_ok=True)
    with open(f"{out_dir}/eval.json", "w") as file:
        json.dump(results, file, indent=1)


if __name__ == "__main__":
    main(*sys.argv[1:])
