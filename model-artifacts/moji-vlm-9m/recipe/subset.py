"""Keeps only the named classes, in the data folder and in a checkpoint.

usage: python3 subset.py DATA_DIR NAMES.txt OUT_DATA_DIR CHECKPOINT OUT_CHECKPOINT
"""

import json
import os
import sys

import numpy as np
import torch

from checkpoint import CELL_HEAD, PATCH_HEAD


def read_names(path):
    with open(path) as file:
        names = file.read().replace("\n", ",").split(",")
    return [name.strip() for name in names if name.strip()]


def subset_data(data_dir, out_dir, kept):
    """kept: old class indices, in their new order."""
    with open(f"{data_dir}/icons_kept.json") as file:
        index = json.load(file)
    new_class = {old: new for new, old in enumerate(kept)}
    positions = [position for position, row in enumerate(index["rows"]) if row["c"] in new_class]
    rows = [dict(index["rows"][position], c=new_class[index["rows"][position]["c"]]) for position in positions]
    os.makedirs(out_dir, exist_ok=True)
    with open(f"{out_dir}/icons_kept.json", "w") as file:
        json.dump(dict(index, classes=[index["classes"][old] for old in kept], rows=rows), file)
    pixels = np.load(f"{data_dir}/icons.npz")
    np.savez(f"{out_dir}/icons.npz", big=pixels["big"][positions], small=pixels["small"][positions])
    return len(rows)


def subset_heads(checkpoint, kept, num_classes):
    """Cuts the class rows of both heads, in place; the row of `no object` stays last."""
    selected = kept + [num_classes]
    for head in (CELL_HEAD, PATCH_HEAD):
        for name, tensor in checkpoint[head].items():
            if tensor.shape and tensor.shape[0] == num_classes + 1:
                checkpoint[head][name] = tensor[selected].clone()


def main(data_dir, names_file, out_data_dir, checkpoint_file, out_checkpoint_file):
    wanted = read_names(names_file)
    with open(f"{data_dir}/icons_kept.json") as file:
        names = [entry["name"] for entry in json.load(file)["classes"]]
    missing = [name for name in wanted if name not in names]
    if missing:
        raise SystemExit(f"not among the classes: {', '.join(missing)}")
    kept = [names.index(name) for name in wanted]
    rows = subset_data(data_dir, out_data_dir, kept)
    checkpoint = torch.load(checkpoint_file)
    subset_heads(checkpoint, kept, len(names))
    torch.save(checkpoint, out_checkpoint_file)
    print(len(kept), "classes", rows, "icons")


if __name__ == "__main__":
    main(*sys.argv[1:])
