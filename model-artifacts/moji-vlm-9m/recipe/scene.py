"""A scene with what follows from its exact boxes: places, counts, captions."""

import numpy as np

from compose import compose
from dimensions import IMAGE_SIZE
from grammar import capitalise, countable, enumerate_words, quantity, with_article

# A picture's thirds, wider in the middle; an object whose centre is nearer than MARGIN to a border has no sure place.
LOW, HIGH, MARGIN = 0.36, 0.64, 0.022

# (row, column) of the thirds -> name
REGIONS = {
    (0, 0): "top left",
    (0, 1): "top",
    (0, 2): "top right",
    (1, 0): "left",
    (1, 1): "center",
    (1, 2): "right",
    (2, 0): "bottom left",
    (2, 1): "bottom",
    (2, 2): "bottom right",
}


def _third(share):
    return 0 if share < LOW else 2 if share > HIGH else 1


def _is_sure(share):
    return all(abs(share - border) > MARGIN for border in (LOW, HIGH))


class Scene:
    """Adds to each object its name "n", centre "cx", "cy" (shares), longer side "m" (px), region "reg", and "sure"."""

    def __init__(self, objects, backdrop, names, size=IMAGE_SIZE):
        self.objects, self.backdrop, self.names, self.size = objects, backdrop, names, size
        self.counts = {}
        for item in objects:
            x0, y0, x1, y1 = item["box"]
            item["n"] = names[item["c"]]
            item["cx"], item["cy"] = (x0 + x1) / 2 / size, (y0 + y1) / 2 / size
            item["m"] = max(x1 - x0, y1 - y0)
            item["reg"] = (_third(item["cy"]), _third(item["cx"]))
            item["sure"] = _is_sure(item["cx"]) and _is_sure(item["cy"])
            self.counts[item["n"]] = self.counts.get(item["n"], 0) + 1
        self.unique = [item for item in objects if self.counts[item["n"]] == 1]

    def listing(self):
        """The kinds of object from left to right, with their numbers."""
        kinds = dict.fromkeys(item["n"] for item in sorted(self.objects, key=lambda item: item["cx"]))
        return [quantity(name, self.counts[name]) for name in kinds]

    def caption(self):
        article = "a" if self.backdrop[0] not in "aeiou" else "an"
        tail = f"{article} {self.backdrop} background."
        if not self.objects:
            return "Nothing, only " + tail
        if len(self.objects) == 2 and len(self.counts) == 2:
            return self._caption_of_two(tail)
        if len(self.counts) >= 3:
            return f"From left to right: {enumerate_words(self.listing())}, on {tail}"
        return capitalise(f"{enumerate_words(self.listing())} on {tail}")

    def _caption_of_two(self, tail):
        first, second = self.objects
        if abs(first["cx"] - second["cx"]) >= abs(first["cy"] - second["cy"]):
            first, second = sorted(self.objects, key=lambda item: item["cx"])
            where = ("on the left", "on the right")
        else:
            first, second = sorted(self.objects, key=lambda item: item["cy"])
            where = ("at the top", "at the bottom")
        names = with_article(first["n"]), with_article(second["n"])
        return capitalise(f"{names[0]} {where[0]} and {names[1]} {where[1]}, on {tail}")


# Sizes in px of up to six objects of one kind
LARGEST_OF = {2: 92, 3: 80, 4: 68, 5: 60, 6: 56}


def _plan(rng, names):
    """Classes and sizes (px) of a new scene: one, two, three or four kinds, or several objects of one kind."""
    num_classes = len(names)
    kind = rng.random()
    if kind < 0.20:
        return rng.integers(num_classes, size=1), rng.uniform(48, 130, 1)
    if kind < 0.42:
        return rng.permutation(num_classes)[:2], rng.uniform(40, 112, 2)
    if kind < 0.80:
        count = 3 if kind < 0.64 else 4
        classes = rng.permutation(num_classes)[:count]
        return classes, rng.uniform(40, 100 if count == 3 else 84, count)
    count = int(rng.integers(2, 7))
    repeated = int(rng.integers(num_classes))
    while not countable(names[repeated]):
        repeated = int(rng.integers(num_classes))
    classes = [repeated] * count
    sizes = list(rng.uniform(0.85, 1.15, count) * rng.uniform(40, LARGEST_OF[count]))
    if count < 5 and rng.random() < 0.4:
        classes.append(int(rng.integers(num_classes)))
        sizes.append(rng.uniform(40, 70))
    return classes, sizes


def make_scene(rng, icons, split, line_art=0.35):
    """A random scene: uint8 [224, 224, 3] and its Scene. Large objects are placed first."""
    classes, sizes = _plan(rng, icons.names)
    order = np.argsort(-np.asarray(sizes))
    classes, sizes = np.asarray(classes)[order], np.asarray(sizes)[order]
    image, backdrop, objects = compose(rng, icons, split, IMAGE_SIZE, classes, sizes, line_art)
    return image, Scene(objects, backdrop, icons.names)
