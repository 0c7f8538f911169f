"""One question and its answer for each task. Every answer follows from the exact ground truth of the scene."""

from grammar import (
    MASS_NOUNS,
    PLURAL_ONLY,
    capitalise,
    countable,
    enumerate_words,
    plural,
    there_is_no,
    verb,
    with_article,
)
from randomness import pick
from scene import REGIONS

# Box corners are whole hundredths of the picture's sides, 0 to 99, so that each is at most two digits.
BOX_UNITS = 100

PLACE = {
    "left": "on the left",
    "right": "on the right",
    "center": "in the center",
    "top": "at the top",
    "bottom": "at the bottom",
}
WHERE_ANSWER = {
    "left": "On the left.",
    "right": "On the right.",
    "center": "In the center.",
    "top": "At the top.",
    "bottom": "At the bottom.",
    "top left": "At the top left.",
    "top right": "At the top right.",
    "bottom left": "At the bottom left.",
    "bottom right": "At the bottom right.",
}


def _absent(rng, scene):
    """A name that the scene lacks; at times that of a class near one that it has, as a harder case."""
    while True:
        if scene.objects and rng.random() < 0.3:
            index = (pick(rng, scene.objects)["c"] + int(rng.integers(-6, 7))) % len(scene.names)
        else:
            index = int(rng.integers(len(scene.names)))
        if scene.names[index] not in scene.counts:
            return scene.names[index]


def _is_there(rng, name):
    if name in PLURAL_ONLY:
        forms = ["Are there any %s?", "Are there %s in the image?", "Do you see any %s?", "Can you see %s?"]
        return pick(rng, forms) % name
    if name in MASS_NOUNS:
        forms = ["Is there any %s?", "Is there %s in the image?", "Do you see any %s?", "Can you see %s?"]
        return pick(rng, forms) % name
    forms = [
        "Is there %s?",
        "Is there %s in the image?",
        "Do you see %s?",
        "Can you see %s?",
        "Does the image show %s?",
    ]
    return pick(rng, forms) % with_article(name)


def ask_caption(rng, scene):
    forms = [
        "Describe the image.",
        "What is in this picture?",
        "Describe this picture.",
        "Give a caption.",
        "Describe what you see.",
        "Write a short caption.",
        "Can you describe this image?",
    ]
    return pick(rng, forms), scene.caption()


def ask_list(rng, scene):
    if not scene.objects:
        return None
    forms = [
        "What objects are in the image?",
        "List the objects.",
        "What do you see?",
        "Name everything in the image.",
        "What things are there?",
    ]
    return pick(rng, forms), capitalise(enumerate_words(scene.listing())) + "."


def ask_what(rng, scene):
    if len(scene.objects) != 1:
        return None
    forms = [
        "What is this?",
        "What is it?",
        "What is shown here?",
        "Name the object.",
        "What is the object in the image?",
        "What does the picture show?",
    ]
    return pick(rng, forms), capitalise(with_article(scene.objects[0]["n"])) + "."


def ask_at(rng, scene):
    region = pick(rng, list(REGIONS))
    sure = [item for item in scene.objects if item["sure"]]
    if sure and rng.random() < 0.92:
        region = pick(rng, sure)["reg"]
    hits = [item for item in scene.objects if item["reg"] == region]
    doubtful = [item for item in scene.objects if not item["sure"]]
    might_hit = any(
        abs(item["reg"][0] - region[0]) <= 1 and abs(item["reg"][1] - region[1]) <= 1 for item in doubtful
    )
    if len(hits) > 1 or might_hit:
        return None
    name = REGIONS[region]
    # Both forms for a corner are drawn even where the region has a fixed one: the stream of draws stays the same.
    corner = pick(rng, ["in the %s", "at the %s"]) % name
    forms = ["What is %s?", "What is %s of the image?", "What object is %s?", "What do you see %s?"]
    question = pick(rng, forms) % PLACE.get(name, corner)
    return question, capitalise(with_article(hits[0]["n"])) + "." if hits else "Nothing."


def ask_where(rng, scene):
    if rng.random() < 0.08:
        name = _absent(rng, scene)
        answer = there_is_no(name)
    else:
        candidates = [item for item in scene.unique if item["sure"]]
        if not candidates:
            return None
        item = pick(rng, candidates)
        name, answer = item["n"], WHERE_ANSWER[REGIONS[item["reg"]]]
    be = verb(name)
    forms = [
        f"Where {be} the {name}?",
        f"Where can I find the {name}?",
        f"Where in the image {be} the {name}?",
        f"In which part of the image {be} the {name}?",
    ]
    return pick(rng, forms), answer


def ask_count(rng, scene):
    names = [name for name in scene.counts if countable(name)]
    if not names:
        return None
    name = pick(rng, names) if rng.random() < 0.9 else _absent(rng, scene)
    if not countable(name):
        return None
    repeated = [other for other in names if scene.counts[other] > 1]
    if repeated and rng.random() < 0.7:
        name = pick(rng, repeated)
    forms = [
        "How many %s are there?",
        "How many %s are in the image?",
        "How many %s do you see?",
        "Count the %s.",
        "How many %s can you see?",
    ]
    return pick(rng, forms) % plural(name), str(scene.counts.get(name, 0))


def ask_total(rng, scene):
    forms = [
        "How many objects are there?",
        "How many things are in the image?",
        "Count the objects.",
        "How many objects do you see?",
    ]
    return pick(rng, forms), str(len(scene.objects))


def ask_yesno(rng, scene):
    if rng.random() < 0.5 and scene.objects:
        return _is_there(rng, pick(rng, scene.objects)["n"]), "Yes."
    return _is_there(rng, _absent(rng, scene)), "No."


def ask_background(rng, scene):
    forms = [
        "What color is the background?",
        "What is the background color?",
        "Which color is the background?",
        "What colour is the background?",
        "Name the background color.",
    ]
    return pick(rng, forms), capitalise(scene.backdrop) + "."


def ask_bigger(rng, scene):
    if len(scene.unique) < 2:
        return None
    i, j = rng.permutation(len(scene.unique))[:2]
    first, second = scene.unique[i], scene.unique[j]
    if max(first["m"], second["m"]) < 1.25 * min(first["m"], second["m"]):
        return None  # too close to call
    smaller = rng.random() < 0.3
    choose = min if smaller else max
    right = choose((first, second), key=lambda item: item["m"])
    word = pick(rng, ["smaller"]) if smaller else pick(rng, ["bigger", "larger"])
    forms = ["Which is %s, the %s or the %s?", "What is %s, the %s or the %s?", "Which one is %s: the %s or the %s?"]
    return pick(rng, forms) % (word, first["n"], second["n"]), f"The {right['n']}."


def ask_box(rng, scene):
    if rng.random() < 0.06:
        name = _absent(rng, scene)
        answer = there_is_no(name)
    else:
        if not scene.unique:
            return None
        item = pick(rng, scene.unique)
        name = item["n"]
        corners = [min(BOX_UNITS - 1, int(value * BOX_UNITS / scene.size)) for value in item["box"]]
        answer = "[%d, %d, %d, %d]" % tuple(corners)
    forms = [
        f"Where exactly {verb(name)} the {name}? Give a box.",
        f"Give the box of the {name}.",
        f"Give a bounding box for the {name}.",
        f"Box of the {name}?",
        f"Locate the {name} with a box.",
    ]
    return pick(rng, forms), answer


# task -> function of (rng, scene) that gives (question, answer), or None where the scene does not allow the task
TASKS = {
    "caption": ask_caption,
    "list": ask_list,
    "what": ask_what,
    "at": ask_at,
    "where": ask_where,
    "count": ask_count,
    "total": ask_total,
    "yesno": ask_yesno,
    "bg": ask_background,
    "bigger": ask_bigger,
    "box": ask_box,
}
# What is asked about one training scene, before shuffling; harder tasks more often
TRAINING_PLAN = (
    ["caption", "list", "what"]
    + ["at", "at", "where", "where", "count", "count", "total"]
    + ["yesno", "yesno", "bg", "bigger", "box", "box", "box"]
)


def ask(rng, scene, task):
    return TASKS[task](rng, scene)


def vary(rng, question):
    """At times a small first letter, at times no mark at the end."""
    if rng.random() < 0.10:
        question = question[0].lower() + question[1:]
    if rng.random() < 0.10:
        question = question.rstrip("?.")
    return question
