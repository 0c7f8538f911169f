"""Stage A: vision encoder, projector and the two training heads on small windows.

First 56 px (one visual token), then 112 px (four).
usage: python3 train_vision.py DATA_DIR OUT.pt MINUTES_AT_56 MINUTES_AT_112 [INIT.pt]
"""

import sys
import time

import numpy as np
import torch

from backdrop import BACKDROPS, make_backdrop
from batches import WINDOW, to_batch, window_112
from checkpoint import CELL_HEAD, PATCH_HEAD, VISION, load_checkpoint, save_checkpoint
from compose import paste, warp
from dimensions import CELL, GRID, PATCH_SIZE
from heads import CellHead, PatchHead
from icons import HELD, TRAIN, Icons
from muon import Muon
from producer import Producer
from schedule import Averages, learning_rate, set_learning_rate
from vision import Vision

THREADS = 2
MUON_SCALE = 3.0
EVALUATION_WINDOWS = 384
LOG_EVERY, EVALUATE_EVERY = 100, 300  # steps


def window_56(rng, icons, split=TRAIN, line_art=0.35):
    """A 56 px window with one icon; sometimes only the rim of one that is centred elsewhere."""
    index = int(rng.integers(len(icons.names)))
    size = rng.uniform(30, 66)
    image, backdrop = make_backdrop(rng, CELL)
    rows = icons.rows_by_class[split][index]
    icon = warp(rng, icons, rows[rng.integers(len(rows))], size, line_art)
    height, width = icon.shape[:2]
    center_x, center_y = rng.uniform(10, 46, 2)
    x, y = int(center_x - width / 2), int(center_y - height / 2)
    if size > 45:  # a large icon stays near the middle
        x = int(CELL / 2 - width / 2 + rng.uniform(-8, 8))
        y = int(CELL / 2 - height / 2 + rng.uniform(-8, 8))
    if rng.random() < 0.12:
        x += int(np.sign(rng.random() - 0.5) * 52)
        objects = []
    else:
        objects = [{"c": index, "box": (x, y, x + width, y + height)}]
    paste(image, icon, x, y)
    return np.clip(image, 0, 255).astype(np.uint8), backdrop, objects


class StageA:
    def __init__(self, data_dir, out_file, init_file=None):
        self.icons = Icons(data_dir)
        self.num_classes = len(self.icons.names)
        self.out_file, self.resumed = out_file, init_file is not None
        self.vision = Vision()
        self.cell_head = CellHead(self.num_classes, len(BACKDROPS))
        self.patch_head = PatchHead(self.num_classes)
        self.modules = {VISION: self.vision, CELL_HEAD: self.cell_head, PATCH_HEAD: self.patch_head}
        if init_file is not None:
            load_checkpoint(init_file, self.modules)
        self.parameters = [parameter for module in self.modules.values() for parameter in module.parameters()]
        self.optimizers = self._optimizers()

    def _optimizers(self):
        """Muon for the hidden matrices of the encoder and the projector's last, AdamW for the rest."""
        hidden = {
            name: parameter
            for name, parameter in self.vision.named_parameters()
            if parameter.dim() == 2 and not name.startswith(("patch", "projector1"))
        }
        fused = [parameter for name, parameter in hidden.items() if name.endswith("qkv.weight")]
        plain = [parameter for name, parameter in hidden.items() if not name.endswith("qkv.weight")]
        in_muon = {id(parameter) for parameter in hidden.values()}
        rest = [parameter for parameter in self.parameters if id(parameter) not in in_muon]
        return [
            Muon(
                [
                    {"params": fused, "split": True, "scale": MUON_SCALE},
                    {"params": plain, "scale": MUON_SCALE},
                ]
            ),
            torch.optim.AdamW([{"params": rest, "scale": 1.0}], weight_decay=0.02, betas=(0.9, 0.98)),
        ]

    def make_batch(self, rng, window, count, **options):
        return to_batch([window(rng, self.icons, **options) for _ in range(count)], self.num_classes)

    def evaluate(self, window):
        """Accuracy and box loss per split, on fixed windows without line art."""
        self.vision.eval()
        report = []
        with torch.no_grad():
            for split in (TRAIN, HELD):
                rng = np.random.default_rng(99)
                batch = self.make_batch(rng, window, EVALUATION_WINDOWS, split=split, line_art=0)
                features = self.vision(batch.pixels)
                _, accuracy, box_loss = self.cell_head.loss(
                    features, batch.cell_classes, batch.cell_boxes, batch.backdrops
                )
                report.append(f"{split} acc {accuracy:.3f} box {box_loss:.4f}")
        self.vision.train()
        return " ".join(report)

    def step(self, batch, size):
        """One update; the window stands at a random place of the position grid."""
        free = GRID - size // PATCH_SIZE
        row, column = np.random.randint(0, free + 1, 2)
        with torch.autocast("cpu", dtype=torch.bfloat16):  # bfloat16 matrix products, float32 master weights
            encoded = self.vision.encode(batch.pixels, row, column)
            features = self.vision.project(encoded)
            patch_loss, patch_accuracy = self.patch_head.loss(encoded, batch.patch_classes, batch.patch_boxes)
        cell_loss, accuracy, box_loss = self.cell_head.loss(
            features, batch.cell_classes, batch.cell_boxes, batch.backdrops
        )
        loss = cell_loss + patch_loss
        for parameter in self.parameters:
            parameter.grad = None
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
        return {
            "loss": loss.item(),
            "acc": accuracy.item(),
            "box": box_loss.item(),
            "patch_acc": patch_accuracy.item(),
        }

    def run(self, window, size, batch_size, minutes, first_rate, last_rate, warmup_steps):
        seconds = minutes * 60
        if seconds <= 0:
            return
        producer = Producer(lambda rng: self.make_batch(rng, window, batch_size), ahead=6)
        averages, steps, start = Averages(0.97), 0, time.time()
        while (elapsed := time.time() - start) < seconds:
            rate = learning_rate(elapsed, seconds, steps, first_rate, last_rate, warmup_steps)
            set_learning_rate(self.optimizers, rate)
            averages.add(**self.step(producer.next(), size))
            steps += 1
            if steps % LOG_EVERY == 0:
                speed = steps * batch_size / (time.time() - start)
                print(f"{size} step {steps} {elapsed:.0f}s {averages} lr {rate:.1e} {speed:.0f} windows/s", flush=True)
            if steps % EVALUATE_EVERY == 0:
                print("  eval", self.evaluate(window), flush=True)
                save_checkpoint(self.out_file, self.modules)
        producer.stop()
        print(size, "done", steps, "steps", self.evaluate(window), flush=True)
        save_checkpoint(self.out_file, self.modules)


def main(data_dir, out_file, minutes_at_56, minutes_at_112, init_file=None):
    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    stage = StageA(data_dir, out_file, init_file)
    stage.run(window_56, CELL, 160, float(minutes_at_56), 1.2e-3, 5e-4, 20 if stage.resumed else 100)
    stage.run(window_112, WINDOW, 96, float(minutes_at_112), 1.1e-3, 2.5e-4, 20)


if __name__ == "__main__":
    main(*sys.argv[1:])
