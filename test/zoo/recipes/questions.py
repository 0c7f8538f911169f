"""What every model of the zoo is asked: 20 chats over the pictures, with none to three of them, of one to three turns."""


def ask(*parts):
    """A user turn: strings are text, names that end in .png are pictures."""
    content = [{"type": "image", "image": p} if p.endswith(".png") else {"type": "text", "text": p} for p in parts]
    return {"role": "user", "content": content}


def answer(text):
    return {"role": "assistant", "content": [{"type": "text", "text": text}]}


def single_turns(n):
    """With one or two pictures in one turn.

    @param n: names of the pictures, in the order of `pictures.py`
    """
    return [
        ("describe", [ask(n[0], "Describe the image in detail.")]),
        ("count", [ask(n[1], "How many shapes are there?")]),
        ("square", [ask(n[2], "What is in this picture?")]),
        ("noise", [ask(n[3], "What is in this picture?")]),
        ("portrait", [ask(n[4], "Read the text.")]),
        ("extreme-wide", [ask(n[5], "Which colour is the left one?")]),
        ("extreme-tall", [ask(n[6], "Which colour is the left one?")]),
        ("tiny", [ask(n[7], "What is in this picture?")]),
        ("gray-unicode", [ask(n[8], "Größe und Farbe? 日本語 🙂 12345")]),
        ("two-modes", [ask(n[9], n[8], "Say it in one word.")]),
        ("two-a", [ask(n[10], n[11], "Compare the two images.")]),
        ("two-b", [ask("First:", n[12], "second:", n[7], "Which one is larger?")]),
        ("two-same", [ask(n[2], n[2], "Compare the two images.")]),
        ("two-mixed", [ask(n[5], n[6], "Where is the small circle?")]),
    ]


def chats(n):
    return named(
        [
            *single_turns(n),
            ("text", [ask("What is the answer to the question?")]),
            ("text-code", [ask('{"cat": [1, 2]}\n  two  spaces, then <tag>?')]),
            ("text-turns", [ask("Is there a cat?"), answer("The cat follows the dog."), ask("Which colour is it?")]),
            (
                "turns-late-image",
                [ask("I will show a picture."), answer("Show it."), ask(n[13], "How many shapes are there?")],
            ),
            (
                "turns-two",
                [
                    ask(n[0], "What is in this picture?"),
                    answer("A bright window near a bridge."),
                    ask(n[3], "And in this one?"),
                ],
            ),
            (
                "turns-three",
                [
                    ask(n[9], n[13], "Compare the two images."),
                    answer("The first is smaller."),
                    ask(n[8], "And this?"),
                ],
            ),
        ]
    )


def named(pairs):
    return [{"name": name, "messages": messages} for name, messages in pairs]


def pictures_of(messages):
    return [part["image"] for message in messages for part in message["content"] if part["type"] == "image"]
