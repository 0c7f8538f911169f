"""Training sequences: many question/answer turns that share one picture.

Each turn sees the prefix (the picture) and itself only, by a block mask, and its positions restart after the prefix: it
is exactly a chat of one turn, while the picture is encoded once. A share of the sequences is a true chat of many turns.
"""

import functools
import re
from dataclasses import dataclass, field

import numpy as np
import torch

from dimensions import GRID, NUM_IMAGE_TOKENS, SHUFFLE
from grammar import capitalise
from questions import TRAINING_PLAN, ask, vary
from smalltalk import smalltalk
from tokenizer import ASSISTANT_TURN, IM_END, IM_START, IMAGE

MAX_TOKENS = 160  # per sequence, prefix included
SMALLTALK_ROOM = 24  # tokens that a text-only turn may add to that
MULTI_TURN_SHARE = 0.15
SMALLTALK_SHARE = 0.25

PREFIX_TEXT = 2  # "<|im_start|>" and "user\n", before the picture
MASKED = -1e4  # attention bias of what may not be seen

# Segments of a sequence; turns count from 1
PREFIX_SEGMENT, TEXT_ONLY_SEGMENT, PADDING_SEGMENT = 0, -1, 99

# Two attention heads are shown where to look: READ right after a name was read in the question,
# SAY where a name, a place or a box is about to be said.
READ, SAY = 0, 1
FIRST_TOKEN = -PREFIX_TEXT  # in place of a cell: an absent name looks at the first token of the prompt

CELLS_PER_SIDE = GRID // SHUFFLE
TASKS_THAT_LOCATE = ("where", "box")
TASKS_THAT_NAME = ("caption", "list", "what", "at", "bigger")


@dataclass
class Sequence:
    ids: list = field(default_factory=list)
    positions: list = field(default_factory=list)
    segments: list = field(default_factory=list)
    is_answer: list = field(default_factory=list)  # where the language loss is taken
    gaze: list = field(default_factory=list)  # (READ or SAY, query index, cell)

    def __len__(self):
        return len(self.ids)

    def add(self, question, answer, first_position, segment):
        count = len(question) + len(answer)
        self.ids += question + answer
        self.positions += range(first_position, first_position + count)
        self.segments += [segment] * count
        self.is_answer += [0] * len(question) + [1] * len(answer)


def prefix_ids(tokenizer):
    return [tokenizer.special[IM_START]] + tokenizer.encode("user\n") + [tokenizer.special[IMAGE]] * NUM_IMAGE_TOKENS


def turn_ids(tokenizer, question, answer):
    """Ids of the question up to where the answer begins, and of the answer with its end."""
    return (
        tokenizer.encode(question) + tokenizer.encode(ASSISTANT_TURN),
        tokenizer.encode(answer) + [tokenizer.special[IM_END]],
    )


def find_all(ids, part):
    """Every index at which `part` begins in `ids`."""
    return [index for index in range(len(ids) - len(part) + 1) if ids[index : index + len(part)] == part]


@functools.lru_cache
def _name_pattern(names):
    longest_first = sorted(map(re.escape, names), key=len, reverse=True)
    return re.compile(r"\b(" + "|".join(longest_first) + r")\b")


def names_in(question, names):
    """The class names that a question holds, longer ones first tried."""
    return _name_pattern(tuple(names)).findall(question)


def cell_of(item):
    """Index of the visual token in whose cell the object is centred."""
    row, column = (min(CELLS_PER_SIDE - 1, int(item[axis] * CELLS_PER_SIDE)) for axis in ("cy", "cx"))
    return row * CELLS_PER_SIDE + column


def says_absent(answer):
    return answer == "No." or answer.startswith("There ")


def gaze_of_absent(tokenizer, names, asked, question_ids, start):
    """`box` is left out: it is a word of the templates."""
    gaze = []
    for name in names_in(asked, names):
        if name == "box":
            continue
        ids = tokenizer.encode(" " + name)
        gaze += [(READ, start + at + len(ids) - 1, FIRST_TOKEN) for at in find_all(question_ids, ids)]
    return gaze


def gaze_of_present(tokenizer, scene, task, question_ids, answer_ids, start):
    gaze = []
    for item in scene.unique:
        ids = tokenizer.encode(" " + item["n"])
        ids_at_start = tokenizer.encode(capitalise(item["n"]))
        cell = cell_of(item)
        for at in find_all(question_ids, ids):
            gaze.append((READ, start + at + len(ids) - 1, cell))
            if task in TASKS_THAT_LOCATE:
                told = range(len(question_ids) - 1, len(question_ids) + len(answer_ids) - 2)
                gaze += [(SAY, start + index, cell) for index in told]
        if task in TASKS_THAT_NAME:
            begins = [0] if answer_ids[: len(ids_at_start)] == ids_at_start else []
            for at in find_all(answer_ids, ids) + begins:
                gaze.append((SAY, start + len(question_ids) + at - 1, cell))
    return gaze


def make_sequence(rng, tokenizer, scene, max_tokens=MAX_TOKENS):
    prefix = prefix_ids(tokenizer)
    sequence = Sequence(prefix[:], list(range(len(prefix))), [PREFIX_SEGMENT] * len(prefix), [0] * len(prefix))
    plan = list(TRAINING_PLAN)
    rng.shuffle(plan)
    multi_turn = rng.random() < MULTI_TURN_SHARE
    turns, seen = 0, set()
    for task in plan:
        pair = ask(rng, scene, task)
        if pair is None or pair in seen:
            continue
        seen.add(pair)
        asked, answer = pair
        question_ids, answer_ids = turn_ids(tokenizer, vary(rng, asked), answer)
        if multi_turn and turns:
            question_ids = tokenizer.encode(f"\n{IM_START}user\n") + question_ids
        if len(sequence) + len(question_ids) + len(answer_ids) > max_tokens:
            continue
        turns += 1
        start = len(sequence)
        if says_absent(answer):
            sequence.gaze += gaze_of_absent(tokenizer, scene.names, asked, question_ids, start)
        else:
            sequence.gaze += gaze_of_present(tokenizer, scene, task, question_ids, answer_ids, start)
        first_position = sequence.positions[-1] + 1 if multi_turn else len(prefix)
        sequence.add(question_ids, answer_ids, first_position, 1 if multi_turn else turns)
    if not multi_turn and rng.random() < SMALLTALK_SHARE:
        add_smalltalk(rng, tokenizer, sequence, max_tokens)
    return sequence


def add_smalltalk(rng, tokenizer, sequence, max_tokens):
    """A turn that sees the text of the prefix, not the picture."""
    question, answer = smalltalk(rng)
    question_ids, answer_ids = turn_ids(tokenizer, vary(rng, question), answer)
    if len(sequence) + len(question_ids) + len(answer_ids) <= max_tokens + SMALLTALK_ROOM:
        sequence.add(question_ids, answer_ids, PREFIX_TEXT, TEXT_ONLY_SEGMENT)


@dataclass
class TextBatch:
    ids: torch.Tensor  # int64 [B, T]
    positions: torch.Tensor  # int64 [B, T]
    bias: torch.Tensor  # float32 [B, 1, T, T]
    is_answer: torch.Tensor  # bool [B, T]
    gaze: torch.Tensor  # int64 [hints, 4]: sequence, READ or SAY, query index, key index


def collate(sequences, pad_id):
    batch, longest = len(sequences), max(map(len, sequences))
    ids = np.full((batch, longest), pad_id)
    positions = np.zeros((batch, longest), int)
    segments = np.full((batch, longest), PADDING_SEGMENT)
    is_answer = np.zeros((batch, longest), bool)
    for index, sequence in enumerate(sequences):
        count = len(sequence)
        ids[index, :count] = sequence.ids
        positions[index, :count] = sequence.positions
        segments[index, :count] = sequence.segments
        is_answer[index, :count] = sequence.is_answer
    query, key = segments[:, :, None], segments[:, None, :]
    visible = (key == query) | (key == PREFIX_SEGMENT)
    visible[:, :, PREFIX_TEXT : PREFIX_TEXT + NUM_IMAGE_TOKENS] &= query != TEXT_ONLY_SEGMENT
    visible &= np.tril(np.ones((longest, longest), bool))
    bias = torch.from_numpy(np.where(visible, 0, MASKED).astype(np.float32))[:, None]
    gaze = [
        (index, head, query, PREFIX_TEXT + cell)
        for index, sequence in enumerate(sequences)
        for head, query, cell in sequence.gaze
    ]
    return TextBatch(
        ids=torch.from_numpy(ids),
        positions=torch.from_numpy(positions),
        bias=bias,
        is_answer=torch.from_numpy(is_answer),
        gaze=torch.tensor(gaze).view(-1, 4),
    )
