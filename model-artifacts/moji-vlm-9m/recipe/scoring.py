"""Scores of answers against the ground truth."""

import re

import numpy as np

from grammar import plural

MIN_IOU = 0.5  # a box counts as right from here on


def parse_box(text):
    """`[x0, y0, x1, y1]` as four integers, or None."""
    match = re.fullmatch(r"\[(\d+), (\d+), (\d+), (\d+)\]", text.strip())
    return [int(number) for number in match.groups()] if match else None


def iou(a, b):
    """Intersection over union of two boxes."""

    def area(box):
        return max(0, box[2] - box[0]) * max(0, box[3] - box[1])

    common = (max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3]))
    intersection = area(common)
    return intersection / max(1e-6, area(a) + area(b) - intersection)


def is_correct(task, gold, answer):
    """Exact match; for boxes an overlap of MIN_IOU."""
    gold_box = parse_box(gold) if task == "box" else None
    if gold_box is None:
        return answer == gold
    box = parse_box(answer)
    return box is not None and iou(gold_box, box) >= MIN_IOU


def name_recall(names, answer):
    """Share of the scene's object names that occur in an answer, in singular or plural."""

    def occurs(name):
        return bool(re.search(r"\b(%s|%s)\b" % (re.escape(name), re.escape(plural(name))), answer, re.I))

    return np.mean([occurs(name) for name in names])


def rounded_mean(values):
    return round(float(np.mean(values)), 4)


def commonest_share(values):
    """Accuracy of always giving the commonest answer."""
    return round(max(values.count(value) for value in set(values)) / len(values), 4)


def report(items, answers):
    """items: {"task", "gold", "names"} each -> {task: {"n", "accuracy", ...}} and the same under "all"."""
    by_task = {}
    for item, answer in zip(items, answers):
        by_task.setdefault(item["task"], []).append((item, answer))
    result = {}
    for task, pairs in by_task.items():
        correct = [is_correct(task, item["gold"], answer) for item, answer in pairs]
        result[task] = {"n": len(pairs), "accuracy": rounded_mean(correct)}
        if task in ("caption", "list"):
            result[task]["object_name_recall"] = rounded_mean(
                [name_recall(item["names"], answer) for item, answer in pairs]
            )
        if task == "box":
            boxes = [(parse_box(item["gold"]), parse_box(answer)) for item, answer in pairs]
            overlaps = [iou(gold, box or [0, 0, 0, 0]) for gold, box in boxes if gold]
            result[task]["mean_iou"] = rounded_mean(overlaps)
        result[task]["majority_answer_baseline"] = commonest_share([item["gold"] for item, _ in pairs])
    correct = [is_correct(item["task"], item["gold"], answer) for item, answer in zip(items, answers)]
    result["all"] = {"n": len(items), "accuracy": rounded_mean(correct)}
    return result
