"""The prepared icons of all sets, and which of them may be used for training."""

import json

import numpy as np

TRAIN, HELD = "train", "held"  # splits: training vendors, and the vendor that is never trained on


class Icons:
    """big [icons, 2, 112, 112, 4] and small [icons, 2, 56, 56, 4], uint8, premultiplied; variant 1 is line art."""

    def __init__(self, data_dir):
        with open(f"{data_dir}/icons_kept.json") as file:
            index = json.load(file)
        pixels = np.load(f"{data_dir}/icons.npz")
        self.big, self.small = pixels["big"], pixels["small"]
        self.names = [entry["name"] for entry in index["classes"]]
        classes = np.array([row["c"] for row in index["rows"]])
        in_training = np.array([row["set"] in index["train"] for row in index["rows"]])
        # split -> class -> rows of `big` and `small`
        self.rows_by_class = {
            split: self._group(np.where(member)[0], classes)
            for split, member in ((TRAIN, in_training), (HELD, ~in_training))
        }

    def _group(self, rows, classes):
        return [rows[classes[rows] == index] for index in range(len(self.names))]
