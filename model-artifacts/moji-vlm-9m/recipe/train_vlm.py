"""Stage B: alignment (encoder frozen), then instruction tuning (everything trained), on 224 px scenes.

usage: python3 train_vlm.py DATA_DIR tokenizer.json VISION.pt OUT.pt MINUTES_FROZEN MINUTES_JOINT [RESUME.pt]
"""

import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

from backdrop import BACKDROPS
from batches import WINDOW, to_batch, window_112
from checkpoint import (
    CELL_HEAD,
    LANGUAGE_MODEL,
    PATCH_HEAD,
    POSITION_HEAD,
    VISION,
    load_checkpoint,
    save_checkpoint,
)
from dimensions import GRID, PATCH_SIZE, TEXT_WIDTH
from heads import CellHead, PatchHead
from icons import TRAIN, Icons
from language_model import LanguageModel
from losses import READ_BLOCK, SAY_BLOCK, forward
from muon import Muon
from producer import Producer
from scene import make_scene
from schedule import Averages, learning_rate, set_learning_rate
from sequences import CELLS_PER_SIDE, collate, make_sequence
from tokenizer import END_OF_TEXT, Tokenizer
from vision import Vision

THREADS = 2
SCENES, WINDOWS = 16, 48  # per step
FIRST_RATE, LAST_RATE = 6e-4, 1e-5
ENCODER_SCALE = 0.6  # learning-rate factor of the encoder, which stage A has trained
LANGUAGE_SCALE = 1.2
LOG_EVERY, SAVE_EVERY = 50, 100  # steps

# Weights of the auxiliary losses beside the language loss
NAMING, GAZE, CELLS, PATCHES, POSITIONS = 0.5, 0.5, 0.3, 0.3, 2


def absolute_boxes(cell_boxes):
    """Boxes [B, 16, 4] relative to their cells, in units of a cell -> centre and size as shares of the picture."""
    cells = torch.arange(CELLS_PER_SIDE)
    columns, rows = cells.repeat(CELLS_PER_SIDE), cells.repeat_interleave(CELLS_PER_SIDE)
    centers = (cell_boxes[..., :2] + torch.stack([columns, rows], -1)) / CELLS_PER_SIDE
    return torch.cat([centers, cell_boxes[..., 2:] / CELLS_PER_SIDE], -1)


class StageB:
    def __init__(self, data_dir, tokenizer_file, vision_file, out_file, resume_file=None):
        self.icons, self.tokenizer = Icons(data_dir), Tokenizer(tokenizer_file)
        self.num_classes, self.out_file = len(self.icons.names), out_file
        self.vision, self.language_model = Vision(), LanguageModel(self.tokenizer.size)
        self.cell_head = CellHead(self.num_classes, len(BACKDROPS))
        self.patch_head = PatchHead(self.num_classes)
        self.position_head = torch.nn.Linear(TEXT_WIDTH, 4)  # where in the whole picture a cell's object lies
        self.heads = {CELL_HEAD: self.cell_head, PATCH_HEAD: self.patch_head}
        load_checkpoint(vision_file, {VISION: self.vision, **self.heads})
        self._embed_class_names()
        self.modules = {
            VISION: self.vision,
            LANGUAGE_MODEL: self.language_model,
            **self.heads,
            POSITION_HEAD: self.position_head,
        }
        if resume_file is not None:
            load_checkpoint(resume_file, self.modules)
        first_tokens = [self.tokenizer.encode(" " + name)[0] for name in self.icons.names]
        self.first_tokens = torch.tensor(first_tokens + [self.tokenizer.special[END_OF_TEXT]])
        for block in (READ_BLOCK, SAY_BLOCK):
            self.language_model.blocks[block].keep_attention = True
        self._group_parameters()

    @torch.no_grad()
    def _embed_class_names(self):
        """Starts the embedding of each name's first token where the vision side already points: its class row."""
        embedding = self.language_model.embed_tokens.weight
        rows = self.cell_head.classes.weight[: self.num_classes]
        rows = rows - rows.mean(0)
        rows = rows / rows.norm(dim=1, keepdim=True) * embedding.norm(dim=1).mean()
        by_token = {}
        for index, name in enumerate(self.icons.names):
            by_token.setdefault(self.tokenizer.encode(" " + name)[0], []).append(index)
        for token, indices in by_token.items():
            embedding[token] = rows[indices].mean(0)

    def _group_parameters(self):
        """Muon for the hidden matrices of both towers; AdamW for embeddings, projector, norms, biases and heads."""
        named = list(self.vision.named_parameters())
        projector_names = ("projector1", "projector2", "token_positions")
        encoder = [parameter for name, parameter in named if not name.startswith(projector_names)]
        projector = [
            *self.vision.projector1.parameters(),
            *self.vision.projector2.parameters(),
            self.vision.token_positions,
        ]
        heads = [*self.cell_head.parameters(), *self.patch_head.parameters()]
        self.language_parameters = list(self.language_model.parameters())
        self.other_parameters = encoder + projector + heads + list(self.position_head.parameters())

        matrices = [
            (name, parameter) for name, parameter in named if name.startswith("blocks") and parameter.dim() == 2
        ]
        fused = [parameter for name, parameter in matrices if name.endswith("qkv.weight")]
        plain = [parameter for name, parameter in matrices if not name.endswith("qkv.weight")]
        language = [
            parameter
            for name, parameter in self.language_model.named_parameters()
            if name.startswith("blocks") and parameter.dim() == 2
        ]
        in_muon = {id(parameter) for parameter in fused + plain + language}

        def rest(parameters):
            return [parameter for parameter in parameters if id(parameter) not in in_muon]

        self.optimizers = [
            Muon(
                [
                    {"params": fused, "split": True, "scale": 3 * ENCODER_SCALE},
                    {"params": plain, "scale": 3 * ENCODER_SCALE},
                    {"params": language, "scale": LANGUAGE_SCALE},
                ]
            ),
            torch.optim.AdamW(
                [
                    {"params": rest(self.language_parameters), "scale": 1.0},
                    {"params": rest(projector), "scale": 0.5},
                    {"params": heads, "scale": 0.5},
                    {"params": list(self.position_head.parameters()), "scale": 2.0},
                    {"params": rest(encoder), "scale": ENCODER_SCALE},
                ],
                weight_decay=0.01,
                betas=(0.9, 0.97),
            ),
        ]

    def make_scenes(self, rng, count):
        """A Batch of scenes with at least one object, and the TextBatch about them."""
        scenes, sequences = [], []
        while len(scenes) < count:
            image, scene = make_scene(rng, self.icons, TRAIN)
            if scene.objects:
                scenes.append((image, scene.backdrop, scene.objects))
                sequences.append(make_sequence(rng, self.tokenizer, scene))
        pad_id = self.tokenizer.special[END_OF_TEXT]
        return to_batch(scenes, self.num_classes), collate(sequences, pad_id)

    def make_windows(self, rng, count):
        """112 px windows as in stage A: cheap extra pictures for the encoder in the joint phase."""
        return to_batch([window_112(rng, self.icons) for _ in range(count)], self.num_classes)

    def scene_losses(self, scenes, text, frozen):
        """The whole loss over scenes, and its parts for the log."""
        names = self.first_tokens[scenes.cell_classes]
        out = forward(self.vision, self.language_model, scenes.pixels, text, names, frozen)
        cell_loss, cell_accuracy, box_loss = self.cell_head.loss(
            out.features, scenes.cell_classes, scenes.cell_boxes, scenes.backdrops
        )
        has_object = scenes.cell_classes < self.num_classes
        position_loss = F.smooth_l1_loss(
            self.position_head(self.vision.tokens(out.features))[has_object],
            absolute_boxes(scenes.cell_boxes)[has_object],
            beta=0.05,
        )
        patch_loss, patch_accuracy = 0.0, torch.tensor(0.0)
        if not frozen:
            patch_loss, patch_accuracy = self.patch_head.loss(
                out.encoded.float(), scenes.patch_classes, scenes.patch_boxes
            )
        total = out.language_loss + NAMING * out.naming_loss + GAZE * out.gaze_loss
        total = total + CELLS * cell_loss + PATCHES * patch_loss + POSITIONS * position_loss
        return total, {
            "language": out.language_loss.item(),
            "token_acc": out.token_accuracy,
            "cell_acc": cell_accuracy.item(),
            "cell_box": box_loss.item(),
            "position": position_loss.item(),
            "patch_acc": patch_accuracy.item(),
            "naming": out.naming_loss.item(),
            "gaze": out.gaze_loss.item(),
        }

    def window_losses(self, windows):
        row, column = np.random.randint(0, GRID - WINDOW // PATCH_SIZE + 1, 2)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            encoded = self.vision.encode(windows.pixels, row, column)
            features = self.vision.project(encoded)
        cell_loss, accuracy, _ = self.cell_head.loss(
            features, windows.cell_classes, windows.cell_boxes, windows.backdrops
        )
        patch_loss, _ = self.patch_head.loss(encoded.float(), windows.patch_classes, windows.patch_boxes)
        return CELLS * cell_loss + PATCHES * patch_loss, {"window_acc": accuracy.item()}

    def step(self, scenes, text, windows, frozen):
        for parameter in self.other_parameters + self.language_parameters:
            parameter.grad = None
        loss, report = self.scene_losses(scenes, text, frozen)
        loss.backward()
        if windows is not None and not frozen:
            loss, window_report = self.window_losses(windows)
            loss.backward()
            report.update(window_report)
        torch.nn.utils.clip_grad_norm_(self.language_parameters, 1.0)
        torch.nn.utils.clip_grad_norm_(self.other_parameters, 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
        return report

    def run(self, minutes_frozen, minutes_joint, warmup_steps):
        seconds_frozen, seconds = minutes_frozen * 60, (minutes_frozen + minutes_joint) * 60
        start = time.time()

        def make(rng):
            # Windows are made a little before the joint phase begins, since batches wait in the queue
            joint = time.time() - start > seconds_frozen - 15
            return self.make_scenes(rng, SCENES), self.make_windows(rng, WINDOWS) if joint else None

        producer = Producer(make, ahead=4)
        averages, steps = Averages(0.96), 0
        while (elapsed := time.time() - start) < seconds:
            frozen = elapsed < seconds_frozen
            rate = learning_rate(elapsed, seconds, steps, FIRST_RATE, LAST_RATE, warmup_steps)
            set_learning_rate(self.optimizers, rate)
            (scenes, text), windows = producer.next()
            averages.add(**self.step(scenes, text, windows, frozen))
            steps += 1
            if steps % LOG_EVERY == 0:
                phase = "frozen" if frozen else "joint"
                speed = steps * SCENES / (time.time() - start)
                print(f"{phase} step {steps} {elapsed:.0f}s {averages} lr {rate:.1e} {speed:.1f} scenes/s", flush=True)
            if steps % SAVE_EVERY == 0:
                save_checkpoint(self.out_file, self.modules)
        producer.stop()
        save_checkpoint(self.out_file, self.modules)
        print("done", steps, "steps", steps * SCENES, "scenes", flush=True)


def main(data_dir, tokenizer_file, vision_file, out_file, minutes_frozen, minutes_joint, resume_file=None):
    torch.set_num_threads(THREADS)
    torch.manual_seed(1)
    np.random.seed(1)
    stage = StageB(data_dir, tokenizer_file, vision_file, out_file, resume_file)
    stage.run(float(minutes_frozen), float(minutes_joint), warmup_steps=60 if resume_file is None else 20)


if __name__ == "__main__":
    main(*sys.argv[1:])
