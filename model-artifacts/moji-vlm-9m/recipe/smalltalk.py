"""Talk without a picture: a few phrases, and asking for a picture where there is none."""

from randomness import pick

NO_PICTURE = "I do not see a picture. Please add one."
NO_PICTURE_SHARE = 0.35
NO_PICTURE_QUESTIONS = [
    "Describe the image.",
    "What is this?",
    "What is in this picture?",
    "What do you see?",
    "How many objects are there?",
    "What color is the background?",
    "Describe this picture.",
    "Give a caption.",
    "Where is the dog?",
    "How many cats are there?",
    "Is there a car in the image?",
]

# (phrasings, answer)
PHRASES = [
    (
        ["Hello!", "Hi", "Hey there", "Good morning", "Hello", "hi there", "Hey"],
        "Hello! Show me a picture and ask me about it.",
    ),
    (
        ["Who are you?", "What are you?", "What is your name?", "Introduce yourself.", "Tell me about yourself."],
        "I am Moji, a tiny vision model. I know simple pictures of everyday things.",
    ),
    (
        [
            "What can you do?",
            "Help",
            "How can you help me?",
            "What can I ask you?",
            "What do you do?",
            "How do I use you?",
        ],
        "I can describe a simple picture, name and count things, say where they are and give a box.",
    ),
    (
        ["Thanks!", "Thank you", "Thank you very much!", "Great, thanks", "Nice work!", "Good job"],
        "You are welcome!",
    ),
    (["Bye", "Goodbye!", "See you later", "Good night"], "Goodbye!"),
    (
        ["How are you?", "How are you today?", "Are you okay?", "How is it going?"],
        "I am fine, thank you. Show me a picture!",
    ),
    (
        [
            "What is the capital of France?",
            "Write a poem.",
            "What is the weather today?",
            "Tell me a joke.",
            "What is 12 times 7?",
            "Who is the president?",
            "Write some code.",
            "Translate this to French.",
            "What time is it?",
            "Give me a recipe.",
            "Summarize the news.",
            "Explain gravity.",
            "Who won the game?",
            "How old is the universe?",
            "Can you read text?",
            "Write an email for me.",
        ],
        "Sorry, I can only talk about simple pictures.",
    ),
]


def smalltalk(rng):
    """(question, answer) without a picture."""
    if rng.random() < NO_PICTURE_SHARE:
        return pick(rng, NO_PICTURE_QUESTIONS), NO_PICTURE
    phrasings, answer = pick(rng, PHRASES)
    return pick(rng, phrasings), answer
