"""Learning rates over time: a short linear warm-up, then half a cosine. Minutes bound training, not steps."""

import math


def learning_rate(elapsed, total, step, first, last, warmup_steps):
    """elapsed and total in seconds."""
    cosine = last + (first - last) * 0.5 * (1 + math.cos(math.pi * elapsed / total))
    return cosine * min(1, (step + 1) / warmup_steps)


def set_learning_rate(optimizers, rate):
    """Each group has a factor of its own, `scale`."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate * group["scale"]


class Averages:
    """Exponential averages of named numbers, for the log."""

    def __init__(self, keep):
        self.keep, self.values = keep, {}

    def add(self, **numbers):
        for name, number in numbers.items():
            before = self.values.get(name, number)
            self.values[name] = self.keep * before + (1 - self.keep) * number

    def __str__(self):
        return " ".join(f"{name} {value:.4f}" for name, value in self.values.items())
